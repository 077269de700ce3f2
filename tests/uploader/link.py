"""The network between a program and the service, in a thread: slow where told, and cut at chosen requests.

It understands just enough HTTP/1.1 to know where a request begins and ends, and changes nothing in it.
"""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Self, TypeAlias

PIECE = 16_384

Arriving: TypeAlias = "asyncio.Queue[tuple[float, bytes] | None]"
QUEUE_S = 0.02  # so much waits in the link itself: a late wake-up must not leave it idle
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Cut(Enum):
    """Where a request meets its end, or what else becomes of it."""

    BEFORE = "before the service sees it"
    IN_REQUEST = "half of the request arrived"
    AFTER = "the service acted, and no answer came back"
    IN_ANSWER = "half of the answer came back"
    STALL = "half of the request arrived, then nothing moves"
    FLIP = "a bit of the request is another when it arrives"


@dataclass(slots=True)
class Fault:
    """What happens to `times` requests after the first `after` ones that match; `then` is called first."""

    cut: Cut
    method: str
    path: str
    after: int = 0
    times: int = 1
    then: Callable[[], None] = lambda: None

    def meets(self, method: str, path: str) -> bool:
        """Count a request, and tell whether it is met."""
        if not self.times or self.method != method or not re.fullmatch(self.path, path):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Answered:
    """A request whose answer went over the link: when its head had come, and when all of the answer was delivered."""

    method: str
    path: str
    came_at: float
    answered_at: float


@dataclass
class _Lane:
    """One direction: a shared rate, and a delay for each byte."""

    bytes_per_s: float
    delay_s: float
    free_at: float = 0.0

    async def carry(self, data: bytes) -> float:
        """Wait until the link takes them; returns when they arrive."""
        if self.bytes_per_s:
            self.free_at = max(self.free_at, time.monotonic()) + len(data) / self.bytes_per_s
            if (ahead_s := self.free_at - time.monotonic()) > QUEUE_S:
                await asyncio.sleep(ahead_s - QUEUE_S / 2)
        return max(self.free_at, time.monotonic()) + self.delay_s


@dataclass
class Link:
    """Listens on a free port and forwards to the service at `port`.

    `rtt_s` is the delay there and back, `bytes_per_s` the rate of each direction (0: unlimited).
    """

    port: int
    bytes_per_s: float = 0.0
    rtt_s: float = 0.0
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    put_bytes: int = 0
    """Of the bodies of requests that send pages, as far as they went over the link."""
    answered: list[Answered] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._up = _Lane(self.bytes_per_s, self.rtt_s / 2)
        self._down = _Lane(self.bytes_per_s, self.rtt_s / 2)
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), daemon=True)
        self._thread.start()
        assert started.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def fail(self, cut: Cut, method: str, path: str, **when: int | Callable[[], None]) -> None:
        """Add a fault."""
        self.faults.append(Fault(cut, method, path, **when))  # type: ignore[arg-type]  # as Fault has them

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.own_port}"

    async def _serve(self, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._connections: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.own_port = server.sockets[0].getsockname()[1]
        started.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    while await self._exchange(reader, writer, upstream_reader, upstream_writer):
                        pass
                finally:
                    upstream_writer.transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _exchange(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        upstream_reader: asyncio.StreamReader,
        upstream_writer: asyncio.StreamWriter,
    ) -> bool:
        """One request and its answer; whether the connection goes on."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        path = target.partition("?")[0]
        self.requests.append((method, path))
        came_at = time.monotonic()
        fault = next((fault for fault in self.faults if fault.meets(method, path)), None)
        cut = fault.cut if fault else None
        if fault and cut is Cut.BEFORE:
            fault.then()
            return False
        length = _length_of(head)
        there = length // 2 if cut in (Cut.IN_REQUEST, Cut.STALL) else length
        sends_pages = method == "POST" and re.fullmatch(r"/upload/[0-9a-f-]{36}", path) is not None
        flip_at = length // 2 if cut is Cut.FLIP else None
        await self._forward(head, reader, upstream_writer, there, self._up, counts=sends_pages, flip_at=flip_at)
        if fault and cut in (Cut.IN_REQUEST, Cut.STALL):
            fault.then()
            if cut is Cut.STALL:
                await self._stop.wait()
            return False
        answer = await upstream_reader.readuntil(b"\r\n\r\n")
        length = _length_of(answer)
        if fault and cut is Cut.AFTER:
            await upstream_reader.readexactly(length)
            fault.then()
            return False
        back = length // 2 if cut is Cut.IN_ANSWER else length
        await self._forward(answer, upstream_reader, writer, back, self._down)
        self.answered.append(Answered(method, path, came_at, time.monotonic()))
        if fault:
            fault.then()
        return cut in {None, Cut.FLIP}

    async def _forward(
        self,
        head: bytes,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        length: int,
        lane: _Lane,
        *,
        counts: bool = False,
        flip_at: int | None = None,
    ) -> None:
        """Send on what has arrived, each piece when its time has come, without waiting for one to send the next."""
        arriving: Arriving = asyncio.Queue(maxsize=4096)
        delivery = asyncio.create_task(_deliver(arriving, target))
        try:
            await arriving.put((await lane.carry(head), head))
            while length:
                piece = await source.read(min(PIECE, length))
                if not piece:
                    raise ConnectionResetError
                length -= len(piece)
                if flip_at is not None and 0 <= length - flip_at < len(piece):
                    piece = bytes([piece[0] ^ 1]) + piece[1:]
                if counts:
                    self.put_bytes += len(piece)
                await arriving.put((await lane.carry(piece), piece))
            await arriving.put(None)
            await delivery
        finally:
            delivery.cancel()


async def _deliver(arriving: Arriving, target: asyncio.StreamWriter) -> None:
    while (item := await arriving.get()) is not None:
        at, data = item
        if (wait_s := at - time.monotonic()) > 0.0005:
            await asyncio.sleep(wait_s)
        target.write(data)
        await target.drain()


def _length_of(head: bytes) -> int:
    found = _LENGTH.search(head)
    return int(found.group(1)) if found else 0
