"""The HTTP clients as the Configuration asks for them, and requests as an Operation does."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, TypedDict

import httpx2

from mangadex_openapi._multipart import MultipartBody
from mangadex_openapi._operations import Operation
from mangadex_openapi._options import Options
from mangadex_openapi._pages import open_pages
from mangadex_openapi.configuration import Configuration
from mangadex_openapi.exceptions import InvalidRequest


class ClientSettings(TypedDict):
    """What httpx2.Client and httpx2.AsyncClient are made with."""

    verify: ssl.SSLContext | bool
    trust_env: bool
    http2: bool
    proxy: str | None
    limits: httpx2.Limits
    headers: dict[str, str]


def client_settings(configuration: Configuration) -> ClientSettings:
    """Read a Configuration.

    Raises:
        InvalidRequest: HTTP/2 without its package, an unreadable certificate, a proxy that is no address.
    """
    if configuration.http2 and find_spec("h2") is None:
        raise InvalidRequest("http2", "needs a package more: install mangadex-openapi[http2]")
    size = configuration.connection_pool_maxsize
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise InvalidRequest("connection_pool_maxsize", "must be a whole number above 0")
    return ClientSettings(
        verify=_verification(configuration),
        trust_env=configuration.trust_env and not configuration.is_on_this_machine,
        http2=configuration.http2,
        proxy=_proxy(configuration.proxy),
        limits=httpx2.Limits(max_connections=size, max_keepalive_connections=size),
        headers={"Accept": "application/json"},
    )


def _verification(configuration: Configuration) -> ssl.SSLContext | bool:
    custom = configuration.ssl_ca_cert or configuration.cert_file
    if not custom:
        return configuration.verify_ssl
    field = "ssl_ca_cert"
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if configuration.cert_file:
            field = "cert_file"
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except OSError as error:
        raise InvalidRequest(field, f"{getattr(configuration, field)} cannot be used: {error.strerror}") from error
    return context


def _proxy(proxy: str | None) -> str | None:
    if proxy is not None:
        try:
            httpx2.Proxy(proxy)
        except (ValueError, httpx2.InvalidURL) as error:
            raise InvalidRequest("proxy", "is no address of a proxy, like http://127.0.0.1:3128") from error
    return proxy


def timeout(configuration: Configuration, operation: Operation[Any]) -> httpx2.Timeout:
    """The call's own timeout, else the configured ones."""
    timeouts, options = configuration.timeouts, operation.options
    return httpx2.Timeout(
        connect=options.connect_s or timeouts.connect_s,
        write=options.read_s or timeouts.write_s,
        read=options.read_s or (timeouts.slow_read_s if operation.slow else timeouts.read_s),
        pool=timeouts.pool_s,
    )


@contextmanager
def request_body(operation: Operation[Any]) -> Iterator[MultipartBody | None]:
    """Open the operation's pages; None where it has none to send."""
    if not operation.multipart:
        yield None
        return
    with open_pages(operation.pages) as pages:
        yield MultipartBody(pages)


def build_request(
    client: httpx2.Client | httpx2.AsyncClient,
    configuration: Configuration,
    default_headers: Mapping[str, str],
    operation: Operation[Any],
    pages: MultipartBody | None,
) -> httpx2.Request:
    """The request as it goes out, but for the token."""
    options: Options = operation.options
    headers = {"User-Agent": configuration.user_agent, **default_headers}
    if operation.body is not None:
        headers["Content-Type"] = options.content_type or "application/json"
    headers.update(options.headers or {})
    if pages is not None:
        headers["Content-Type"] = pages.content_type
        headers["Content-Length"] = str(pages.content_length)
    request = client.build_request(
        operation.method,
        configuration.host + operation.path,
        params=operation.query or None,
        content=operation.body,
        headers=headers,
        timeout=timeout(configuration, operation),
    )
    if pages is not None:
        request.stream = pages  # as content, it would be taken for synchronous only
    return request
