"""One chapter gets other pages: through an edit session that is opened or resumed, filled, compared and committed."""

from __future__ import annotations

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan
from mangadex_uploader.committing import LOOK_S
from mangadex_uploader.edit_commit import EditCommit
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Difference, EditResult, Present, VersionConflict, differences, values_of
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_stock import stock_of, unknown_pages
from mangadex_uploader.errors import TryLater, UploadError
from mangadex_uploader.events import Note, SessionReady
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State
from mangadex_uploader.published import is_read_as, page_digests, put_values
from mangadex_uploader.publishing import RECONCILIATIONS
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import OpenSessionPolicy, abandon, session_lost
from mangadex_uploader.transfer import Transfer


class PageEdit:
    """Makes one chapter's pages and values those of a plan."""

    def __init__(self, service: Service, planned: Present, plan: Plan, policy: OpenSessionPolicy) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._plan = plan
        self._policy = policy
        self._values: Difference = differences(planned.values, values_of(plan.chapter))
        if plan.chapter.publish_at is not None:
            before = planned.publish_at.isoformat() if planned.publish_at else None
            self._values["publish_at"] = before, plan.chapter.publish_at.isoformat()
        self._digests = tuple(page.digest for page in plan.pages)
        self._read_now: tuple[str, ...] = ()

    async def run(self) -> EditResult:
        """Go on from wherever an earlier run stopped.

        Raises:
            UploadError: the chapter is as it was, its groups excepted, which go first.
        """
        latest = self._edits.latest(self._service.host, self._service.account, self._planned.id)
        may_be_begun = latest is not None and latest.state is State.INTENDED
        found = await self._opening().find(latest, may_be_begun=may_be_begun)
        if found is None:
            if await self._has_pages(latest) and "publish_at" not in self._values:
                return await self._only_values()
        elif found[0].version != self._planned.version:
            await abandon(self._service, found[1].id)
            raise VersionConflict(found[0].planned, self._planned)
        if "groups" in self._values:
            await self._put_groups(found)
            found = None
        if found is None:
            edit = self._edits.intend(self._service.host, self._service.account, self._planned, self._plan)
            return await self._change(*await self._opening().begin(edit), is_resumed=False)
        return await self._change(self._edits.replan(found[0], self._plan), found[1], is_resumed=True)

    def _opening(self) -> EditOpening:
        return EditOpening(self._service, self._planned, self._policy)

    async def _has_pages(self, latest: Edit | None) -> bool:
        """Whether the chapter has these pages already, as far as can be told without a session."""
        if latest is not None and latest.state is State.DONE and latest.committed_version == self._planned.version:
            return latest.pages_digest == self._plan.pages_digest  # its readers may get them only later
        if latest is not None and latest.state in (State.COMMITTING, State.UNCONFIRMED):
            if self._planned.version > latest.version:
                return await self._came_through(latest)
            self._edits.move_to(latest, State.CLOSED, problem="its session was closed elsewhere")
        self._read_now = await page_digests(self._service, self._planned.id)
        return self._read_now == self._digests

    async def _came_through(self, latest: Edit) -> bool:
        """Whether a commit that an earlier run did not hear of gave the chapter these pages."""
        if latest.pages_digest != self._plan.pages_digest:
            self._edits.move_to(latest, State.DONE)
            return False
        is_seen = await is_read_as(self._service, self._planned.id, self._digests, LOOK_S)
        version = self._planned.version if is_seen else None
        self._edits.move_to(latest, State.DONE, committed_version=version)
        return is_seen

    async def _only_values(self) -> EditResult:
        if not self._values:
            return EditResult(self._planned.id, self._planned.version)
        changed = await put_values(self._service, self._planned, self._values)
        return EditResult(self._planned.id, changed.version, self._values)

    async def _put_groups(self, found: tuple[Edit, OpenSession] | None) -> None:
        """First, as the chapter itself shows later whether it was done; and a session is begun with one version."""
        if found is not None:
            await abandon(self._service, found[1].id)
        self._planned = await put_values(self._service, self._planned, {"groups": self._values["groups"]})

    async def _change(self, edit: Edit, session: OpenSession, *, is_resumed: bool) -> EditResult:
        try:
            return await self._fill_and_commit(edit, session, is_resumed=is_resumed)
        except UploadError as error:
            self._edits.fail(edit, error.problem)
            raise

    async def _fill_and_commit(self, edit: Edit, session: OpenSession, *, is_resumed: bool) -> EditResult:
        stock = stock_of(self._service, self._plan, session)
        stored = stock.stored
        kept_bytes = sum(page.size_bytes for page in self._plan.pages if page.position in stored)
        self._service.emit(SessionReady(session.id, is_resumed, len(stored), kept_bytes))
        if self._is_as_wanted(session, stored):
            await abandon(self._service, session.id)
            return EditResult(self._planned.id, self._planned.version, self._values)
        missing = [page for page in self._plan.pages if page.position not in stored]
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
            sent_bytes=transfer.sent_bytes,
        )

    def _is_as_wanted(self, session: OpenSession, stored: dict[int, str]) -> bool:
        """Whether the session was begun for nothing. The order that readers get, where they get any, counts for more
        than that of the session's list.
        """
        if self._read_now or self._values.keys() - {"groups"}:
            return False
        listed = [file.id for file in session.files]
        return (
            all(file.is_remote for file in session.files)
            and [stored.get(page.position) for page in self._plan.pages] == listed
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
