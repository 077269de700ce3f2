"""One chapter's way: found finished, or its session opened or resumed, filled, checked again and committed."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

import mangadex_openapi as mangadex
from mangadex_uploader.catalogue import needs_approval, same_chapters
from mangadex_uploader.chapter import Plan
from mangadex_uploader.committing import Commit, find_committed
from mangadex_uploader.errors import DuplicateChapter, SessionLost, TryLater, UploadError, UsageError
from mangadex_uploader.events import Note, Result, SessionReady
from mangadex_uploader.inventory import Inventory, ListedFile, OpenSession, take_stock
from mangadex_uploader.journal import State, Upload
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import Opened, Opening, OpenSessionPolicy, abandon, session_lost
from mangadex_uploader.together import all_of
from mangadex_uploader.transfer import Transfer
from mangadex_uploader.turns import Turn
from mangadex_uploader.whose import is_of

RECONCILIATIONS = 3
"""So often is a session compared with the plan before a commit, while it keeps differing."""

FRESH_S = 15.0
"""An answer about duplicates that is older is asked for again before the commit."""

HAS_SESSION = (State.OPEN, State.COMMITTING, State.UNCONFIRMED)

ANSWER_WITHIN_S = 5.0
"""Of the service to whether a chapter will wait for approval, which nothing else hangs on."""


class Publishing:
    """Publishes one planned chapter."""

    def __init__(
        self, service: Service, plan: Plan, turn: Turn | None, *, allow_duplicate: bool, policy: OpenSessionPolicy
    ) -> None:
        self._service = service
        self._journal = service.journal
        self._plan = plan
        self._turn = turn
        self._allow_duplicate = allow_duplicate
        self._policy = policy
        self._opening = Opening(service, plan, policy)
        self._no_duplicate_at = 0.0
        self._approval: asyncio.Task[bool | None] | None = None

    async def run(self) -> Result:
        """Go on from wherever an earlier run stopped.

        Raises:
            UploadError: it is not published.
        """
        latest = self._journal.latest(self._service.host, self._service.account, self._plan.identity)
        if not self._allow_duplicate and (finished := self._finished()):
            return finished
        is_anothers = latest is not None and latest.state is State.OPEN and not is_of(latest, self._plan)
        if latest is None or latest.state not in HAS_SESSION or is_anothers:
            return await self._publish(await self._begin(latest))
        opened = await self._opening.resume(latest)
        if latest.state is State.OPEN:
            if opened is not None:
                return await self._publish(opened)
            self._journal.move_to(latest, State.CLOSED, problem="its session was closed elsewhere")
            return await self._publish(await self._begin(None))
        return await self._go_on_with_commit(latest, opened)

    async def _go_on_with_commit(self, latest: Upload, opened: Opened | None) -> Result:
        """An earlier run sent a commit and did not hear of it: the session is there still, or the chapter may be."""
        if opened is None:
            if self._allow_duplicate and latest.state is State.UNCONFIRMED:
                return await self._publish(await self._begin(None))
            return await self._look_for(latest)
        try:
            return await self._publish(opened)
        except (SessionLost, DuplicateChapter):  # the commit has come through meanwhile
            if await self._opening.resume(latest) is not None:
                raise
            return await self._look_for(latest)

    def _finished(self) -> Result | None:
        done = self._journal.published(self._service.host, self._service.account, self._plan.identity)
        for upload in done:
            if upload.pages_digest == self._plan.pages_digest:
                return Result(self._plan, upload.chapter_id, confirmed=True, already_done=True)
        if done:
            raise DuplicateChapter(
                f"{self._plan.chapter.label}: this chapter was published before, with other pages (chapter "
                f"{done[0].chapter_id}). Edit that one, or use --allow-duplicate to publish another."
            )
        return None

    async def _begin(self, latest: Upload | None) -> Opened:
        """A session, while the service is asked for duplicates: no page is sent before both are known."""
        intended = latest if latest is not None and latest.state is State.INTENDED else None
        self._approval = asyncio.create_task(needs_approval(self._service, self._plan.chapter))
        if self._allow_duplicate:
            return await self._opening.begin(intended)
        if self._policy is not OpenSessionPolicy.STOP:  # nobody's session is touched for a chapter that is there
            await self._no_duplicate()
            return await self._opening.begin(intended)
        beginning = asyncio.create_task(self._opening.begin(intended))
        try:
            await self._no_duplicate()
        except DuplicateChapter:
            await self._undo(beginning)
            raise
        except BaseException:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
            raise
        return await beginning

    async def _undo(self, beginning: asyncio.Task[Opened]) -> None:
        """Abandon the session if it is a new one of ours."""
        (opened,) = await asyncio.gather(beginning, return_exceptions=True)
        if isinstance(opened, Opened) and not opened.resumed:
            await abandon(self._service, opened.session.id)

    async def _no_duplicate(self) -> None:
        found = await same_chapters(self._service, self._plan.chapter)
        if found:
            ids = ", ".join(chapter.id for chapter in found)
            raise DuplicateChapter(
                f"{self._plan.chapter.label}: the service has this chapter of these groups already ({ids}). "
                f"Use --allow-duplicate to publish it all the same."
            )
        self._no_duplicate_at = time.monotonic()

    async def _publish(self, opened: Opened) -> Result:
        upload = opened.upload
        try:
            return await self._fill_and_commit(opened)
        except UploadError as error:
            self._journal.fail(upload, error.problem)
            raise

    async def _fill_and_commit(self, opened: Opened) -> Result:
        upload, session = opened.upload, opened.session
        stock = self._stock(session) if opened.resumed else Inventory()
        await self._remove(session.id, stock.surplus)  # else there may be no room for what is to come
        stored = stock.stored
        kept_bytes = sum(page.size_bytes for page in self._plan.pages if page.position in stored)
        self._service.emit(SessionReady(session.id, opened.resumed, len(stored), kept_bytes))
        approval = self._approval or asyncio.create_task(needs_approval(self._service, self._plan.chapter))
        try:
            waits = await _in_time(approval)
            if waits:
                self._service.emit(Note("This chapter will wait for a moderator before anybody can read it."))
            transfer = Transfer(self._service, session.id, self._plan, stored, doubtful=opened.resumed)
            await self._fill(transfer)
            await self._reconcile(transfer, session.id)
            if not self._allow_duplicate and time.monotonic() - self._no_duplicate_at > FRESH_S:
                await self._no_duplicate()
            if self._turn is not None:
                await asyncio.to_thread(self._turn.before_commit)
            order = [transfer.stored[page.position] for page in self._plan.pages]
            chapter_id = await Commit(self._service, self._plan, upload, self._check_publish_date).run(order)
            return Result(
                self._plan,
                chapter_id,
                confirmed=chapter_id is not None,
                needs_approval=waits,
                sent_bytes=transfer.sent_bytes,
            )
        finally:
            approval.cancel()

    async def _fill(self, transfer: Transfer) -> None:
        """Send what is missing; the last look for duplicates runs beside the last batches."""
        missing = [page for page in self._plan.pages if page.position not in transfer.stored]
        work = [transfer.send(missing)]
        if not self._allow_duplicate:
            work.append(self._look_again(transfer.drained))
        await all_of(work)

    async def _look_again(self, drained: asyncio.Event) -> None:
        await drained.wait()
        await self._no_duplicate()

    async def _reconcile(self, transfer: Transfer, session_id: str) -> None:
        """Make the session equal the plan, if it may differ."""
        for _ in range(RECONCILIATIONS):
            if not transfer.doubtful:
                return
            present = await self._service.open_session()
            if present is None or present.id != session_id:
                raise session_lost(session_id)
            stock = self._stock(present)
            transfer.doubtful = False
            if present.files:
                transfer.stored = stock.stored
            missing = [page for page in self._plan.pages if page.position not in transfer.stored]
            await transfer.send(missing)
            await self._remove(session_id, stock.surplus)
        if transfer.doubtful:
            raise TryLater("The session keeps changing while it is compared with the plan. Run the same command again.")

    def _stock(self, session: OpenSession) -> Inventory:
        """What it has by its own list, or where it never lists files by what it acknowledged (levels a to c)."""
        journaled = self._journal.files(session.id)
        listed = session.files
        if not listed and not self._journal.knows(self._service.host, "lists_files"):
            listed = tuple(ListedFile(file_id) for file_id in journaled)
        proven = self._journal.knows(self._service.host, "hashes_are_sha256")
        return take_stock(self._plan.pages, listed, journaled, hashes_are_sha256=proven)

    async def _remove(self, session_id: str, surplus: list[str]) -> None:
        if not surplus:
            return
        try:
            await self._service.sessions.delete_uploaded_session_files(session_id, request_body=surplus)
        except mangadex.OpenApiException as error:  # they fall away at the commit anyway (contract 5.3)
            self._service.emit(Note(f"Files that do not belong to the chapter are left to the commit to drop: {error}"))
        else:
            self._journal.forget_files(session_id, surplus)

    def _check_publish_date(self) -> None:
        publish_at = self._plan.chapter.publish_at
        if publish_at is not None and publish_at <= datetime.now(UTC):
            raise UsageError(
                f"{self._plan.chapter.label}: its publish date {publish_at.isoformat()} has passed meanwhile. "
                f"All pages are in the session; run the command again with another date, or without one."
            )

    async def _look_for(self, upload: Upload) -> Result:
        chapter_id = await find_committed(self._service, self._plan, upload)
        if upload.pages_digest != self._plan.pages_digest:
            where = f"as chapter {chapter_id}" if chapter_id else "though it cannot be seen yet"
            raise DuplicateChapter(
                f"{self._plan.chapter.label}: an earlier run committed this chapter with the pages that it had then, "
                f"{where}. Edit that one, or use --allow-duplicate to publish another."
            )
        return Result(self._plan, chapter_id, confirmed=chapter_id is not None, already_done=chapter_id is not None)


async def _in_time(approval: asyncio.Task[bool | None]) -> bool | None:
    """The answer, if it comes soon."""
    await asyncio.wait({approval}, timeout=ANSWER_WITHIN_S)
    return approval.result() if approval.done() else None
