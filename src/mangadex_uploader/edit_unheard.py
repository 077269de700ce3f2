"""What became of a commit that an earlier run did not hear of: it came through, somebody else's did, or neither."""

from __future__ import annotations

from mangadex_uploader.chapter import Plan
from mangadex_uploader.committing import LOOK_S
from mangadex_uploader.edit_commit import NOT_SHOWN, UNHEARD
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import EditResult, Present
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_stock import is_known_whole, lists_exactly, stock_of
from mangadex_uploader.events import Note
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, is_read_as, waits_for_approval
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import abandon


class UnheardCommit:
    """The last edit of a chapter, whose session is not open any more."""

    def __init__(self, service: Service, planned: Present, plan: Plan, edit: Edit, opening: EditOpening) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._plan = plan
        self._edit = edit
        self._opening = opening
        self._digests = tuple(page.digest for page in plan.pages)

    async def became(self) -> EditResult | None:
        """The result, if it gave the chapter the planned pages, or may have; None if the edit has to be made (anew).

        Raises:
            VersionConflict: the chapter was changed by somebody else.
            UploadError: the service could not be asked.
        """
        if self._planned.version == self._edit.version:
            self._edits.move_to(self._edit, State.CLOSED, problem="its session was closed elsewhere")
            return None
        if not self._edit.is_followed_by(self._planned):
            await self._stop()
        if self._edit.pages_digest != self._plan.pages_digest:
            self._edits.move_to(self._edit, State.CLOSED, problem="given up for another edit before it was confirmed")
            return None
        was_shown_before = self._edit.planned["page_digests"] == list(self._digests)
        if not was_shown_before and await is_read_as(self._service, self._planned.id, self._digests, LOOK_S[:1]):
            return self._came_through(is_shown=True)
        if await self._is_committed():
            return self._came_through(is_shown=self._planned.digests == self._digests)
        self._service.emit(Note(NOT_SHOWN))
        waits = await waits_for_approval(self._service, self._planned.id, self._plan.chapter)
        return EditResult(self._planned.id, self._planned.version, confirmed=False, needs_approval=waits)

    def _came_through(self, *, is_shown: bool) -> EditResult:
        self._edits.move_to(self._edit, State.DONE, committed_version=self._planned.version)
        return EditResult(self._planned.id, self._planned.version, confirmed=is_shown, already_done=True)

    async def _is_committed(self) -> bool:
        """Whether a new session of the chapter lists exactly these pages; False where its list does not tell.

        Raises:
            VersionConflict: it has others.
        """
        _, session = await self._opening.begin(self._plan, self._edit.options)
        await abandon(self._service, session.id)
        stock = stock_of(self._service, self._plan, session)
        is_whole = len(stock.stored) == len(self._plan.pages) and not stock.surplus
        if is_known_whole(self._service, self._plan, session) and not is_whole:
            await self._stop()
        is_committed = is_whole and lists_exactly(session, self._plan, stock.stored)
        if not is_committed:  # nothing is listed, or in an order that need not be that of readers
            self._edits.move_to(self._edit, State.UNCONFIRMED)
        return is_committed

    async def _stop(self) -> None:
        self._edits.move_to(self._edit, State.CLOSED, problem="the chapter was changed elsewhere")
        raise await conflict_with(self._service, self._edit.planned, self._planned, UNHEARD)
