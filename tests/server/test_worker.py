"""From the committed session to the readable chapter, with real pages, processes and kills."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pyvips
from installations import blobs_of, database_url
from sqlalchemy import Row, insert, select, update

from mangadex_server.database import Database
from mangadex_server.jobs import MAX_ATTEMPTS, Job, Jobs
from mangadex_server.settings import Settings
from mangadex_server.states import State
from mangadex_server.tables import chapters, jobs, manga, metadata, pages, sessions, users
from mangadex_server.worker import KIND, Worker, log

NOW = 1_700_000_000.0
TIMES = {"created_at": NOW - 100, "updated_at": NOW - 100}
TITLE = str(uuid4())
USER = str(uuid4())


def page(number: int) -> bytes:
    noise = pyvips.Image.gaussnoise(1_100, 60, mean=128, sigma=40, seed=number)
    data: bytes = noise.cast("uchar").pngsave_buffer()
    return data


class Archive:
    """A database with committed sessions, and the worker for them. `on_read` sees the digest of each page first."""

    def __init__(self, path: Path, lease_s: float = 30.0) -> None:
        self.database = Database(database_url(path))
        self.blobs = blobs_of(path)
        self._read_blob = self.blobs.read
        self.blobs.read = self._read  # type: ignore[method-assign]
        self.on_read: Callable[[str], Awaitable[object]] | None = None
        self.settings = Settings.model_validate({"job_lease_s": lease_s, "job_memory_bytes": 512 << 20})
        self.now = NOW
        self.jobs = Jobs(self.database, self.settings, self.clock)

    def clock(self) -> float:
        return self.now

    async def _read(self, digest: str, /) -> bytes:
        if self.on_read:
            await self.on_read(digest)
        return await self._read_blob(digest)

    async def prepare(self) -> None:
        async with self.database.write() as connection:
            await connection.run_sync(metadata.create_all)
            await connection.execute(
                insert(users).values(id=USER, username="ann", password_hash="x", roles=[], **TIMES)
            )
            await connection.execute(insert(manga).values(id=TITLE, title="A", attributes={}, **TIMES))

    async def commit(self, contents: Sequence[bytes], **chapter: Any) -> str:
        """A committed session's chapter and job; returns the chapter's id."""
        chapter_id, session_id = str(uuid4()), str(uuid4())
        row = {
            "id": chapter_id,
            "manga_id": TITLE,
            "uploader_id": USER,
            "language": "en",
            "approved": True,
            "hash": "h",
        }
        session = {"id": session_id, "user_id": USER, "manga_id": TITLE, "chapter_id": chapter_id}
        async with self.database.write() as connection:
            await connection.execute(insert(chapters).values(row | TIMES | chapter))
            await connection.execute(insert(sessions).values(session | TIMES | {"state": State.COMMITTED}))
            for position, data in enumerate(contents):
                await connection.execute(insert(pages).values(await self._page(chapter_id, position, data)))
            await self.jobs.add(connection, kind=KIND, chapter_id=chapter_id, session_id=session_id)
        return chapter_id

    async def _page(self, chapter_id: str, position: int, data: bytes) -> dict[str, Any]:
        place = {"chapter_id": chapter_id, "position": position, "original_file_name": f"{position}.png"}
        image = {"size_bytes": len(data), "mime_type": "image/png", "width": 1_100, "height": 60}
        return place | image | {"blob": await self.blobs.write(data, "image/png")}

    async def lose_page(self, data: bytes) -> None:
        digest = hashlib.sha256(data).hexdigest()
        assert await asyncio.to_thread(self.blobs.delete_older, digest, math.inf)

    def worker(self) -> Worker:
        return Worker(self.database, self.blobs, self.jobs, self.settings, self.clock)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
        stop, hurry = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(self.worker().run(stop, hurry))
        try:
            yield stop, hurry
        finally:
            stop.set()
            await asyncio.wait_for(task, 60)

    async def work(self) -> None:
        """Until there is no job that could be claimed."""
        async with self.working():
            await self.until(lambda found: all(job.failed_reason or job.due_at > self.now for job in found))

    async def until(self, reached: Callable[[Sequence[Row[Any]]], bool]) -> None:
        async with asyncio.timeout(60):
            while not reached(await self.rows(jobs)):
                pass  # each look waits for the database

    async def rows(self, table: Any) -> Sequence[Row[Any]]:
        async with self.database.read() as connection:
            return (await connection.execute(select(table))).all()

    async def one(self, table: Any) -> Row[Any]:
        (row,) = await self.rows(table)
        return row


def run(path: Path, case: Callable[[Archive], Awaitable[None]], lease_s: float = 30.0) -> None:
    async def whole() -> None:
        archive = Archive(path, lease_s)
        try:
            await archive.prepare()
            await case(archive)
        finally:
            await archive.database.close()

    asyncio.run(whole())


def test_pages_get_their_savers_and_the_chapter_is_readable(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(number) for number in range(3)])
        await archive.work()
        chapter, session = await archive.one(chapters), await archive.one(sessions)
        assert (chapter.page_count, chapter.readable_at, chapter.broken_reason) == (3, NOW, None)
        assert (session.state, session.updated_at) == (State.PROCESSED, NOW)
        assert await archive.rows(jobs) == []
        savers = [row.saver_blob for row in await archive.rows(pages)]
        assert len(set(savers)) == 3
        for digest in savers:
            saver = pyvips.Image.new_from_buffer(await archive.blobs.read(digest), "")
            assert (saver.width, saver.get("vips-loader")) == (980, "jpegload_buffer")

    run(tmp_path, case)


@pytest.mark.parametrize(("publish_at", "readable_at"), [(NOW + 500, NOW + 500), (NOW - 500, NOW)])
def test_the_time_of_publication(tmp_path: Path, publish_at: float, readable_at: float) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)], publish_at=publish_at)
        await archive.work()
        assert (await archive.one(chapters)).readable_at == readable_at

    run(tmp_path, case)


def test_a_chapter_without_pages_is_finished_at_once(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([], external_url="https://example.org/1")
        await archive.work()
        chapter = await archive.one(chapters)
        assert (chapter.page_count, chapter.readable_at, chapter.broken_reason) == (0, NOW, None)
        assert (await archive.one(sessions)).state == State.PROCESSED

    run(tmp_path, case)


def test_a_broken_page_leaves_the_chapter_unpublished_and_the_next_chapter_alone(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        broken = await archive.commit(
            [page(1), page(2), page(3)[:-3_000]], readable_at=5.0
        )  # an edit of a readable one
        good = await archive.commit([page(4)])
        await archive.work()
        found = {row.id: row for row in await archive.rows(chapters)}
        assert found[broken].broken_reason.startswith("page 3 (2.png): it cannot be decoded")
        assert (found[broken].readable_at, found[broken].page_count) == (None, 0)
        assert found[good].readable_at == NOW
        assert {row.state for row in await archive.rows(sessions)} == {State.PROCESSED}
        assert await archive.rows(jobs) == []

    run(tmp_path, case)


def test_a_mended_chapter_is_not_broken_any_more(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)], broken_reason="page 1 (0.png): before the edit")
        await archive.work()
        chapter = await archive.one(chapters)
        assert (chapter.readable_at, chapter.broken_reason) == (NOW, None)

    run(tmp_path, case)


def test_a_missing_blob_is_tried_again_and_does_not_break_the_chapter(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)])
        await archive.lose_page(page(1))
        await archive.work()
        assert (await archive.one(chapters)).broken_reason is None
        assert (await archive.one(sessions)).state == State.COMMITTED
        await archive.blobs.write(page(1), "image/png")
        archive.now += 1_000
        await archive.work()
        assert (await archive.one(chapters)).readable_at == NOW + 1_000

    run(tmp_path, case)


def test_who_gives_a_chapter_up_leaves_the_reason_on_it_until_a_retry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def case(archive: Archive) -> None:
        chapter_id = await archive.commit([page(1)])
        await archive.lose_page(page(1))
        for _ in range(MAX_ATTEMPTS):
            await archive.work()
            archive.now += 1_000
        reason = str((await archive.one(chapters)).broken_reason)
        assert reason.startswith("its processing was given up (FileNotFoundError: ")
        assert any(chapter_id in said.message and said.levelname == "WARNING" for said in caplog.records)
        await archive.blobs.write(page(1), "image/png")
        await archive.jobs.retry((await archive.one(jobs)).id)
        await archive.work()
        chapter = await archive.one(chapters)
        assert (chapter.readable_at, chapter.broken_reason) == (archive.now, None)

    run(tmp_path, case)


def test_hurry_wakes_an_idle_worker(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        async with archive.working() as (_, hurry):
            for number in range(3):
                await archive.commit([page(number)])
                hurry.set()
                await archive.until(lambda found: not found)
        assert len(await archive.rows(chapters)) == 3

    run(tmp_path, case)


def test_stop_gives_the_job_back_after_the_page_at_hand(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1), page(2)])
        reads: list[str] = []

        async with archive.working() as (stop, _):

            async def stop_now(digest: str) -> None:
                reads.append(digest)
                stop.set()

            archive.on_read = stop_now
            await asyncio.wait_for(stop.wait(), 60)
        job = await archive.one(jobs)
        assert len(reads) == 1
        assert (job.owner, job.attempts, job.lease_until) == (None, 0, 0)
        archive.on_read = None
        await archive.work()
        assert (await archive.one(chapters)).page_count == 2

    run(tmp_path, case)


def test_a_long_job_keeps_its_lease(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)])

        async def until_renewed(_: str) -> None:
            archive.now += 0.2
            await archive.until(lambda found: found[0].lease_until == archive.now + 0.3)

        archive.on_read = until_renewed
        await archive.work()
        assert (await archive.one(chapters)).page_count == 1

    run(tmp_path, case, lease_s=0.3)


def test_a_worker_that_lost_its_lease_writes_nothing(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)])
        taken: list[Job | None] = []

        async def taken_over(_: str) -> None:
            archive.now += archive.settings.job_lease_s
            taken.append(await archive.jobs.claim("another", KIND))

        archive.on_read = taken_over
        async with archive.working():
            await archive.until(lambda _: bool(taken))
        job = await archive.one(jobs)
        assert (job.owner, job.attempts) == ("another", 2)
        assert (await archive.one(chapters)).readable_at is None
        assert (await archive.one(pages)).saver_blob is None
        assert (await archive.one(sessions)).state == State.COMMITTED

    run(tmp_path, case)


def test_an_edit_that_came_meanwhile_is_left_to_its_own_job(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)])
        other = await archive.blobs.write(page(2), "image/png")

        async def edited(_: str) -> None:
            async with archive.database.write() as connection:
                await connection.execute(update(pages).values(blob=other))

        archive.on_read = edited
        await archive.work()
        assert (await archive.one(pages)).saver_blob is None
        assert (await archive.one(chapters)).readable_at is None
        assert (await archive.one(sessions)).state == State.PROCESSED

    run(tmp_path, case)


def test_many_jobs_and_two_workers(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        for number in range(12):
            await archive.commit([page(number)])
        reads: list[str] = []

        async def count(digest: str) -> None:
            reads.append(digest)

        archive.on_read = count
        async with archive.working():
            await archive.work()
        assert len(reads) == len(set(reads)) == 12
        assert {row.readable_at for row in await archive.rows(chapters)} == {NOW}

    run(tmp_path, case)


HANGING = """
import asyncio, sys
from pathlib import Path
from test_worker import Archive

