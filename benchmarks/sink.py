"""A server that drops what it is sent as fast as it can, and answers like the Upload API. For `client.py`.

Takes HTTP/1.1 with Content-Length on a free port of the loopback, and prints the port. Ends with its standard input.
"""

from __future__ import annotations

import asyncio
import re
import sys
from typing import cast

BUFFER_BYTES = 1 << 20
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_SESSION = (
    b'{"result":"ok","response":"entity","data":{"id":"11111111-1111-4111-8111-111111111111","type":"upload_session",'
    b'"attributes":{"isCommitted":false,"isProcessed":false,"isDeleted":false,"version":1,'
    b'"createdAt":"2026-01-01T00:00:00+00:00","updatedAt":"2026-01-01T00:00:00+00:00"},"relationships":['
    b'{"id":"22222222-2222-4222-8222-222222222222","type":"user"},'
    b'{"id":"33333333-3333-4333-8333-333333333333","type":"manga"},'
    b'{"id":"44444444-4444-4444-8444-444444444444","type":"scanlation_group"}]}}'
)
_STORED = b'{"result":"ok","errors":[],"data":[]}'


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


_ANSWERS = {True: _answer(_SESSION), False: _answer(_STORED)}


class Sink(asyncio.BufferedProtocol):
    """One connection: a head is collected, its body is counted and overwritten by what follows."""

    def __init__(self) -> None:
        self._buffer = memoryview(bytearray(BUFFER_BYTES))
        self._head = bytearray()
        self._body_left = 0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.Transport, transport)

    def get_buffer(self, _sizehint: int) -> memoryview:
        """The same memory every time."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Drop body bytes, and answer where a request ends."""
        start = 0
        while start < nbytes:
            if not self._body_left:
                start = self._take_head(start, nbytes)
            dropped = min(self._body_left, nbytes - start)
            start += dropped
            self._body_left -= dropped
            if self._answer and not self._body_left:
                self._transport.write(self._answer)
                self._answer = b""

    def _take_head(self, start: int, end: int) -> int:
        """Where the body begins; the end if the head is not complete."""
        self._head += self._buffer[start:end]
        head, found, rest = self._head.partition(b"\r\n\r\n")
        if not found:
            return end
        length = _LENGTH.search(head)
        self._body_left = int(length[1]) if length else 0
        self._answer = _ANSWERS[head.startswith(b"GET ")]
        self._head.clear()
        return end - len(rest)


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)  # until whoever started it ends


if __name__ == "__main__":
    asyncio.run(main())
