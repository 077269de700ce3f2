"""One chapter gets other pages: through an edit session that is opened or resumed, filled, compared and committed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_commit import EditCommit
from mangadex_uploader.edit_conflict import VersionConflict
from mangadex_uploader.edit_filling import Filling
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Difference, EditResult, Present, Values, differences
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_stock import check_room, lists_exactly, stock_of
from mangadex_uploader.edit_unheard import UnheardCommit
from mangadex_uploader.errors import Hopeless, PageRefused, Unconfirmed, UploadError
from mangadex_uploader.events import SessionReady
from mangadex_uploader.fields import check_for_draft
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, put_values, waits_for_approval
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import OpenSessionPolicy, abandon
from mangadex_uploader.turns import Turn


class PageEdit:
    """Makes one chapter's pages and values those of a plan, as long as its `turn` lets it.

    `options` are what the user gave, as words; `sends_again` says not to stop at an unheard commit that nothing proves.
    """

    def __init__(  # noqa: PLR0913 - each with its meaning above
        self,
        service: Service,
        planned: Present,
        plan: Plan,
        options: Sequence[str],
        policy: OpenSessionPolicy,
        turn: Turn,
        *,
        sends_again: bool,
    ) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._plan = plan
        self._options = options
        self._policy = policy
        self._turn = turn
        self._sends_again = sends_again
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
            raise VersionConflict(conflict.planned, conflict.now, done=conflict.done, changed=self._done) from conflict

    async def _run(self) -> EditResult:
        key = self._service.host, self._service.account, self._planned.id
        is_there = self._has_pages(self._edits.latest(*key, State.DONE)) and "publish_at" not in self._values
        if is_there and not await self._opening().has_ours():
            return await self._only_values()
        unheard = self._edits.unheard(*key)
        intended = self._edits.latest(*key, State.INTENDED)
        found = await self._opening().find(intended)
        if found is None and intended is not None:
            self._edits.move_to(intended, State.CLOSED, problem="its session was never begun, or closed elsewhere")
        if found is not None and found[0].version != self._planned.version:
            await abandon(self._service, found[1].id)
            raise await conflict_with(self._service, found[0].planned, self._planned)
        if found is None and unheard is not None and (became := await self._became(unheard)) is not None:
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

    async def _became(self, unheard: Edit) -> EditResult | None:
        """The result of a commit that was not heard of; None if pages or time have to be committed (anew)."""
        is_put_off = self._is_put_off(unheard)
        try:
            became = await UnheardCommit(self._service, self._planned, self._plan, unheard, self._opening()).became()
        except Unconfirmed:
            if not self._sends_again and not is_put_off:
                raise
            self._edits.move_to(unheard, State.CLOSED, problem="sent again before it was confirmed")
            return None
        return None if is_put_off else became

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
        await check_room(self._service, self._planned, session, missing, self._done)
        filling = Filling(self._service, self._planned, self._plan)
        transfer = await filling.fill(session, stock, missing, is_resumed=is_resumed)
        remote = {file.id for file in session.files if file.is_remote}
        order = [transfer.stored[page.position] for page in self._plan.pages]
        await asyncio.to_thread(self._turn.before_commit)
        version = await EditCommit(self._service, self._planned, self._plan, edit, self._policy).run(order)
        return EditResult(
            self._planned.id,
            version,
            self._values,
            pages=len(order),
            kept_pages=len(remote.intersection(order)),
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
