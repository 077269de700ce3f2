"""Faults on demand, in the sandbox only: what a client must be able to live with.

`POST /sandbox/faults` takes `{"method", "path", "after", "times", "fault", ...}`: the `path` is a regular expression,
the first `after` matching requests pass, the next `times` meet the fault. `DELETE /sandbox/faults` forgets them all.
The header `X-Sandbox-Fault: <fault>` gives one to a single request.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mangadex_server.errors import Invalid
from mangadex_server.wire import WireResponse, error_response

HEADER = "x-sandbox-fault"
CONTROL_PATH = "/sandbox/faults"
REJECTED_PAGE = "sandbox_reject_page"
"""In the scope of a request: the number of the page to refuse, from 1."""

STATUSES = {
    "429": "too_many_requests_http_exception",
    "401": "unauthorized_http_exception",
    "500": "internal_server_error",
}
STATUSES["503"] = "service_unavailable_http_exception"
KINDS = frozenset({*STATUSES, "drop-before", "drop-after", "late", "reject-page"})
MAX_CONTROL_BYTES = 4096
LATE_S = 1.0
MAX_WAIT_S = 3600


@dataclass(slots=True)
class Plan:
    """A fault and the requests that meet it. `page` is the number of the page to reject, from 1."""

    fault: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    times: int = 1
    wait_s: float = LATE_S
    page: int = 1

    def meets(self, method: str, path: str) -> bool:
        """Count a request, and tell whether it meets the fault."""
        if self.times == 0 or not (re.fullmatch(self.method, method) and re.fullmatch(self.path, path)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True


class Faults:
    """Pure ASGI around the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._plans: list[Plan] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or spoil it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == CONTROL_PATH:
            await self._control(scope, receive, send)
        else:
            plan = self._plan_for(scope)
            if plan is None:
                await self._app(scope, receive, send)
            else:
                await self._spoil(plan, scope, receive, send)

    def _plan_for(self, scope: Scope) -> Plan | None:
        kind = Headers(scope=scope).get(HEADER)
        if kind in KINDS:
            return Plan(kind)
        return next((plan for plan in self._plans if plan.meets(scope["method"], scope["path"])), None)

    async def _spoil(self, plan: Plan, scope: Scope, receive: Receive, send: Send) -> None:
        if plan.fault in STATUSES:
            await _drain(receive)
            await _status_answer(plan)(scope, receive, send)
        elif plan.fault == "late":
            await asyncio.sleep(plan.wait_s)
            await self._app(scope, receive, send)
        elif plan.fault == "reject-page":
            scope[REJECTED_PAGE] = plan.page
            await self._app(scope, receive, send)
        else:
            if plan.fault == "drop-after":
                await self._app(scope, receive, _nowhere)
            await _drop(send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _drain(receive)
        try:
            if scope["method"] == "DELETE":
                self._plans.clear()
            elif scope["method"] == "POST":
                self._plans.append(_plan(body))
            answer = WireResponse({"result": "ok", "open": sum(plan.times for plan in self._plans)})
        except Invalid as refusal:
            answer = error_response(refusal)
        answer.headers["X-Request-ID"] = str(uuid4())
        await answer(scope, receive, send)


def _plan(body: bytes) -> Plan:
    try:
        plan = Plan(**json.loads(body))
        re.compile(plan.method)
        re.compile(plan.path)
        _check_numbers(plan)
    except (ValueError, TypeError, RecursionError, re.error) as error:
        raise Invalid(
            f"This is no fault ({error}). Send fault, and any of method, path, after, times, wait_s, page."
        ) from None
    if not isinstance(plan.fault, str) or plan.fault not in KINDS:
        raise Invalid(f"There is no fault {plan.fault!r}. There are: {', '.join(sorted(KINDS))}.")
    return plan


def _check_numbers(plan: Plan) -> None:
    for name in ("after", "times", "page"):
        if type(getattr(plan, name)) is not int or getattr(plan, name) < 0:
            raise ValueError(f"{name} is not a whole number from 0")
    if type(plan.wait_s) not in (int, float) or not 0 <= plan.wait_s <= MAX_WAIT_S:
        raise ValueError(f"wait_s is not a number from 0 to {MAX_WAIT_S}")


def _status_answer(plan: Plan) -> WireResponse:
    status = int(plan.fault)
    entry: dict[str, Any] = {"id": "00000000-0000-5000-8000-000000000000", "status": status}
    entry |= {"title": STATUSES[plan.fault], "detail": "A fault that was asked for", "context": None}
    headers = {"X-Request-ID": str(uuid4())}  # we stand before who gives the others theirs
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status == 429:
        times = {"Limit": "1", "Remaining": "0", "Retry-After": str(int(time.time() + plan.wait_s))}
        headers |= {f"X-RateLimit-{name}": value for name, value in times.items()}
    return WireResponse({"result": "error", "errors": [entry]}, status, headers)


async def _drain(receive: Receive) -> bytes:
    kept = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(kept)
        if len(kept) < MAX_CONTROL_BYTES:
            kept += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(kept)


async def _nowhere(_message: Message) -> None:
    pass


async def _drop(send: Send) -> None:
    """Promise more than is sent and stop: the server then closes the connection in the middle of the answer."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
    await send({"type": "http.response.body", "body": b"{", "more_body": True})
    raise ConnectionAbortedError("a dropped connection was asked for")
