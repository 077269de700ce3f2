"""One chapter gets other pages: through an edit session that is opened or resumed, filled, compared and committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_commit import EditCommit
from mangadex_uploader.edit_conflict import VersionConflict
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Difference, EditResult, Present, Values, differences
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_stock import check_room, lists_exactly, stock_of, unknown_pages
from mangadex_uploader.edit_unheard import UnheardCommit
from mangadex_uploader.errors import Hopeless, PageRefused, TryLater, UploadError
from mangadex_uploader.events import Note, SessionReady
from mangadex_uploader.fields import check_for_draft
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, put_values, waits_for_approval
from mangadex_uploader.publishing import RECONCILIATIONS
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import OpenSessionPolicy, abandon, session_lost
from mangadex_uploader.transfer import Transfer


class PageEdit:
    """Makes one chapter's pages and values those of a plan. `options` are what the user gave, as words."""

    def __init__(
        self, service: Service, planned: Present, plan: Plan, options: Sequence[str], policy: OpenSessionPolicy
    ) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._plan = plan
        self._options = options
        self._policy = policy
        self._values: Difference = differences(planned.values, Values.of(plan.chapter))
        if plan.chapter.publish_at is not None:
            before = planned.publish_at.isoformat() if planned.publish_at else None
            self._values["publish_at"] = before, plan.chapter.publish_at.isoformat()
        self._digests = tuple(page.digest for page in plan.pages)
        self._done: Difference = {}

    async def run(self) -> EditResult:
        """Go on from wherever an earlier run stopped.

        Raises:
            UploadError: the chapter is as it was, its groups excepted, which go first.
        """
        try:
            return await self._run()
        except VersionConflict as conflict:
            if not self._done:
                raise
            raise VersionConflict(conflict.planned, conflict.now, changed=self._done) from conflict

    async def _run(self) -> EditResult:
        key = self._service.host, self._service.account, self._planned.id
        is_there = self._has_pages(self._edits.latest(*key, State.DONE)) and "publish_at" not in self._values
        if is_there and not await self._opening().has_ours():
            return await self._only_values()
        intended = self._edits.latest(*key, State.INTENDED)
        found = await self._opening().find(intended)
        if found is None and intended is not None:
            self._edits.move_to(intended, State.CLOSED, problem="its session was never begun, or closed elsewhere")
        if found is not None and found[0].version != self._planned.version:
            await abandon(self._service, found[1].id)
            raise await conflict_with(self._service, found[0].planned, self._planned)
        unheard = self._edits.unheard(*key)
        if found is None and unheard is not None:
            became = await UnheardCommit(self._service, self._planned, self._plan, unheard, self._opening()).became()
            if became is not None and not self._is_put_off(unheard):
                return await self._with_values(became)
        check_for_draft(self._plan.chapter, self._planned.id)
        if "groups" in self._values:
            await self._put_groups(found)
            found = None
        if found is None:
            return await self._change(*await self._opening().begin(self._plan, self._options), is_resumed=False)
        return await self._change(self._edits.replan(found[0], self._plan, self._options), found[1], is_resumed=True)

    def _opening(self) -> EditOpening:
        return EditOpening(self._service, self._planned, self._policy)

    def _is_put_off(self, unheard: Edit) -> bool:
        """Whether another time is wanted than that of a commit which gave the chapter its pages."""
        publish_at = self._plan.chapter.publish_at
        return publish_at is not None and publish_at.isoformat() != unheard.wanted.get("publish_at")

    async def _with_values(self, became: EditResult) -> EditResult:
        self._values.pop("publish_at", None)
        if not self._values:
            return became
        return replace(await self._only_values(), confirmed=became.confirmed)

    def _has_pages(self, done: Edit | None) -> bool:
        """Whether it is known that what was committed last are these pages. That readers get them does not say so, as
        those of a later commit may be in processing; a chapter at version 1 had no later one.
        """
        if done is not None and done.committed_version == self._planned.version:
            return done.pages_digest == self._plan.pages_digest
        return self._planned.version == 1 and self._planned.digests == self._digests

    async def _only_values(self) -> EditResult:
        is_shown = self._planned.digests == self._digests
        if not self._values:
            return EditResult(self._planned.id, self._planned.version, confirmed=is_shown, already_done=True)
        changed = await put_values(self._service, self._planned, self._values)
        waits = None
        if "language" in self._values:
            waits = await waits_for_approval(self._service, self._planned.id, self._plan.chapter)
        return EditResult(self._planned.id, changed.version, self._values, confirmed=is_shown, needs_approval=waits)

    async def _put_groups(self, found: tuple[Edit, OpenSession] | None) -> None:
        """First, as the chapter itself shows later whether it was done; and a session is begun with one version."""
        if found is not None:
            await abandon(self._service, found[1].id)
        groups = {"groups": self._values["groups"]}
        changed = await put_values(self._service, self._planned, groups)
        self._planned = replace(changed, digests=self._planned.digests)
        self._done = groups

    async def _change(self, edit: Edit, session: OpenSession, *, is_resumed: bool) -> EditResult:
        try:
            return await self._fill_and_commit(edit, session, is_resumed=is_resumed)
        except UploadError as error:
            self._edits.fail(edit, error.problem)
            if isinstance(error, Hopeless) and not isinstance(error, PageRefused):
                raise await self._with_remedy(error, session.id) from error
            raise

    async def _with_remedy(self, error: Hopeless, session_id: str) -> Hopeless:
        """An error that comes again each time, with what to do about the session if it is still open."""
        present = await self._service.open_session()
        if present is None or present.id != session_id:
            return error
        return Hopeless(
            f"{error.problem} The chapter keeps its pages. Session {session_id} of this edit is still open, and no "
            "other can be begun before it ends: `mangadex session show` shows it, `mangadex session abandon` ends it."
        )

    async def _fill_and_commit(self, edit: Edit, session: OpenSession, *, is_resumed: bool) -> EditResult:
        stock = stock_of(self._service, self._plan, session)
        stored = stock.stored
        kept_bytes = sum(page.size_bytes for page in self._plan.pages if page.position in stored)
        self._service.emit(SessionReady(session.id, is_resumed, len(stored), kept_bytes))
        if self._is_as_wanted(session, stored):
            await abandon(self._service, session.id)
            self._edits.move_to(edit, State.DONE, committed_version=self._planned.version)
            return EditResult(self._planned.id, self._planned.version, self._values, already_done=not self._values)
        missing = [page for page in self._plan.pages if page.position not in stored]
        await check_room(self._service, self._planned, session, missing)
        if missing:
            self._tell_unknown(session)
            await self._remove(session.id, stock.surplus)  # else there may be no room for what is to come
        remote = {file.id for file in session.files if file.is_remote}
        transfer = Transfer(self._service, session.id, self._plan, stored, doubtful=is_resumed)
        await transfer.send(missing)
        await self._reconcile(transfer, session.id)
        order = [transfer.stored[page.position] for page in self._plan.pages]
        version, is_confirmed = await EditCommit(self._service, self._planned, self._plan, edit).run(order)
        return EditResult(
            self._planned.id,
            version,
            self._values,
            pages=len(order),
            kept_pages=len(remote.intersection(order)),
            confirmed=is_confirmed,
            needs_approval=await waits_for_approval(self._service, self._planned.id, self._plan.chapter),
            sent_bytes=transfer.sent_bytes,
        )

    def _is_as_wanted(self, session: OpenSession, stored: dict[int, str]) -> bool:
        """Whether the session was begun for nothing: it has what was committed last, and readers get the same, whose
        order counts for more than that of the session's list.
        """
        return (
            not self._values.keys() - {"groups"}
            and self._planned.digests == self._digests
            and lists_exactly(session, self._plan, stored)
        )

    def _tell_unknown(self, session: OpenSession) -> None:
        unknown = unknown_pages(self._service, self._plan, session)
        if not session.files and self._planned.pages:
            unknown = self._planned.pages
        if unknown:
            self._service.emit(
                Note(
                    f"The service does not say what {unknown} of the chapter's present pages are, so pages that may be "
                    "among them are sent again."
                )
            )

    async def _reconcile(self, transfer: Transfer, session_id: str) -> None:
        """Make the session have all pages of the plan, if it may not; what it has besides falls away at the commit."""
        for _ in range(RECONCILIATIONS):
            if not transfer.doubtful:
                return
            present = await self._service.open_session()
            if present is None or present.id != session_id:
                raise session_lost(session_id)
            stock = stock_of(self._service, self._plan, present)
            transfer.doubtful = False
            if present.files:
                transfer.stored = stock.stored
            await transfer.send([page for page in self._plan.pages if page.position not in transfer.stored])
        if transfer.doubtful:
            raise TryLater("The session keeps changing while it is compared with the plan. Run the same command again.")

    async def _remove(self, session_id: str, surplus: list[str]) -> None:
        if not surplus:
            return
        try:
            await self._service.sessions.delete_uploaded_session_files(session_id, request_body=surplus)
        except mangadex.OpenApiException as error:  # they fall away at the commit anyway (contract 5.3)
            self._service.emit(Note(f"Pages that the chapter shall lose are left to the commit to drop: {error}"))
        else:
            self._service.journal.forget_files(session_id, surplus)
