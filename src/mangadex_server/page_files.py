"""Page files over HTTP: validators, one byte range, and the bytes from the disk without holding them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mangadex_server.reading import PageFile

CHUNK_BYTES = 256 * 1024
FOREVER = "public, max-age=31536000, immutable"
"""The address has the content's hash in it."""

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


class UnsatisfiableError(Exception):
    """The range begins after the end."""


def answer(page: PageFile, request: Request) -> Response:
    """The page, the part of it that was asked for, or word that the caller has it."""
    etag = f'"{page.digest}"'
    headers = {"ETag": etag, "Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff", "Accept-Ranges": "bytes"}
    if _has_it(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    try:
        asked = requested_range(_usable_range(request, etag), page.size_bytes)
    except UnsatisfiableError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{page.size_bytes}"})
    if asked is None:
        return FileSlice(page, 0, page.size_bytes, 200, headers)
    start, end = asked
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{page.size_bytes}"
    return FileSlice(page, start, end, 206, headers)


def requested_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Start and end of a single range; None where the whole is meant: RFC 9110 14.2 lets one ignore all others.

    Raises:
        UnsatisfiableError: it lies outside.
    """
    asked = _RANGE.fullmatch(header.strip()) if header else None
    if asked is None or asked[1] == asked[2] == "":
        return None
    if asked[1] == "":
        start, end = max(size_bytes - int(asked[2]), 0), size_bytes
    else:
        start, end = int(asked[1]), min(int(asked[2]) + 1, size_bytes) if asked[2] else size_bytes
        if asked[2] and int(asked[2]) < start:
            return None
    if start >= size_bytes:
        raise UnsatisfiableError
    return start, end


class FileSlice(Response):
    """Bytes `start` to `end` of a file, read in a thread while they are sent."""

    def __init__(self, page: PageFile, start: int, end: int, status: int, headers: Mapping[str, str]) -> None:
        self._path, self._start, self._end = page.path, start, end
        self.status_code, self.media_type, self.background = status, page.mime_type, None
        self.init_headers({**headers, "Content-Length": str(end - start)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it; of a HEAD the headers alone."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        if scope["method"] == "HEAD":
            await send(start)
        else:
            with await asyncio.to_thread(self._path.open, "rb") as file:
                await send(start)
                await self._send_slice(file, send)
        await send({"type": "http.response.body", "body": b""})

    async def _send_slice(self, file: BinaryIO, send: Send) -> None:
        file.seek(self._start)
        left = self._end - self._start
        while left > 0:
            chunk = await asyncio.to_thread(file.read, min(CHUNK_BYTES, left))
            if not chunk:
                raise OSError(f"{self._path.name} is shorter than it was")
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})


def _has_it(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in [
        part.strip().removeprefix("W/") for part in if_none_match.split(",")
    ]


def _usable_range(request: Request, etag: str) -> str | None:
    if_range = request.headers.get("if-range")
    return request.headers.get("range") if if_range in (None, etag) else None
