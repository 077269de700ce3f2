"""The connections as a Configuration asks for them."""

from __future__ import annotations

import ssl
from importlib.util import find_spec
from typing import TYPE_CHECKING, TypedDict, TypeVar

import httpx2

from mangadex_openapi.exceptions import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from mangadex_openapi.configuration import Configuration

Client = TypeVar("Client", httpx2.Client, httpx2.AsyncClient)


def connect(kind: Callable[..., Client], configuration: Configuration) -> Client:
    """A client with its own pool, as configured.

    Raises:
        InvalidRequest: settings that cannot be used, of the Configuration or of the environment.
    """
    settings = client_settings(configuration)
    try:
        return kind(**settings)
    except (ValueError, ImportError, OSError, httpx2.InvalidURL) as error:
        problem = f"a proxy or certificate there cannot be used ({type(error).__name__}); mend it, or trust_env=False"
        raise InvalidRequest("environment", problem) from None


class ClientSettings(TypedDict):
    """What httpx2.Client and httpx2.AsyncClient are made with."""

    verify: ssl.SSLContext | bool
    trust_env: bool
    http2: bool
    proxy: str | None
    limits: httpx2.Limits
    headers: dict[str, str]
    timeout: httpx2.Timeout


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
        headers={"Accept": "application/json", "User-Agent": configuration.user_agent},
        timeout=httpx2.Timeout(
            connect=configuration.timeouts.connect_s,
            write=configuration.timeouts.write_s,
            read=configuration.timeouts.read_s,
            pool=configuration.timeouts.pool_s,
        ),
    )


def _verification(configuration: Configuration) -> ssl.SSLContext | bool:
    if configuration.key_file and not configuration.cert_file:
        raise InvalidRequest("key_file", "has no cert_file beside it")
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
            is_http = httpx2.Proxy(proxy).url.scheme in ("http", "https")
        except (ValueError, TypeError, httpx2.InvalidURL):
            is_http = False
        if not is_http:
            raise InvalidRequest("proxy", "is no address of an HTTP proxy, like http://127.0.0.1:3128")
    return proxy
