"""Work that follows a commit: rows with a lease (engines.md 2). What the work is, is the worker's affair.

A job runs at least once. Who lost the lease changes nothing: owner and attempt are in each WHERE.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar
from uuid import uuid4

from sqlalchemy import ColumnElement, Delete, Update, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from mangadex_server.database import Database
from mangadex_server.errors import InConflict, NotFound
from mangadex_server.settings import Settings
from mangadex_server.states import State
from mangadex_server.tables import chapters, jobs, new_pages, sessions

Statement = TypeVar("Statement", Update, Delete)
Time: TypeAlias = float | ColumnElement[float]

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
RETRY_S = 10.0  # times the attempts made: a full disk or a lost database takes a while


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job. `owner` and `attempts` are the fence."""

    id: str
    kind: str
    chapter_id: str
    session_id: str
    owner: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How much there is to do. Jobs that are worked on count as waiting."""

    jobs_waiting: int
    jobs_given_up: int
    open_sessions: int


@dataclass(frozen=True, slots=True)
class Listed:
    """A job for people. `failed_reason` is there when it was given up."""

    id: str
    chapter_id: str
    attempts: int
    due_at: float
    is_running: bool
    failed_reason: str | None


class Jobs:
    """The queue. Without a clock of the caller's, all processes go by the database's."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], Time] | None = None) -> None:
        self._database = database
        self._lease_s = settings.job_lease_s
        self._clock = clock or database.now

    async def add(self, connection: AsyncConnection, *, kind: str, chapter_id: str, session_id: str) -> None:
        """Add a job, due at once, in the transaction that makes it necessary."""
        ids = {"id": str(uuid4()), "chapter_id": chapter_id, "session_id": session_id}
        row = {**ids, "kind": kind, "due_at": self._clock()}
        await connection.execute(insert(jobs).values(row))

    async def claim(self, owner: str, kind: str) -> Job | None:
        """The job that has waited longest and that nobody works on, leased to `owner`."""
        now = self._clock()
        async with self._database.write() as connection:
            for lost in (await connection.execute(_give_up_lost(now))).all():
                await _tell(connection, lost.chapter_id, lost.failed_reason)
            row = (await connection.execute(_claim(owner, kind, now, now + self._lease_s))).mappings().one_or_none()
        return Job(**row) if row else None

    async def renew(self, job: Job) -> bool:
        """Prolong the lease; False if it is lost."""
        async with self._database.write() as connection:
            values = {"lease_until": self._clock() + self._lease_s}
            return (await connection.execute(_fenced(update(jobs), job).values(values))).rowcount == 1

    async def finish(self, connection: AsyncConnection, job: Job) -> bool:
        """Remove the job in the transaction that has its result; False if the lease is lost: then write nothing."""
        return (await connection.execute(_fenced(delete(jobs), job))).rowcount == 1

    async def give_back(self, job: Job) -> bool:
        """Let another take it at once, as if it had not been claimed; False if the lease is lost."""
        async with self._database.write() as connection:
            return await self._release(connection, job, attempts=job.attempts - 1)

    async def fail(self, job: Job, reason: str) -> bool:
        """Try again later, or give up for good after the last attempt; False if the lease is lost."""
        if job.attempts >= MAX_ATTEMPTS:
            async with self._database.write() as connection:
                is_ours = await self._release(connection, job, failed_reason=reason)
                if is_ours:
                    await _tell(connection, job.chapter_id, reason)
                return is_ours
        async with self._database.write() as connection:
            return await self._release(connection, job, due_at=self._clock() + RETRY_S * job.attempts)

    async def standing(self) -> Standing:
        """How much there is to do."""
        given_up = func.count(jobs.c.failed_reason)
        open_sessions = select(func.count()).select_from(sessions).where(sessions.c.state == State.OPEN)
        query = select(func.count() - given_up, given_up, open_sessions.scalar_subquery()).select_from(jobs)
        async with self._database.read() as connection:
            return Standing(*(await connection.execute(query)).one())

    async def listed(self) -> list[Listed]:
        """Every job, the one that is due first before the others."""
        is_running = (jobs.c.lease_until > self._clock()).label("is_running")
        columns = jobs.c.id, jobs.c.chapter_id, jobs.c.attempts, jobs.c.due_at, is_running, jobs.c.failed_reason
        async with self._database.read() as connection:
            rows = (await connection.execute(select(*columns).order_by(jobs.c.due_at, jobs.c.id))).mappings()
        return [Listed(**row) for row in rows]

    async def retry(self, job_id: str) -> None:
        """Let a job that was given up be taken at once, with all its attempts before it.

        Raises:
            NotFound: no such job.
            InConflict: it was not given up.
        """
        this = jobs.c.id == job_id
        values = {"failed_reason": None, "attempts": 0, "due_at": self._clock(), "lease_until": 0}
        async with self._database.write() as connection:
            if (await connection.execute(select(jobs.c.id).where(this))).one_or_none() is None:
                raise NotFound(f"There is no job {job_id}. `mangadex-server jobs list` has all of them.")
            given_up = update(jobs).where(this, jobs.c.failed_reason.is_not(None)).values(values)
            if (await connection.execute(given_up)).rowcount == 0:
                raise InConflict(f"Job {job_id} was not given up. A worker takes it when it is due.")

    async def _release(self, connection: AsyncConnection, job: Job, **values: Time | str) -> bool:
        statement = _fenced(update(jobs), job).values(owner=None, lease_until=0, **values)
        return (await connection.execute(statement)).rowcount == 1


