"""Committing an edit session once, also where the answer is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan
from mangadex_uploader.committing import LOOK_S
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Present
from mangadex_uploader.edit_sessions import EditOpening
from mangadex_uploader.edit_unheard import UNHEARD, UnheardCommit
from mangadex_uploader.edit_waits import telling_waits
from mangadex_uploader.events import Committing
from mangadex_uploader.fields import check_publish_at, publish_at_on_the_wire
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, read_chapter, read_whole
from mangadex_uploader.service import MAX_TRIES, Service, is_unclear, may_pass
from mangadex_uploader.sessions import OpenSessionPolicy, abandon, session_lost


class EditCommit:
    """Gives a chapter the pages of its edit session."""

    def __init__(self, service: Service, planned: Present, plan: Plan, edit: Edit, policy: OpenSessionPolicy) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._plan = plan
        self._edit = edit
        self._policy = policy
        self._session_id = str(edit.session_id)
        self._may_be_done = edit.state is State.COMMITTING

    async def run(self, page_order: Sequence[str]) -> int:
        """Commit; the chapter's version then.

        Raises:
            VersionConflict: the chapter was changed meanwhile; a session that is left is abandoned, as it cannot be
                used any more.
            SessionLost: it was closed elsewhere.
            Unconfirmed: nothing tells whether it came through.
            UploadError: the chapter is as it was, and the session is still there; or the journal has that it is
                unconfirmed.
        """
        self._check_publish_date()
        self._edits.move_to(self._edit, State.COMMITTING)
        self._service.emit(Committing(self._session_id))
        wanted, tries = self._request(page_order), 0
        while True:
            try:
                commit = self._service.sessions.commit_upload_session(self._session_id, commit_upload_session=wanted)
                chapter = await telling_waits(self._service, "commit", commit)
            except mangadex.OpenApiException as error:
                tries += 1
                if await self._is_gone_after(error, tries):
                    return await self._outcome()
                self._check_publish_date()
            else:
                version = Present.of(chapter).version
                self._edits.move_to(self._edit, State.DONE, committed_version=version)
                return version

    async def _is_gone_after(self, error: mangadex.OpenApiException, tries: int) -> bool:
        """Whether the session ended as after a commit; otherwise it is time for another attempt.

        Raises:
            UploadError: there shall be none.
        """
        self._may_be_done = self._may_be_done or is_unclear(error)
        if isinstance(error, mangadex.NotFound):
            return True
        if isinstance(error, mangadex.Conflict):
            await self._check_version(error)
        if not self._may_be_done and (not may_pass(error) or tries > MAX_TRIES):
            self._edits.move_to(self._edit, State.OPEN)
        await self._service.pause_after(error, tries)
        if not is_unclear(error):
            return False
        present = await self._service.open_session()
        return present is None or present.id != self._session_id

    async def _check_version(self, error: mangadex.Conflict) -> None:
        present = await read_chapter(self._service, self._planned.id)
        if present.version != self._planned.version:
            await abandon(self._service, self._session_id)
            raise await conflict_with(self._service, self._planned.shown(), present) from error

    async def _outcome(self) -> int:
        """Of a session that ended unheard: the same version as before says that nothing was committed, and another one
        than the next, or other values than the wanted ones, that somebody else has changed the chapter.
        """
        present = await read_whole(self._service, self._planned.id)
        if present.version == self._planned.version:
            self._edits.move_to(self._edit, State.CLOSED, problem="its session was closed elsewhere")
            raise session_lost(self._session_id)
        if not self._may_be_done or not self._edit.is_followed_by(present):
            self._edits.move_to(self._edit, State.CLOSED, problem="the chapter was changed elsewhere")
            raise await conflict_with(self._service, self._planned.shown(), present, UNHEARD)
        opening = EditOpening(self._service, present, self._policy)
        await UnheardCommit(self._service, present, self._plan, self._edit, opening).prove(LOOK_S)
        return present.version

    def _check_publish_date(self) -> None:
        if self._plan.chapter.publish_at is not None:
            check_publish_at(self._plan.chapter.publish_at, now=datetime.now(UTC))

    def _request(self, page_order: Sequence[str]) -> mangadex.CommitUploadSession:
        """The whole draft, as it replaces all that the chapter has but its groups and its time (contract 5.2)."""
        chapter = self._plan.chapter
        draft = {
            "volume": chapter.volume,
            "chapter": chapter.chapter,
            "title": chapter.title,
            "translatedLanguage": chapter.language,
        }
        if self._planned.external_url is not None:
            draft["externalUrl"] = self._planned.external_url
        if chapter.publish_at is not None:
            draft["publishAt"] = publish_at_on_the_wire(chapter.publish_at)
        return mangadex.CommitUploadSession(
            chapter_draft=mangadex.ChapterDraft.from_dict(draft), page_order=list(page_order), terms_accepted=True
        )
