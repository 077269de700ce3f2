"""Request bodies, read under a limit and a deadline (engines.md 5: the server itself has neither)."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from mangadex_server.errors import Invalid, SlowRequest, TooLarge

KIB = 1024
GRACE_S = 10.0
"""A sender may be slow for so long before its rate counts."""

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class ClientGoneError(Exception):
    """The sender closed the connection; there is nobody to answer."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a body may stall, and the rate that it must keep on the whole."""

    stall_s: float
    min_bytes_per_s: int


async def chunks(request: Request, patience: Patience) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises:
        SlowRequest: it stalls, or comes too slowly.
        ClientGoneError: the sender went away.
    """
    loop = asyncio.get_running_loop()
    started, received = loop.time(), 0
    try:
        async with asyncio.timeout(None) as deadline:
            while True:
                stalls_at = loop.time() + patience.stall_s
                too_slow_at = (
                    started + GRACE_S + received / patience.min_bytes_per_s if patience.min_bytes_per_s else stalls_at
                )
                deadline.reschedule(min(stalls_at, max(too_slow_at, started + GRACE_S)))
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                body: bytes = message.get("body", b"")
                if body:
                    received += len(body)
                    deadline.reschedule(None)
                    yield body
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        raise SlowRequest("The body came too slowly. Check the connection and send it again.") from None


async def read_limited(request: Request, limit_bytes: int, patience: Patience) -> bytes:
    """The whole body.

    Raises:
        TooLarge: at the first byte over the limit.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(limit_bytes)
    body = bytearray()
    async for chunk in chunks(request, patience):
        body += chunk
        if len(body) > limit_bytes:
            raise _too_large(limit_bytes)
    return bytes(body)


async def read_json(request: Request, limit_bytes: int, patience: Patience) -> Any:
    """The body as JSON; None where it is empty.

    Raises:
        Invalid: not JSON.
        TooLarge: over the limit.
    """
    body = await read_limited(request, limit_bytes, patience)
    if not body.strip():
        return None
    try:
        given = json.loads(body)
        written = json.dumps(given, ensure_ascii=False).encode()  # half a surrogate pair is text that no database takes
    except (ValueError, RecursionError):
        raise Invalid("Error validating /: the body is not JSON. Send a JSON body as documented.") from None
    if _NUL.search(written):  # nor is this, for PostgreSQL
        raise Invalid("Error validating /: a text in the body has a NUL character (\\u0000). Leave it out.")
    return given


async def read_object(request: Request, limit_bytes: int, patience: Patience) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        Invalid: anything else.
    """
    body = await read_json(request, limit_bytes, patience)
    if not isinstance(body, dict):
        raise Invalid("Error validating /: the body must be a JSON object")
    return body


def _too_large(limit_bytes: int) -> TooLarge:
    return TooLarge(f"The body is over its limit of {limit_bytes} bytes. Send less in one request.")
