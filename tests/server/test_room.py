"""Room for pages: on the disk, in the session. What has none is refused before it is stored."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from installations import blobs_of, settings_of
from program import sandbox
from uploading import Caller, Service, form, png, service

from mangadex_server.arriving import WRITE_BYTES, Arriving, Means, MemoryBudget
from mangadex_server.part_names import PartName
from mangadex_server.settings import MIB

SESSION_FILES = 4
SESSION_BYTES = 50_000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    limits = {"max_session_files": SESSION_FILES, "max_session_bytes": SESSION_BYTES}
    with service(tmp_path_factory.mktemp("room") / "data", **limits) as running:
        yield running


def names(answer: httpx2.Response) -> list[str]:
    return [str(file["attributes"]["originalFileName"]) for file in answer.raise_for_status().json()["data"]]


def test_pages_beyond_the_files_of_a_session_are_not_stored(small: Service) -> None:
    session = small.alice.session()
    pages = [png(number) for number in range(SESSION_FILES + 2)]
    answer = small.alice.put(session, *((str(number), page) for number, page in enumerate(pages)))
    assert names(answer) == list("0123")
    assert len(answer.json()["errors"]) == 2
    assert small.stored(*pages) == [True] * SESSION_FILES + [False] * 2


def test_pages_beyond_the_bytes_of_a_session_are_not_stored(small: Service) -> None:
    session = small.alice.session()
    pages = [png(100, 30_000), png(101, 30_000), png(102)]
    answer = small.alice.put(session, *((str(number), page) for number, page in enumerate(pages)))
    assert names(answer) == ["0", "2"]
    assert small.stored(*pages) == [True, False, True]


def test_what_is_no_page_takes_no_room(small: Service) -> None:
    session = small.alice.session()
    bad, large = [(f"bad{number}", b"no image") for number in range(3)], ("large", b"x" * (SESSION_BYTES - 100))
    good = [(str(number), png(200 + number)) for number in range(SESSION_FILES)]
    answer = small.alice.put(session, *bad, large, *good)
    assert names(answer) == list("0123")
    assert len(answer.json()["errors"]) == 4


def test_a_full_session_refuses_before_the_bytes(small: Service) -> None:
    session = small.alice.session()
    names(small.alice.put(session, *((str(number), png(number)) for number in range(SESSION_FILES))))
    head = f"POST /upload/{session} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000"
    with small.send(head, b"") as connection:
        answer = connection.recv(1 << 16)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"at most 4 files" in answer


def test_without_room_on_the_disk_nothing_begins_and_nothing_is_received(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with service(data) as before:
        chapter = before.alice.chapter(png(1))["id"]
        session = before.alice.session()
        token = before.alice.token
    with sandbox(data, MANGADEX_SERVER_DISK_FLOOR_BYTES=str(1 << 60)) as running:
        alice = Caller(running.url, token)
        statuses = [
            alice.begin().status_code,
            alice.json("POST", f"/upload/begin/{chapter}", {"version": 1}).status_code,
            alice.put(session, ("2", png(2))).status_code,
        ]
        unfinished = f"POST /upload/{session} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        served = Service(running, data, {"alice": token, "mallory": token})
        with served.send(f"{unfinished}Content-Length: 100000", form()) as connection:
            assert connection.recv(1 << 16).startswith(b"HTTP/1.1 507 ")
        served.close()
        alice.http.close()
    assert statuses == [507, 507, 507]


def test_pages_over_their_limit_close_what_is_theirs_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    blobs = blobs_of(tmp_path)
    whole = bytes(WRITE_BYTES)
    with ThreadPoolExecutor(8) as threads:
        means = Means(blobs, settings_of(tmp_path, max_file_bytes=MIB), MemoryBudget(96 * MIB), threads)

        async def one(wait_s: float) -> None:
            page = Arriving(PartName("x"), means)
            await page.add(whole)
            _busy(wait_s)
            await page.add(b"y")
            _busy(wait_s)
            page.drop()
            await page.at_rest()

        async def many() -> None:
            for _ in range(500):
                await one(random.uniform(0, 0.0015))

        with caplog.at_level(logging.ERROR, "concurrent.futures"):
            asyncio.run(many())
    assert [record.exc_info for record in caplog.records] == []
    assert list((tmp_path / "blobs" / "incoming").iterdir()) == []


def _busy(for_s: float) -> None:
    until = time.perf_counter() + for_s
    while time.perf_counter() < until:
        time.sleep(0)
