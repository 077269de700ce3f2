"""Makes the methods of the API classes out of the functions that build their operations.

One function gives a method in six forms, which therefore cannot differ: plain, with HTTP info and without preloading,
for each of the twins.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from mangadex_openapi._operations import Operation
from mangadex_openapi._options import CallOptions
from mangadex_openapi.api_client import ApiClient, AsyncApiClient
from mangadex_openapi.api_response import ApiResponse
from mangadex_openapi.rest import AsyncRESTResponse, RESTResponse

P = ParamSpec("P")
T = TypeVar("T")


class SyncApi:
    """A group of operations, sent by a client (one of its own with the default Configuration, if none is given)."""

    def __init__(self, api_client: ApiClient | None = None) -> None:
        self.api_client = api_client or ApiClient()


class AsyncApi:
    """The asynchronous twin of SyncApi."""

    def __init__(self, api_client: AsyncApiClient | None = None) -> None:
        self.api_client = api_client or AsyncApiClient()


def plain(build: Callable[P, Operation[T]]) -> Callable[Concatenate[SyncApi, P], T]:
    """The method that returns the answer."""

    def method(self: SyncApi, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.api_client.call(build(*args, **kwargs))

    return _described(method, build)


def with_http_info(build: Callable[P, Operation[T]]) -> Callable[Concatenate[SyncApi, P], ApiResponse[T]]:
    """The method that returns the answer with status and headers."""

    def method(self: SyncApi, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return self.api_client.call_with_http_info(build(*args, **kwargs))

    return _described(method, build, "_with_http_info", "ApiResponse[{}]")


def without_preload_content(build: Callable[P, Operation[Any]]) -> Callable[Concatenate[SyncApi, P], RESTResponse]:
    """The method that returns the answer unread, whatever its status."""

    def method(self: SyncApi, /, *args: P.args, **kwargs: P.kwargs) -> RESTResponse:
        return self.api_client.call_without_preload_content(build(*args, **kwargs))

    return _described(method, build, "_without_preload_content", "RESTResponse")


def plain_async(build: Callable[P, Operation[T]]) -> Callable[Concatenate[AsyncApi, P], Coroutine[Any, Any, T]]:
    """`plain`, to be awaited."""

    async def method(self: AsyncApi, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.api_client.call(build(*args, **kwargs))

    return _described(method, build)


def with_http_info_async(
    build: Callable[P, Operation[T]],
) -> Callable[Concatenate[AsyncApi, P], Coroutine[Any, Any, ApiResponse[T]]]:
    """`with_http_info`, to be awaited."""

    async def method(self: AsyncApi, /, *args: P.args, **kwargs: P.kwargs) -> ApiResponse[T]:
        return await self.api_client.call_with_http_info(build(*args, **kwargs))

    return _described(method, build, "_with_http_info", "ApiResponse[{}]")


def without_preload_content_async(
    build: Callable[P, Operation[Any]],
) -> Callable[Concatenate[AsyncApi, P], Coroutine[Any, Any, AsyncRESTResponse]]:
    """`without_preload_content`, to be awaited."""

    async def method(self: AsyncApi, /, *args: P.args, **kwargs: P.kwargs) -> AsyncRESTResponse:
        return await self.api_client.call_without_preload_content(build(*args, **kwargs))

    return _described(method, build, "_without_preload_content", "AsyncRESTResponse")


M = TypeVar("M", bound=Callable[..., Any])


_OPTIONS_TEXT = """

    The options `_request_timeout` (seconds, or a pair of them for connecting and the rest), `_request_auth` (another
    token), `_content_type`, `_headers` and `_host_index` (0) are for this call alone.
"""
_DOCS: dict[str, Callable[[str], str]] = {
    "": lambda text: text.rstrip() + _OPTIONS_TEXT,
    "_with_http_info": lambda text: f"{text.rstrip()}\n\n    Returned with status and headers.{_OPTIONS_TEXT}",
    "_without_preload_content": lambda text: (
        f"{text.partition('Raises:')[0].rstrip()}\n\n    Returned unread, whatever its status.{_OPTIONS_TEXT}"
    ),
}


def _described(method: M, build: Callable[..., Any], suffix: str = "", answer: str = "{}") -> M:
    """Give a method the name, text and signature that help() and editors show."""
    method.__name__ = build.__name__ + suffix
    method.__qualname__ = method.__name__
    method.__module__ = build.__module__
    method.__doc__ = _DOCS[suffix](build.__doc__ or "")
    own = inspect.signature(build)
    parameters = [_SELF, *(p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD), *_OPTIONS]
    returned = answer.format(str(own.return_annotation).removeprefix("Operation[").removesuffix("]"))
    method.__signature__ = inspect.Signature(parameters, return_annotation=returned)  # type: ignore[attr-defined]
    return method


_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD)
_OPTIONS = [
    inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=0 if name == "_host_index" else None)
    for name in CallOptions.__annotations__
]
