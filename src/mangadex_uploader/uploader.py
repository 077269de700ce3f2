"""The engine: from a chapter on disk to a published one. It prints nothing; events tell what happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import mangadex_openapi as mangadex
from mangadex_uploader.catalogue import needs_approval, same_chapters
from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.errors import UsageError
from mangadex_uploader.events import Event, Planned, Result
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import Journal, Upload
from mangadex_uploader.publishing import Publishing
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import OpenSessionPolicy, abandon
from mangadex_uploader.snapshots import Snapshot
from mangadex_uploader.turns import Turn, Unchanged, alone
from mangadex_uploader.unfinished import session_to_give_up, unfinished_first


@dataclass(frozen=True, slots=True)
class Checked:
    """What `check` found; nothing was sent. `duplicates` are ids of chapters that the service has already."""

    plan: Plan
    duplicates: tuple[str, ...]
    needs_approval: bool | None


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """The session that the account has open, and the upload or edit of ours that it belongs to, if any."""

    session: OpenSession
    upload: Upload | Edit | None


class Uploader:
    """Uploads chapters of one account, one after the other.

    Args:
        client: talks to the service; its configuration signs in.
        account: the account's name; with the host it names the lock and the journal's entries.
        journal: what earlier runs did.
        terms_accepted: whether the user agreed to the service's terms (https://mangadex.org/compliance).
        on_event: is told what happens, in the loop's thread.
        allow_duplicate: publish although the chapter is there.
        open_session: what to do with an open session that is not ours.

    Raises:
        UsageError: the terms were not accepted.
    """

    def __init__(  # noqa: PLR0913 - named, each with its meaning above
        self,
        client: mangadex.AsyncApiClient,
        *,
        account: str,
        journal: Journal,
        terms_accepted: bool,
        on_event: Callable[[Event], None] = lambda _event: None,
        allow_duplicate: bool = False,
        open_session: OpenSessionPolicy = OpenSessionPolicy.STOP,
    ) -> None:
        if not terms_accepted:
            raise UsageError("The terms at https://mangadex.org/compliance have to be accepted before uploading.")
        self._service = Service(client, client.configuration.host, account, journal, on_event)
        self._allow_duplicate = allow_duplicate
        self._policy = open_session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing to close: client and journal are the caller's."""

    async def upload(self, chapter: Chapter) -> Result:
        """Publish one chapter with exactly its pages, in order; or nothing, and the same call goes on later.

        Raises:
            UploadError: it is not published; see `mangadex_uploader.errors` for each reason.
        """
        was = await asyncio.to_thread(Snapshot.of, chapter.path)
        return await self.publish(await self.plan(chapter), Unchanged(chapter.path, was))

    async def plan(self, chapter: Chapter) -> Plan:
        """Read, check and prepare a chapter's pages; the service is asked nothing, and no event is emitted.

        Raises:
            UploadError: its values or pages cannot be used.
        """
        stop = threading.Event()
        try:
            return await asyncio.to_thread(plan_chapter, chapter, now=datetime.now(UTC), stop=stop)
        finally:
            stop.set()

    async def publish(self, plan: Plan, turn: Turn | None = None) -> Result:
        """As `upload`, of a chapter that is planned; without a `turn` nobody looks whether its files stay the same.

        Raises:
            UploadError: as `upload`, or what the turn raises.
        """
        self._service.emit(Planned(plan))
        async with self._alone():
            if turn is not None:
                await asyncio.to_thread(turn.at_begin)
            return await self._publishing(plan, turn).run()

    def finished(self, plan: Plan) -> Result | None:
        """The result of an earlier run that published exactly these pages, by the journal.

        Raises:
            DuplicateChapter: one published this chapter with other pages.
        """
        return None if self._allow_duplicate else self._publishing(plan)._finished()  # noqa: SLF001 - its first step

    async def give_up(self, plan: Plan) -> bool:
        """Abandon the session that this chapter left open, so that another can have one.

        Returns:
            Whether there was one.

        Raises:
            UploadError: its commit may still come through, this program is not known to have begun it, or the service
                does not do it.
        """
        session_id = session_to_give_up(self._service, plan)
        if session_id is not None:
            await self.abandon(session_id)
        return session_id is not None

    async def events(self, chapter: Chapter) -> AsyncIterator[Event | Result]:
        """As `upload`, as an iterator: what happens, and the result as the last item."""
        queue: asyncio.Queue[Event | None] = asyncio.Queue()
        uploader = copy(self)
        uploader._service = replace(self._service, emit=queue.put_nowait)  # noqa: SLF001 - our own copy
        task = asyncio.create_task(uploader.upload(chapter))
        task.add_done_callback(lambda _task: queue.put_nowait(None))
        try:
            while (event := await queue.get()) is not None:
                self._service.emit(event)
                yield event
            yield await task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def check(self, chapter: Chapter) -> Checked:
        """Everything but sending.

        Raises:
            UploadError: what `upload` would raise before it begins a session.
        """
        return await self.look(await self.plan(chapter))

    async def look(self, plan: Plan) -> Checked:
        """As `check`, of a chapter that is planned.

        Raises:
            UploadError: the service could not be asked.
        """
        self._service.emit(Planned(plan))
        duplicates, approval = await asyncio.gather(
            same_chapters(self._service, plan.chapter), needs_approval(self._service, plan.chapter)
        )
        return Checked(plan, tuple(present.id for present in duplicates), approval)

    async def open_session(self) -> SessionSummary | None:
        """The session that the account has open.

        Raises:
            UploadError: the service could not be asked.
        """
        session = await self._service.open_session()
        if session is None:
            return None
        key = self._service.host, self._service.account, session.id
        upload = self._service.journal.of_session(*key) or Edits(self._service.journal).of_session(*key)
        return SessionSummary(session, upload)

    async def abandon(self, session_id: str) -> None:
        """Delete an open session and its pages.

        Raises:
            UploadError: the service does not do it.
        """
        async with self._alone():
            await abandon(self._service, session_id)

    def unfinished_first(self, chapters: list[Chapter]) -> list[Chapter]:
        """These chapters, the one whose session may be open before the others: an account has one session."""
        return unfinished_first(self._service, chapters)

    def _alone(self) -> AbstractAsyncContextManager[None]:
        return alone(self._service)

    def _publishing(self, plan: Plan, turn: Turn | None = None) -> Publishing:
        return Publishing(self._service, plan, turn, allow_duplicate=self._allow_duplicate, policy=self._policy)


def upload_chapter(  # noqa: PLR0913 - those of Uploader
    chapter: Chapter,
    configuration: mangadex.Configuration,
    *,
    account: str,
    journal: Journal,
    terms_accepted: bool,
    on_event: Callable[[Event], None] = lambda _event: None,
    allow_duplicate: bool = False,
    open_session: OpenSessionPolicy = OpenSessionPolicy.STOP,
) -> Result:
    """`Uploader.upload` for synchronous code.

    Raises:
        UploadError: it is not published.
    """

    async def main() -> Result:
        async with mangadex.AsyncApiClient(configuration) as client:
            uploader = Uploader(
                client,
                account=account,
                journal=journal,
                terms_accepted=terms_accepted,
                on_event=on_event,
                allow_duplicate=allow_duplicate,
                open_session=open_session,
            )
            return await uploader.upload(chapter)

    return asyncio.run(main())