async def _tell(connection: AsyncConnection, chapter_id: str, failed_reason: str) -> None:
    """Leave the reason on a chapter whose job is given up; one that is processed already is left alone."""
    reason = f"its processing was given up ({failed_reason})"
    log.warning("chapter %s: %s; `mangadex-server jobs retry` tries it again", chapter_id, reason)
    this = chapters.c.id == chapter_id
    waits = this, chapters.c.readable_at.is_(None), chapters.c.broken_reason.is_(None)
    await connection.execute(update(chapters).where(*waits).values(broken_reason=reason))
    edited = this, chapters.c.id.in_(select(new_pages.c.chapter_id))
    await connection.execute(update(chapters).where(*edited).values(edit_broken_reason=reason))


def _give_up_lost(now: Time) -> ReturningUpdate[tuple[str, str]]:
    """Jobs whose last worker vanished too: they may be what kills workers."""
    reason = f"its workers ended {MAX_ATTEMPTS} times without a result"
    lost = jobs.c.failed_reason.is_(None), jobs.c.attempts >= MAX_ATTEMPTS, jobs.c.lease_until <= now
    return (
        update(jobs)
        .where(*lost)
        .values(failed_reason=reason, owner=None)
        .returning(jobs.c.chapter_id, jobs.c.failed_reason)
    )


def _claim(owner: str, kind: str, now: Time, lease_until: Time) -> Update:
    free = jobs.c.kind == kind, jobs.c.failed_reason.is_(None), jobs.c.due_at <= now, jobs.c.lease_until <= now
    first = select(jobs.c.id).where(*free).order_by(jobs.c.due_at).limit(1).with_for_update(skip_locked=True)
    return (
        update(jobs)
        .where(jobs.c.id == first.scalar_subquery())
        .values(owner=owner, lease_until=lease_until, attempts=jobs.c.attempts + 1)
        .returning(jobs.c.id, jobs.c.kind, jobs.c.chapter_id, jobs.c.session_id, jobs.c.owner, jobs.c.attempts)
    )


def _fenced(statement: Statement, job: Job) -> Statement:
    return statement.where(jobs.c.id == job.id, jobs.c.owner == job.owner, jobs.c.attempts == job.attempts)
