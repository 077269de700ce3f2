"""Memory while many upload at once, and a usual upload beside very slow ones (`benchmarks/memory.py` in short)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from uploading import FILE_HEAD, Service, form, png, service

from mangadex_server.settings import MIB

CLIENTS = 32
CRAWLERS = 300  # each is a descriptor on both sides
PAGE_BYTES = 20 * MIB - 1000
KIND = "Content-Type: multipart/form-data; boundary=b"


@pytest.fixture
def roomy(tmp_path: Path) -> Iterator[Service]:
    with service(tmp_path / "data", max_session_bytes=10**10) as running:
        yield running


def peak_bytes(process: int) -> int:
    [line] = [line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


def test_memory_is_bounded_while_half_of_the_clients_are_slow(roomy: Service) -> None:
    session = roomy.alice.session()
    body = form(('name="a"; filename="a"', png(0, PAGE_BYTES)))
    head = f"POST /upload/{session} HTTP/1.1\r\n{KIND}\r\nContent-Length: {len(body)}"

    def upload(_number: int) -> bytes:
        with roomy.send(head, body) as connection:
            return connection.recv(12)

    with ThreadPoolExecutor(CLIENTS) as pool, contextlib.ExitStack() as stalled:
        for connection in pool.map(lambda _number: roomy.send(head, body[: len(body) // 2]), range(CLIENTS // 2)):
            stalled.enter_context(connection)
        assert list(pool.map(upload, range(CLIENTS // 2))) == [b"HTTP/1.1 200"] * (CLIENTS // 2)
    [serving] = Path(f"/proc/{roomy.program}/task/{roomy.program}/children").read_text().split()
    assert peak_bytes(int(serving)) < 300 * 10**6


def test_a_usual_upload_is_not_stopped_by_crowds_that_crawl(roomy: Service) -> None:
    session = roomy.alice.session()
    head = f"POST /upload/{session} HTTP/1.1\r\n{KIND}\r\nContent-Length: {PAGE_BYTES}"
    with contextlib.ExitStack() as crowd:
        for _ in range(CRAWLERS):
            crowd.enter_context(roomy.send(head, b"--b\r\n" + FILE_HEAD)).sendall(b"x")
        answer = roomy.alice.put(session, *((str(number), png(number, MIB)) for number in range(10)))
        assert len(answer.raise_for_status().json()["data"]) == 10
