"""An operation as the request that goes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from mangadex_openapi._multipart import MultipartBody
from mangadex_openapi._operations import Operation
from mangadex_openapi._options import Options
from mangadex_openapi._pages import open_pages
from mangadex_openapi.configuration import Configuration
from mangadex_openapi.exceptions import InvalidRequest


def timeout(configuration: Configuration, operation: Operation[Any]) -> httpx2.Timeout:
    """The call's own timeout, else the configured ones."""
    timeouts, options = configuration.timeouts, operation.options
    pool_s = (
        timeouts.pool_s if options.connect_s is None else min(options.connect_s, timeouts.pool_s or options.connect_s)
    )
    return httpx2.Timeout(
        connect=options.connect_s or timeouts.connect_s,
        write=options.read_s or timeouts.write_s,
        read=options.read_s or (timeouts.slow_read_s if operation.slow else timeouts.read_s),
        pool=pool_s,
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
    """The request as it goes out, but for the token.

    Raises:
        InvalidRequest: an address that cannot be sent, such as one far too long.
    """
    options: Options = operation.options
    headers = httpx2.Headers({"User-Agent": configuration.user_agent})
    headers.update(default_headers)
    if operation.body is not None:
        headers["Content-Type"] = options.content_type or "application/json"
    headers.update(options.headers or {})
    if pages is not None:
        headers["Content-Type"] = pages.content_type
        headers["Content-Length"] = str(pages.content_length)
    try:
        request = client.build_request(
            operation.method,
            configuration.host + operation.path,
            params=operation.query or None,
            content=operation.body,
            headers=headers,
            timeout=timeout(configuration, operation),
        )
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise InvalidRequest(operation.name, f"its parameters make no address ({error})") from error
    if pages is not None:
        request.stream = pages  # as content, it would be taken for synchronous only
    return request
