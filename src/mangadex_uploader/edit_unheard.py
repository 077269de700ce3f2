"""What became of a commit that was not answered and whose session is gone: it came through, somebody else's did, or
neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_conflict import VersionConflict
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import EditResult, Present
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_stock import is_known_whole, lists_exactly, stock_of
from mangadex_uploader.errors import ForeignSession, Unconfirmed
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, is_read_as
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import abandon

UNHEARD = "The commit of this edit was not answered, and may have come through before that."


class UnheardCommit:
    """The last edit of a chapter, whose session is not open any more. `opening` is for the chapter as it is now."""

    def __init__(self, service: Service, present: Present, plan: Plan, edit: Edit, opening: EditOpening) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._present = present
        self._plan = plan
        self._edit = edit
        self._opening = opening
        self._digests = tuple(page.digest for page in plan.pages)

    async def became(self) -> EditResult | None:
        """The result, if it gave the chapter the planned pages; None if the edit has to be made (anew).

        Raises:
            VersionConflict: the chapter was changed by somebody else.
            Unconfirmed: it may have come through.
            UploadError: the service could not be asked.
        """
        if self._present.version == self._edit.version:
            self._edits.move_to(self._edit, State.CLOSED, problem="its session was closed elsewhere")
            return None
        if not self._edit.is_followed_by(self._present):
            await self._stop()
        if self._edit.pages_digest != self._plan.pages_digest:
            self._edits.move_to(self._edit, State.CLOSED, problem="given up for another edit before it was confirmed")
            return None
        await self.prove()
        is_shown = self._present.digests == self._digests
        return EditResult(self._present.id, self._present.version, confirmed=is_shown, already_done=True)

    async def prove(self, waits_s: Sequence[float] = ()) -> None:
        """Find the pages in the chapter, of which version and values are as after the commit.

        Args:
            waits_s: before each look at what readers get, after the chapter itself did not tell.

        Raises:
            VersionConflict: the chapter has other pages.
            Unconfirmed: nothing tells which it has.
            UploadError: the service could not be asked.
        """
        self._edits.move_to(self._edit, State.UNCONFIRMED)
        is_told = self._edit.planned["page_digests"] != list(self._digests)  # else readers may get them as before
        is_there = (is_told and self._present.digests == self._digests) or await self._is_in_chapter()
        if not is_there and is_told:
            is_there = await is_read_as(self._service, self._present.id, self._digests, waits_s)
        if not is_there:
            unconfirmed = Unconfirmed(_may_have_come_through(self._present.id))
            self._edits.fail(self._edit, unconfirmed.problem)
            raise unconfirmed
        self._edits.move_to(self._edit, State.DONE, committed_version=self._present.version)

    async def _is_in_chapter(self) -> bool:
        """Whether a new session of the chapter lists exactly these pages; False where its list does not tell, be it
        that nothing is listed, or in an order that need not be that of readers.

        Raises:
            VersionConflict: it has others.
        """
        try:
            _, session = await self._opening.begin(self._plan, self._edit.options, is_look=True)
        except ForeignSession:
            return False
        except VersionConflict as conflict:
            self._present = conflict.now
            await self._stop()
        await abandon(self._service, session.id)
        stock = stock_of(self._service, self._plan, session)
        is_whole = len(stock.stored) == len(self._plan.pages) and not stock.surplus
        if is_known_whole(self._service, self._plan, session) and not is_whole:
            await self._stop()
        return is_whole and lists_exactly(session, self._plan, stock.stored)

    async def _stop(self) -> NoReturn:
        self._edits.move_to(self._edit, State.CLOSED, problem="the chapter was changed elsewhere")
        raise await conflict_with(self._service, self._edit.planned, self._present, UNHEARD)


def _may_have_come_through(chapter_id: str) -> str:
    return (
        f"Chapter {chapter_id}: may have these pages: the answer to their commit was lost. The chapter has the "
        "version and values of it, but neither do readers get these pages, as before their time, approval or "
        "processing, nor does the service list them all in order. Look for them at the service. The same command "
        "looks again, and sends nothing; if the chapter has other pages, add --send-again to it."
    )
