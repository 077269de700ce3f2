"""Around every request: an id, the rate limits, what a strict service asks, and errors in the one shape."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from ipaddress import ip_address, ip_network
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mangadex_server.errors import LimitReached, NotPermitted, ServiceError, Unauthenticated
from mangadex_server.rate_limits import RateLimits
from mangadex_server.settings import Settings
from mangadex_server.tokens import Tokens
from mangadex_server.wire import WireResponse, error_response

logger = logging.getLogger(__name__)

LINGER_IDLE_S = 10.0
LINGER_S = 120.0
LINGER_BYTES = 256 << 20
"""How long without a byte, how long in all (8 MB at half a Mbit/s), and how much of a refused request's body is still
read: closing over unread bytes resets the connection, and the answer is lost."""


class _Body:
    """A request's body on its way to the application."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self._receive = receive
        waits_for_word = "100-continue" in headers.get("expect", "").lower()  # it sends none to a refusal
        is_announced = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        self._has_more = is_announced and not waits_for_word

    async def __call__(self) -> Message:
        message = await self._receive()
        self._has_more = message.get("more_body", False)
        return message

    async def linger(self) -> None:
        """Read what is left of a body that was refused on its way, within limits."""
        left_bytes = LINGER_BYTES
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while self._has_more and left_bytes > 0:
                    message = await asyncio.wait_for(self(), LINGER_IDLE_S)
                    left_bytes -= len(message.get("body", b""))


class Around:
    """Pure ASGI, so that bodies stream through untouched."""

    def __init__(self, app: ASGIApp, settings: Settings, limits: RateLimits | None, tokens: Tokens) -> None:
        self._app = app
        self._settings = settings
        self._limits = limits
        self._tokens = tokens
        self._trusted = [ip_network(item) for item in settings.trusted_proxies]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        extra = {"X-Request-ID": str(uuid4())}
        started = False
        headers = Headers(scope=scope)
        body = _Body(receive, headers)

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(extra)
            await send(message)

        address = self._address(scope, headers)
        scope["client"] = (address, scope["client"][1] if scope.get("client") else 0)
        refusal = self._not_strict_enough(headers)
        if refusal is None and self._limits is not None:
            account = self._user(headers) or address
            verdict = await self._limits.check(scope["method"], scope["path"], address=address, account=account)
            extra |= verdict.headers
            if not verdict.passes:
                refusal = LimitReached("Rate limit exceeded. Wait until the time in X-RateLimit-Retry-After.")
        if refusal is not None:
            await error_response(refusal)(scope, receive, send_with_headers)
            await body.linger()
            return
        try:
            await self._app(scope, body, send_with_headers)
        except Exception:
            logger.exception("%s %s failed (request %s)", scope["method"], scope["path"], extra["X-Request-ID"])
            if not started:
                await internal_error()(scope, receive, send_with_headers)
        await body.linger()

    def _not_strict_enough(self, headers: Headers) -> ServiceError | None:
        if not self._settings.strict:
            return None
        if not headers.get("user-agent", "").strip():
            return NotPermitted("Send a User-Agent that names your program.")
        if "via" in headers:
            return NotPermitted("Requests through proxies that add a Via header are refused.")
        return None

    def _user(self, headers: Headers) -> str | None:
        """Of a good token: a client that sends others does not escape the limits."""
        scheme, _, token = headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return self._tokens.verify_access(token.strip()).user_id
        except Unauthenticated:
            return None

    def _address(self, scope: Scope, headers: Headers) -> str:
        client: tuple[str, int] | None = scope.get("client")
        address = client[0] if client else "unknown"
        for hop in reversed(",".join(headers.getlist("x-forwarded-for")).split(",")):
            if not self._is_trusted(address) or not hop.strip():
                break
            address = hop.strip()
        return address

    def _is_trusted(self, address: str) -> bool:
        try:
            return any(ip_address(address) in network for network in self._trusted)
        except ValueError:
            return False


def internal_error() -> WireResponse:
    """The answer to what must not happen."""
    entry: dict[str, Any] = {
        "id": "6d1c1f5e-3f6f-5d52-a1c4-6c0f8d4b2f50",
        "status": 500,
        "title": "internal_server_error",
        "detail": "The service failed. Try again later.",
        "context": None,
    }
    return WireResponse({"result": "error", "errors": [entry]}, 500)
