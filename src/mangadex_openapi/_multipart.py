"""Pages as a multipart/form-data body: streamed, of known length, readable again for a retry."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator

import httpx2

from mangadex_openapi._pages import Page

_NEW_LINE = "\r\n"
_ESCAPES = str.maketrans({'"': "%22"})


class MultipartBody(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """Parts `file1`, `file2`, … with filename and type; the boundary needs no quotes (contract 4.3)."""

    def __init__(self, pages: list[Page]) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        self._parts = [(_part_head(boundary, number, page), page) for number, page in enumerate(pages, start=1)]
        self._end = f"{_NEW_LINE if pages else ''}--{boundary}--{_NEW_LINE}".encode()
        self.content_length = len(self._end) + sum(len(head) + page.source.size for head, page in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for head, page in self._parts:
            yield head
            yield from page.source.chunks()
        yield self._end

    async def __aiter__(self) -> AsyncIterator[bytes]:
        import asyncio  # noqa: PLC0415 - a tenth of the package's import time, and only the async client needs it

        chunks = iter(self)
        while chunk := await asyncio.to_thread(next, chunks, b""):
            yield chunk


def _part_head(boundary: str, number: int, page: Page) -> bytes:
    name = page.name.translate(_ESCAPES)
    return (
        f"{_NEW_LINE if number > 1 else ''}--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file{number}"; filename="{name}"\r\n'
        f"Content-Type: {page.mime_type}\r\n\r\n"
    ).encode()
