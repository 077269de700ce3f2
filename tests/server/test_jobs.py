"""The queue on a real database, with a clock of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from installations import database_url
from sqlalchemy import insert, select
from test_program import quick

from mangadex_server.database import Database
from mangadex_server.errors import InConflict, NotFound
from mangadex_server.jobs import MAX_ATTEMPTS, RETRY_S, Job, Jobs, Listed, Standing
from mangadex_server.migrate import migrate
from mangadex_server.settings import Settings
from mangadex_server.states import State
from mangadex_server.tables import chapters, jobs, manga, metadata, sessions, users

KIND = "process_chapter"
LEASE_S = 30.0
LATER_S = 10_000.0


class Clock:
    """Stands still."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Queue:
    """The queue with what its rows refer to."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.clock = Clock()
        self.jobs = Jobs(database, Settings.model_validate({"job_lease_s": LEASE_S}), self.clock)
        self.session_id = str(uuid4())
        self.chapter_id = str(uuid4())

    async def prepare(self) -> None:
        async with self.database.write() as connection:
            await connection.run_sync(metadata.create_all)
            user, title = str(uuid4()), str(uuid4())
            times = {"created_at": 0.0, "updated_at": 0.0}
            await connection.execute(
                insert(users).values(id=user, username="ann", password_hash="x", roles=[], **times)
            )
            await connection.execute(insert(manga).values(id=title, title="A", attributes={}, **times))
            await connection.execute(
                insert(chapters).values(
                    id=self.chapter_id,
                    manga_id=title,
                    uploader_id=user,
                    language="en",
                    approved=True,
                    hash="h",
                    **times,
                )
            )
            await connection.execute(
                insert(sessions).values(
                    id=self.session_id, user_id=user, manga_id=title, state=State.COMMITTED, **times
                )
            )

    async def add(self, kind: str = KIND, due_in_s: float = 0.0) -> None:
        async with self.database.write() as connection:
            self.clock.now += due_in_s
            await self.jobs.add(connection, kind=kind, chapter_id=self.chapter_id, session_id=self.session_id)
            self.clock.now -= due_in_s

    async def take(self, owner: str = "one") -> Job:
        job = await self.jobs.claim(owner, KIND)
        assert job
        return job

    async def finish(self, job: Job) -> bool:
        async with self.database.write() as connection:
            return await self.jobs.finish(connection, job)

    async def reasons(self) -> list[str | None]:
        async with self.database.read() as connection:
            return list((await connection.execute(select(jobs.c.failed_reason))).scalars())


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Queue]:
    queue = Queue(Database(database_url(path)))
    try:
        await queue.prepare()
        yield queue
    finally:
        await queue.database.close()


def run(path: Path, case: Callable[[Queue], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with opened(path) as queue:
            await case(queue)

    asyncio.run(whole())


def test_300_jobs_and_four_claimers(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        async with queue.database.write() as connection:
            for _ in range(300):
                await queue.jobs.add(connection, kind=KIND, chapter_id=queue.chapter_id, session_id=queue.session_id)
        claimed: list[str] = []

        async def claimer(number: int) -> None:
            while job := await queue.jobs.claim(f"claimer {number}", KIND):
                claimed.append(job.id)
                assert await queue.finish(job)

        await asyncio.gather(*(claimer(number) for number in range(4)))
        assert set(Counter(claimed).values()) == {1}
        assert len(claimed) == 300
        assert await queue.reasons() == []

    run(tmp_path, case)


def test_the_row_is_there_only_with_its_transaction(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        async def add_and_fail() -> None:
            async with queue.database.write() as connection:
                await queue.jobs.add(connection, kind=KIND, chapter_id=queue.chapter_id, session_id=queue.session_id)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await add_and_fail()
        assert await queue.jobs.claim("one", KIND) is None

    run(tmp_path, case)


def test_what_is_claimed(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add(kind="other")
        await queue.add(due_in_s=5)
        assert await queue.jobs.claim("one", KIND) is None
        queue.clock.now += 5
        job = await queue.take()
        assert (job.kind, job.chapter_id, job.session_id) == (KIND, queue.chapter_id, queue.session_id)
        assert (job.owner, job.attempts) == ("one", 1)

    run(tmp_path, case)


def test_those_that_wait_longest_come_first(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        for due_in_s in (-1, -3, -2):
            await queue.add(due_in_s=due_in_s)
        ids = [(await queue.take()).id for _ in range(3)]
        async with queue.database.read() as connection:
            assert ids == list((await connection.execute(select(jobs.c.id).order_by(jobs.c.due_at))).scalars())

    run(tmp_path, case)


def test_a_vanished_claimers_job_is_taken_over_after_its_lease(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        lost = await queue.take("one")
        queue.clock.now += LEASE_S - 0.001
        assert await queue.jobs.claim("two", KIND) is None
        queue.clock.now += 0.001
        taken = await queue.take("two")
        assert (taken.id, taken.attempts) == (lost.id, 2)

    run(tmp_path, case)


def test_a_renewed_lease_holds(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        job = await queue.take("one")
        for _ in range(5):
            queue.clock.now += LEASE_S * 0.9
            assert await queue.jobs.renew(job)
            assert await queue.jobs.claim("two", KIND) is None
        assert await queue.finish(job)

    run(tmp_path, case)


def test_who_lost_the_lease_changes_nothing(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        for new_owner in ("two", "one"):  # another, and the same one again: the attempt tells them apart
            lost = await queue.take("one")
            queue.clock.now += LEASE_S
            held = await queue.take(new_owner)
            assert not await queue.jobs.renew(lost)
            assert not await queue.finish(lost)
            assert not await queue.jobs.give_back(lost)
            assert not await queue.jobs.fail(lost, "no")
            assert await queue.jobs.renew(held)
            assert await queue.jobs.give_back(held)

    run(tmp_path, case)


def test_a_job_that_is_given_back_can_be_taken_at_once_and_has_not_been_tried(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        for _ in range(MAX_ATTEMPTS + 1):
            assert await queue.jobs.give_back(await queue.take())
        assert (await queue.take("two")).attempts == 1

    run(tmp_path, case)


def test_after_a_job_was_given_back_the_owner_tells_equal_attempts_apart(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        before = await queue.take("one")
        assert await queue.jobs.give_back(before)
        held = await queue.take("two")
        assert held.attempts == before.attempts
        assert not await queue.jobs.renew(before)
        assert not await queue.finish(before)
        assert await queue.finish(held)

    run(tmp_path, case)


def test_a_job_that_fails_waits_and_is_given_up_in_the_end(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        for attempt in range(1, MAX_ATTEMPTS + 1):
            assert await queue.reasons() == [None]
            assert await queue.jobs.fail(await queue.take(), f"attempt {attempt}")
            assert await queue.jobs.claim("two", KIND) is None
            queue.clock.now += RETRY_S * attempt
        queue.clock.now += LATER_S
        assert await queue.jobs.claim("two", KIND) is None
        assert await queue.reasons() == [f"attempt {MAX_ATTEMPTS}"]

    run(tmp_path, case)


def test_a_job_that_kills_its_workers_is_given_up(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        for _ in range(MAX_ATTEMPTS):
            await queue.take()
            queue.clock.now += LEASE_S
        assert await queue.jobs.claim("two", KIND) is None
        assert await queue.reasons() == [f"its workers ended {MAX_ATTEMPTS} times without a result"]

    run(tmp_path, case)


def test_the_last_attempt_is_not_given_up_while_it_runs(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        await queue.add()
        for _ in range(MAX_ATTEMPTS):
            queue.clock.now += LEASE_S
            job = await queue.take()
        assert await queue.jobs.claim("two", KIND) is None
        assert await queue.reasons() == [None]
        assert await queue.finish(job)

    run(tmp_path, case)


async def given_up(queue: Queue) -> Listed:
    await queue.add()
    for attempt in range(1, MAX_ATTEMPTS + 1):
        assert await queue.jobs.fail(await queue.take(), "the disk is full")
        queue.clock.now += RETRY_S * attempt
    [job] = await queue.jobs.listed()
    return job


def test_what_is_listed_and_counted(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        lost = await given_up(queue)
        await queue.add(due_in_s=60)
        await queue.add()
        running = await queue.take()
        listed = {job.id: job for job in await queue.jobs.listed()}
        assert listed[lost.id] == lost
        assert (lost.attempts, lost.is_running, lost.failed_reason) == (MAX_ATTEMPTS, False, "the disk is full")
        assert (listed[running.id].is_running, listed[running.id].chapter_id) == (True, queue.chapter_id)
        [waiting] = [job for job in listed.values() if job.id not in (lost.id, running.id)]
        assert (waiting.is_running, waiting.attempts, waiting.due_at) == (False, 0, queue.clock.now + 60)
        assert await queue.jobs.standing() == Standing(jobs_waiting=2, jobs_given_up=1, open_sessions=0)

    run(tmp_path, case)


def test_a_job_that_was_given_up_is_tried_again_from_the_beginning(tmp_path: Path) -> None:
    async def case(queue: Queue) -> None:
        lost = await given_up(queue)
        await queue.jobs.retry(lost.id)
        for attempt in range(1, MAX_ATTEMPTS + 1):
            job = await queue.take()
            assert (job.id, job.attempts) == (lost.id, attempt)
            with pytest.raises(InConflict):
                await queue.jobs.retry(lost.id)
            assert await queue.jobs.fail(job, "still full")
            queue.clock.now += RETRY_S * attempt
        assert await queue.reasons() == ["still full"]
        with pytest.raises(NotFound):
            await queue.jobs.retry("nobody's")

    run(tmp_path, case)


def test_the_commands(tmp_path: Path) -> None:
    async def prepare() -> Listed:
        queue = Queue(Database(url))
        try:
            await queue.prepare()
            lost = await given_up(queue)
            await queue.add(due_in_s=60)
            return lost
        finally:
            await queue.database.close()

    url = database_url(tmp_path)
    migrate(url)
    lost = asyncio.run(prepare())
    data = "--data-dir", tmp_path
    first, second = quick("jobs", "list", *data)[0].splitlines()
    assert first == f"{lost.id}  chapter {lost.chapter_id}  given up after 5 attempts: the disk is full"
    assert second.endswith(f"chapter {lost.chapter_id}  waiting until 1970-01-12 13:50:10 UTC, 0 attempts so far")
    assert quick("jobs", "retry", lost.id, *data) == ("", "")
    assert "given up" not in quick("jobs", "list", *data)[0]
    said = quick("jobs", "retry", lost.id, *data, status=2)[1]
    assert said == f"Job {lost.id} was not given up. A worker takes it when it is due.\n"
    assert "There is no job x." in quick("jobs", "retry", "x", *data, status=2)[1]
