"""The way from a client to the service in `upload.py`: `upload_link.py PORT BYTES_PER_S RTT_S`.

Prints the port that it listens on. To `clock` on its input it answers with the seconds from the first request to the
commit's answer, and forgets both; to `forget` it only forgets. Without limits (both 0) the kernel moves the bytes
(splice), so that a client on the loopback is not slowed.
"""

from __future__ import annotations

import fcntl
import os
import re
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Protocol

sys.path.append(str(Path(__file__).parents[1] / "tests" / "uploader"))

from link import Answered, Link

PIPE_BYTES = 1 << 20
HEAD_BYTES = 4096
_HEAD = re.compile(rb"(GET|POST|PUT|DELETE) (/[^ ?]*)[^ ]* HTTP/1\.1\r\n")
_COMMIT = re.compile(r"/upload/[0-9a-f-]{36}/commit")


class Way(Protocol):
    """Notes what goes over it."""

    answered: list[Answered]


class Relay:
    """Forwards as fast as the kernel can, and looks at nothing but the heads of requests."""

    def __init__(self, port: int) -> None:
        self.answered: list[Answered] = []
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.own_port = int(self._listener.getsockname()[1])
        Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            service = socket.create_connection(("127.0.0.1", self._port))
            for end in (client, service):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Connection(client, service, self.answered)


class Connection:
    """One client's connection, with a thread for each direction. One request at a time is on it (HTTP/1.1)."""

    def __init__(self, client: socket.socket, service: socket.socket, answered: list[Answered]) -> None:
        self._client, self._service, self._answered = client, service, answered
        self._open: tuple[str, str, float] | None = None
        Thread(target=self._up, daemon=True).start()
        Thread(target=self._down, daemon=True).start()

    def _up(self) -> None:
        with _pipe() as ends:
            while self._note_request() and _move(self._client, self._service, ends):
                pass
        with suppress(OSError):
            self._service.shutdown(socket.SHUT_WR)

    def _down(self) -> None:
        with _pipe() as ends:
            while _move(self._service, self._client, ends):
                if self._open is not None:  # an answer in two pieces is noted twice; the later one counts
                    self._answered.append(Answered(*self._open, time.monotonic()))
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_WR)

    def _note_request(self) -> bool:
        """Wait for bytes; whether there are any."""
        try:
            head = self._client.recv(HEAD_BYTES, socket.MSG_PEEK)
        except OSError:
            return False
        if found := _HEAD.match(head):
            self._open = (found[1].decode(), found[2].decode(), time.monotonic())
        return bool(head)


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        yield ends
    finally:
        for end in ends:
            os.close(end)


def _move(source: socket.socket, target: socket.socket, ends: tuple[int, int]) -> bool:
    """Forward what has come; False at the end."""
    try:
        left = moved = os.splice(source.fileno(), ends[1], PIPE_BYTES)
        while left:
            left -= os.splice(ends[0], target.fileno(), left)
    except OSError:  # one of them is gone
        return False
    return moved > 0


def clock_s(way: Way) -> float:
    """From the first request to the commit's answer."""
    commits = [it for it in way.answered if it.method == "POST" and _COMMIT.fullmatch(it.path)]
    if not commits:
        raise SystemExit("No commit was answered.")
    return max(it.answered_at for it in commits) - min(it.came_at for it in way.answered)


def serve(way: Way, own_port: int) -> None:
    """Until the input ends."""
    print(own_port, flush=True)
    for line in sys.stdin:
        print(clock_s(way) if line.strip() == "clock" else "forgotten", flush=True)
        way.answered.clear()


def main(port: int, bytes_per_s: float, rtt_s: float) -> None:
    """Listen."""
    if not bytes_per_s and not rtt_s:
        relay = Relay(port)
        serve(relay, relay.own_port)
        return
    with Link(port, bytes_per_s=bytes_per_s, rtt_s=rtt_s) as link:
        serve(link, link.own_port)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))