async def main():
    archive, reads = Archive(Path(sys.argv[1])), []
    archive.now = float(sys.argv[2])

    async def hang_at_the_second(digest):
        reads.append(digest)
        if len(reads) == 2:
            print("in mid-job", flush=True)
            await asyncio.Event().wait()

    archive.on_read = hang_at_the_second
    await archive.worker().run(asyncio.Event(), asyncio.Event())

asyncio.run(main())
"""


def test_a_worker_killed_in_mid_job_is_taken_over_after_its_lease(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1), page(2)])
        await asyncio.to_thread(_start_and_kill, tmp_path)
        assert await archive.jobs.claim("too early", KIND) is None
        archive.now += archive.settings.job_lease_s
        await archive.work()
        chapter = await archive.one(chapters)
        assert (chapter.page_count, chapter.readable_at) == (2, archive.now)
        assert (await archive.one(sessions)).state == State.PROCESSED

    run(tmp_path, case)


def _start_and_kill(path: Path) -> None:
    command = [sys.executable, "-c", HANGING, str(path), str(NOW)]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=found) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "in mid-job\n"
        finally:
            process.kill()


class Logged(logging.Handler):
    """Says when something was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.event.set()


def test_a_database_that_is_away_for_a_while_does_not_end_the_worker(tmp_path: Path) -> None:
    async def case(archive: Archive) -> None:
        await archive.commit([page(1)])
        await _rename(archive, "jobs", "away")
        logged = Logged()
        log.addHandler(logged)
        async with archive.working() as (_, hurry):
            await asyncio.wait_for(logged.event.wait(), 60)
            log.removeHandler(logged)
            await _rename(archive, "away", "jobs")
            hurry.set()
            await archive.until(lambda found: not found)
        assert (await archive.one(chapters)).page_count == 1

    run(tmp_path, case)


async def _rename(archive: Archive, before: str, after: str) -> None:
    async with archive.database.write() as connection:
        await connection.exec_driver_sql(f"ALTER TABLE {before} RENAME TO {after}")
