"""What follows a commit: every page decoded, its data-saver variant stored, the chapter readable, or broken.

A job may run twice; the second run ends as the first did. All results are in one transaction, fenced by the lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server import chapter_pages, removals, states
from mangadex_server.database import Database
from mangadex_server.errors import Overloaded, ServiceError, Unavailable
from mangadex_server.jobs import Job, Jobs
from mangadex_server.page_process import BrokenPage, PageProcess
from mangadex_server.reading import SAVER_TYPE
from mangadex_server.settings import Settings
from mangadex_server.stores import Blobs
from mangadex_server.tables import chapters, new_pages, sessions
from mangadex_server.visibility import opens_at, readable_at

KIND = "process_chapter"
POLL_S = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the chapter, as it was when the job began."""

    position: int
    original_file_name: str
    blob: str


Savers: TypeAlias = dict[str, str]  # digest of a page -> that of its data-saver variant


class _GivenBack(Exception):  # noqa: N818 - not an error
    """We stop, or the lease is lost."""


class Worker:
    """Takes jobs one after another, with a page process of its own. Several may run beside each other."""

    def __init__(  # noqa: PLR0913 - what it works on, and who is told
        self,
        database: Database,
        blobs: Blobs,
        jobs: Jobs,
        settings: Settings,
        clock: Callable[[], float] = time.time,
        *,
        on_end: Callable[[str], None] = lambda _result: None,
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._jobs = jobs
        self._settings = settings
        self._on_end = on_end
        self._clock = clock
        self._owner = str(uuid4())

    async def run(self, stop: asyncio.Event, hurry: asyncio.Event) -> None:
        """Work until `stop`, then end after the page at hand; `hurry` says that there is a job."""
        async with PageProcess.of(self._settings) as process:
            while not stop.is_set():
                hurry.clear()  # before looking: a job that comes meanwhile sets it again
                if not await self._run_one(process, stop):
                    await _first_of(stop, hurry, within_s=POLL_S)

    async def _run_one(self, process: PageProcess, stop: asyncio.Event) -> bool:
        """Whether there was a job, or may be."""
        job = None
        try:
            if job := await self._jobs.claim(self._owner, KIND):
                await self._work(job, process, stop)
        except (Unavailable, Overloaded) as error:
            log.warning("no chapter can be processed: %s", error.detail)
            with contextlib.suppress(ServiceError):  # else the lease runs out
                if job:
                    await self._jobs.give_back(job)
            return False
        except Exception as error:  # the loop has to survive what is not the page's fault, such as a full disk
            log.exception("processing of a chapter failed: %s", job)
            with contextlib.suppress(Exception):  # else the lease runs out
                if job:
                    await self._jobs.fail(job, f"{type(error).__name__}: {error}")
        return job is not None

    async def _work(self, job: Job, process: PageProcess, stop: asyncio.Event) -> None:
        async with self._database.read() as connection:
            present = await _pages(connection, job.chapter_id)
        try:
            async with self._renewing(job) as lost:
                savers = await self._make_savers(present, process, lambda: stop.is_set() or lost.is_set())
        except _GivenBack:
            await self._jobs.give_back(job)
        except _BrokenChapter as error:
            await self._end(job, present, {}, broken_reason=error.reason)
        else:
            await removals.check(self._database, self._blobs, list(savers.values()), self._clock())
            await self._end(job, present, savers, broken_reason=None)

    async def _make_savers(self, present: list[Page], process: PageProcess, ends: Callable[[], bool]) -> Savers:
        savers: Savers = {}
        for page in present:
            if ends():
                raise _GivenBack
            data = await self._blobs.read(page.blob)
            try:
                processed = await process.process(data)
            except BrokenPage as error:
                raise _BrokenChapter(page, error) from error
            savers[page.blob] = await self._blobs.write(processed.saver, SAVER_TYPE)
        return savers

    @contextlib.asynccontextmanager
    async def _renewing(self, job: Job) -> AsyncIterator[asyncio.Event]:
        """Keep the lease; the event says that it is lost. Nothing is cancelled: a transaction may be under way."""
        done, lost = asyncio.Event(), asyncio.Event()
        keeper = asyncio.create_task(self._keep(job, done, lost))
        try:
            yield lost
        finally:
            done.set()
            await keeper

    async def _keep(self, job: Job, done: asyncio.Event, lost: asyncio.Event) -> None:
        while not await _first_of(done, within_s=self._settings.job_lease_s / 3):
            try:
                kept = await self._jobs.renew(job)
            except Exception:  # it may go better next time, and the fence holds if it does not
                log.exception("the lease of %s could not be renewed", job)
                continue
            if not kept:
                lost.set()
                return

    async def _end(self, job: Job, present: list[Page], savers: Savers, *, broken_reason: str | None) -> None:
        async with self._database.write() as connection:
            if not await self._jobs.finish(connection, job):
                return
            this = select(chapters.c.id).where(chapters.c.id == job.chapter_id)
            await connection.execute(this.with_for_update())  # no edit may be committed between the next steps
            if await _pages(connection, job.chapter_id) == present:  # else an edit came, with a job of its own
                if broken_reason is None:
                    await self._open(connection, job.chapter_id, savers)
                else:
                    await _set_broken(connection, job.chapter_id, broken_reason)
            await self._set_session(connection, job.session_id)
        self._on_end("broken" if broken_reason else "readable")

    async def _open(self, connection: AsyncConnection, chapter_id: str, savers: Savers) -> None:
        present = await chapter_pages.latest(connection, chapter_id)
        await chapter_pages.put(connection, chapter_id, present, savers)
        this = chapters.c.id == chapter_id
        chapter = (await connection.execute(select(chapters).where(this))).one()
        values = {
            "broken_reason": None,
            "edit_broken_reason": None,
            "page_count": len(present),
            "readable_at": readable_at(
                self._clock(), chapter.readable_at, opens_at(chapter.publish_at, chapter.external_url)
            ),
        }
        await connection.execute(update(chapters).where(this).values(values))

    async def _set_session(self, connection: AsyncConnection, session_id: str) -> None:
        this = sessions.c.id == session_id
        present = states.State((await connection.execute(select(sessions.c.state).where(this))).scalar_one())
        if state := states.after(present, states.Action.FINISH):
            await connection.execute(update(sessions).where(this).values(state=state, updated_at=self._clock()))


class _BrokenChapter(Exception):  # noqa: N818 - as BrokenPage
    def __init__(self, page: Page, cause: BrokenPage) -> None:
        self.reason = f"page {page.position + 1} ({page.original_file_name}): {cause.reason}"
        super().__init__(self.reason)


async def _pages(connection: AsyncConnection, chapter_id: str) -> list[Page]:
    present = await chapter_pages.latest(connection, chapter_id)
    return [Page(page.position, page.original_file_name, page.blob) for page in present]


async def _set_broken(connection: AsyncConnection, chapter_id: str, reason: str) -> None:
    """Its readers keep what they have, if that is not what is broken."""
    this = chapters.c.id == chapter_id
    if await chapter_pages.of_table(connection, new_pages, chapter_id):
        log.warning("the new pages of chapter %s are not shown: %s", chapter_id, reason)
        values: dict[str, Any] = {"edit_broken_reason": reason}
    else:
        log.warning("chapter %s is not published: %s", chapter_id, reason)
        values = {"broken_reason": reason, "readable_at": None}
    await connection.execute(update(chapters).where(this).values(values))


async def _first_of(*events: asyncio.Event, within_s: float) -> bool:
    """Whether one of them was set in time."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    done, late = await asyncio.wait(waiting, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    return bool(done)
