"""The clients: they own the connections, and send operations. All decisions are in `_calls`, `_retry`, `_pacing`."""

from __future__ import annotations

import ssl
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import httpx2

from mangadex_openapi._bearer import FixedAuth
from mangadex_openapi._calls import call, foreign_failure, read_answer
from mangadex_openapi._connections import connect
from mangadex_openapi._http import build_request, request_body
from mangadex_openapi._log import log_exchange
from mangadex_openapi._operations import Operation
from mangadex_openapi._options import check_header
from mangadex_openapi._retry import Outcome, Received
from mangadex_openapi.api_response import ApiResponse
from mangadex_openapi.configuration import Configuration
from mangadex_openapi.exceptions import LoginUnavailable, OpenApiException
from mangadex_openapi.rest import AsyncRESTResponse, RESTResponse

T = TypeVar("T")


class _Client:
    """What the twins share: settings, and what is done around sending."""

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
    ) -> None:
        self.configuration = configuration or Configuration()
        self.default_headers = httpx2.Headers()
        if header_name is not None and header_value is not None:
            self.set_default_header(header_name, header_value)

    @property
    def user_agent(self) -> str:
        """The User-Agent that is sent."""
        return str(self.default_headers.get("User-Agent", self.configuration.user_agent))

    @user_agent.setter
    def user_agent(self, value: str) -> None:
        self.set_default_header("User-Agent", value)

    def set_default_header(self, header_name: str, header_value: str) -> None:
        """Send a header with every request.

        Raises:
            InvalidRequest: no header can be like that.
        """
        check_header(header_name, header_name, header_value)
        self.default_headers[header_name] = header_value

    def _check_open(self, closed: bool) -> None:
        if closed:
            raise OpenApiException(f"this {type(self).__name__} is closed; make a new one")

    def _auth(self, operation: Operation[Any]) -> httpx2.Auth | None:
        authorization = operation.options.authorization
        return FixedAuth(authorization) if authorization else self.configuration.http_auth()

    def _place_wait_s(self, operation: Operation[Any], now: float) -> float:
        pacer = self.configuration.pacing
        return pacer.reserve(now, operation.pacing) if pacer else 0.0

    def _received(
        self, operation: Operation[Any], request: httpx2.Request, outcome: Outcome, sent_at: float
    ) -> Received:
        now = time.time()
        pacer = self.configuration.pacing
        if pacer:
            pacer.answered(sent_at, now)
        if isinstance(outcome, httpx2.Response) and pacer:
            for _ in outcome.history:  # a 401 before it
                pacer.spend(now, operation.pacing)
            pacer.learn(operation.pacing, outcome.headers, now)
        log_exchange(operation, request, outcome)
        return Received(outcome, now)


class ApiClient(_Client):
    """Sends operations over a pool of connections; may be shared by threads. Use it in `with`, or close it."""

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
    ) -> None:
        super().__init__(configuration, header_name, header_value)
        self._http = connect(httpx2.Client, self.configuration)

    def call(self, operation: Operation[T]) -> T:
        """Send an operation and return its answer."""
        return read_answer(operation, self._send(operation))

    def call_with_http_info(self, operation: Operation[T]) -> ApiResponse[T]:
        """Send an operation and return its answer with status and headers."""
        response = self._send(operation)
        return ApiResponse(response.status_code, response.headers, read_answer(operation, response), response.content)

    def call_without_preload_content(self, operation: Operation[Any]) -> RESTResponse:
        """Send an operation and return the answer unread, whatever its status."""
        return RESTResponse(operation.name, self._send(operation, unread=True))

    def _send(self, operation: Operation[Any], *, unread: bool = False) -> httpx2.Response:
        with request_body(operation) as pages:
            request = build_request(self._http, self.configuration, self.default_headers, operation, pages)
            auth = self._auth(operation)
            flow = call(operation, self.configuration.retries, any_status=unread)
            wait_s = next(flow)
            while True:
                while wait_s > 0.0 or (wait_s := self._place_wait_s(operation, sent_at := time.time())) > 0.0:
                    time.sleep(wait_s)
                    wait_s = 0.0
                self._check_open(self._http.is_closed)
                outcome: Outcome
                try:
                    outcome = self._http.send(request, auth=auth, stream=unread)
                except (httpx2.RequestError, LoginUnavailable) as error:
                    outcome = error
                except (ssl.SSLError, ConnectionError) as error:
                    outcome = foreign_failure(error, request)
                try:
                    wait_s = flow.send(self._received(operation, request, outcome, sent_at))
                except StopIteration as done:
                    return cast(httpx2.Response, done.value)
                if isinstance(outcome, httpx2.Response):
                    outcome.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _: BaseException | None, _tb: TracebackType | None) -> None:
        self.close()


class AsyncApiClient(_Client):
    """The asynchronous twin of ApiClient, for one event loop. Use it in `async with`, or close it."""

    def __init__(
        self,
        configuration: Configuration | None = None,
        header_name: str | None = None,
        header_value: str | None = None,
    ) -> None:
        super().__init__(configuration, header_name, header_value)
        self._http = connect(httpx2.AsyncClient, self.configuration)

    async def call(self, operation: Operation[T]) -> T:
        """Send an operation and return its answer."""
        return read_answer(operation, await self._send(operation))

    async def call_with_http_info(self, operation: Operation[T]) -> ApiResponse[T]:
        """Send an operation and return its answer with status and headers."""
        response = await self._send(operation)
        return ApiResponse(response.status_code, response.headers, read_answer(operation, response), response.content)

    async def call_without_preload_content(self, operation: Operation[Any]) -> AsyncRESTResponse:
        """Send an operation and return the answer unread, whatever its status."""
        return AsyncRESTResponse(operation.name, await self._send(operation, unread=True))

    async def _send(self, operation: Operation[Any], *, unread: bool = False) -> httpx2.Response:
        import asyncio  # noqa: PLC0415 - see MultipartBody

        with ExitStack() as stack:
            body = request_body(operation)
            pages = await asyncio.to_thread(stack.enter_context, body) if operation.multipart else None
            request = build_request(self._http, self.configuration, self.default_headers, operation, pages)
            auth = self._auth(operation)
            flow = call(operation, self.configuration.retries, any_status=unread)
            wait_s = next(flow)
            while True:
                while wait_s > 0.0 or (wait_s := self._place_wait_s(operation, sent_at := time.time())) > 0.0:
                    await asyncio.sleep(wait_s)
                    wait_s = 0.0
                self._check_open(self._http.is_closed)
                outcome: Outcome
                try:
                    outcome = await self._http.send(request, auth=auth, stream=unread)
                except (httpx2.RequestError, LoginUnavailable) as error:
                    outcome = error
                except (ssl.SSLError, ConnectionError) as error:
                    outcome = foreign_failure(error, request)
                try:
                    wait_s = flow.send(self._received(operation, request, outcome, sent_at))
                except StopIteration as done:
                    return cast(httpx2.Response, done.value)
                if isinstance(outcome, httpx2.Response):
                    await outcome.aclose()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, _tb: TracebackType | None
    ) -> None:
        await self.close()
