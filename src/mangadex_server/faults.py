"""Faults on demand, in the sandbox only: what a client must be able to live with (docs/sandbox.md).

`POST /sandbox/faults` takes a plan, `DELETE /sandbox/faults` forgets them all, and the header
`X-Sandbox-Fault: <fault>` gives one to a single request.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mangadex_server.cut_connections import hang_up, reset
from mangadex_server.errors import (
    Invalid,
    LimitReached,
    NotAllowedMethod,
    Overloaded,
    ServiceError,
    Unauthenticated,
)
from mangadex_server.fault_plans import AFTERWARDS, INSTEAD, STALLS, Plan, known, plan_of
from mangadex_server.middleware import internal_error
from mangadex_server.wire import WireResponse, error_response

HEADER = "x-sandbox-fault"
CONTROL_PATH = "/sandbox/faults"
REJECTED_PAGE = "sandbox_reject_page"
"""In the scope of a request: the number of the page to refuse, from 1."""

MAX_CONTROL_BYTES = 4096
ASKED_FOR = "A fault that was asked for."
REFUSALS: dict[str, ServiceError] = {
    "401": Unauthenticated(ASKED_FOR),
    "429": LimitReached(ASKED_FOR),
    "503": Overloaded(ASKED_FOR),
}


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
            try:
                plan = self._plan_for(scope)
            except Invalid as refusal:
                await _drain(receive)
                await _own(error_response(refusal))(scope, receive, send)
                return
            if plan is None:
                await self._app(scope, receive, send)
            else:
                await self._spoil(plan, scope, receive, send)

    def _plan_for(self, scope: Scope) -> Plan | None:
        fault = Headers(scope=scope).get(HEADER)
        if fault is not None:
            known(fault)
            return Plan(fault)
        return next((plan for plan in self._plans if plan.meets(scope["method"], scope["path"])), None)

    async def _spoil(self, plan: Plan, scope: Scope, receive: Receive, send: Send) -> None:
        fault = plan.fault
        if fault == "late":
            await self._app(scope, receive, _late(send, plan.waits_s()))
        elif fault == "reject-page":
            scope[REJECTED_PAGE] = plan.page
            await self._app(scope, receive, send)
        elif fault == "drop-in-answer":
            await self._app(scope, receive, _breaking_off(send, plan.at_byte))
        else:
            if fault == "drop-in-request":
                await _read(receive, plan.at_byte)
            elif fault in AFTERWARDS or fault in ("drop-after", "stall-after"):
                await self._app(scope, receive, _nowhere)
            else:
                await _drain(receive)
            await _answer_badly(plan, scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _drain(receive)
        try:
            if scope["method"] == "DELETE":
                self._plans.clear()
            elif scope["method"] == "POST":
                self._plans.append(plan_of(body))
            elif scope["method"] != "GET":
                raise NotAllowedMethod("Faults are planned with POST, looked at with GET, forgotten with DELETE.")
            answer = WireResponse({"result": "ok", "open": sum(plan.times for plan in self._plans)})
        except ServiceError as refusal:
            answer = error_response(refusal)
        await _own(answer)(scope, receive, send)


async def _answer_badly(plan: Plan, scope: Scope, receive: Receive, send: Send) -> None:
    if plan.fault in INSTEAD | AFTERWARDS:
        await _own(_status_answer(plan))(scope, receive, send)
        return
    if plan.fault in STALLS:
        await _wait_for_the_client_to_leave(receive, plan.waits_s())
    if plan.fault == "drop-in-request":
        reset(scope)
    else:
        hang_up(scope)
    await internal_error()(scope, receive, send)  # to nobody: the server wants every request answered


def _status_answer(plan: Plan) -> WireResponse:
    status = plan.fault.partition("-")[0]
    answer = error_response(REFUSALS[status]) if status in REFUSALS else internal_error()
    if plan.fault == "429":
        retry_after = str(math.ceil(time.time() + plan.waits_s()))
        for name, value in (("Limit", "1"), ("Remaining", "0"), ("Retry-After", retry_after)):
            answer.headers[f"X-RateLimit-{name}"] = value
    return answer


def _own(answer: WireResponse) -> WireResponse:
    """With an id: we stand before who gives the others theirs."""
    answer.headers["X-Request-ID"] = str(uuid4())
    return answer


def _late(send: Send, wait_s: float) -> Send:
    async def send_late(message: Message) -> None:
        if message["type"] == "http.response.start":
            await asyncio.sleep(wait_s)
        await send(message)

    return send_late


def _breaking_off(send: Send, at_byte: int) -> Send:
    """Pass on the head and so many bytes of the body, and never the last one: the server then closes the connection."""
    left = at_byte

    async def send_some(message: Message) -> None:
        nonlocal left
        if message["type"] == "http.response.start":
            await send(message)
            return
        body: bytes = message.get("body", b"")
        if not message.get("more_body", False):
            body = body[:-1]
        await send({"type": "http.response.body", "body": body[:left], "more_body": True})
        left = max(0, left - len(body))

    return send_some


async def _wait_for_the_client_to_leave(receive: Receive, at_most_s: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(at_most_s):
            while (await receive())["type"] != "http.disconnect":
                pass


async def _drain(receive: Receive) -> bytes:
    """Read all of a body, and keep what a plan may have."""
    kept = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return bytes(kept)
        if len(kept) < MAX_CONTROL_BYTES:
            kept += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(kept)


async def _read(receive: Receive, at_least_bytes: int) -> None:
    """Read so many bytes of a body, or all of it if it has less."""
    left = at_least_bytes
    while left > 0:
        message = await receive()
        left -= len(message.get("body", b""))
        if not message.get("more_body", False):
            return


async def _nowhere(_message: Message) -> None:
    pass
