"""Page files over HTTP: validators, one byte range, and the bytes from their store without holding them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mangadex_server.reading import PageFile, no_page
from mangadex_server.stores import FOREVER, SIGNED_S, OpenBlob

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.IGNORECASE)


class UnsatisfiableError(Exception):
    """The range begins after the end."""


async def answer(page: PageFile, request: Request) -> Response:
    """The page, the part of it that was asked for, or word that the caller has it.

    Raises:
        NotFound: its bytes are gone.
    """
    etag = f'"{page.digest}"'
    headers = {"ETag": etag, "Cache-Control": FOREVER, "X-Content-Type-Options": "nosniff"}
    if _has_it(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    try:
        blob = await page.blobs.open(page.digest)
    except FileNotFoundError:
        raise no_page() from None
    size_bytes, part = blob.size_bytes, None
    if page.blobs.has_ranges:
        headers["Accept-Ranges"] = "bytes"
        try:
            part = requested_range(_usable_range(request, etag), size_bytes)
        except UnsatisfiableError:
            await blob.close()
            return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size_bytes}"})
    if part is None:
        return BlobSlice(blob, page.mime_type, (0, size_bytes), 200, headers)
    headers["Content-Range"] = f"bytes {part[0]}-{part[1] - 1}/{size_bytes}"
    return BlobSlice(blob, page.mime_type, part, 206, headers)


async def address(page: PageFile, request: Request) -> Response:
    """Where the page is in its store; good for a while only, so that the answer may be kept half as long."""
    etag = f'"{page.digest}"'
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={SIGNED_S // 2}"}
    if _has_it(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    headers["Location"] = await page.blobs.address(page.digest, request.method)
    return Response(status_code=307, headers=headers)


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


class BlobSlice(Response):
    """A part of a blob, read while it is sent."""

    def __init__(
        self, blob: OpenBlob, mime_type: str, part: tuple[int, int], status: int, headers: Mapping[str, str]
    ) -> None:
        self._blob, self._part = blob, part
        self.status_code, self.media_type, self.background = status, mime_type, None
        self.init_headers({**headers, "Content-Length": str(part[1] - part[0])})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it; of a HEAD the headers alone."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] != "HEAD":
                async for chunk in self._blob.chunks(*self._part):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self._blob.close()


def _has_it(if_none_match: str | None, etag: str) -> bool:
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in [
        part.strip().removeprefix("W/") for part in if_none_match.split(",")
    ]


def _usable_range(request: Request, etag: str) -> str | None:
    if_range = request.headers.get("if-range")
    return request.headers.get("range") if if_range in (None, etag) else None
