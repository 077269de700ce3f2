"""Getting an edit session for a chapter: ours is resumed, anybody else's is left alone (design 4, "Whose session")."""

from __future__ import annotations

import time

import mangadex_openapi as mangadex
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Present, VersionConflict
from mangadex_uploader.errors import ForeignSession, Hopeless
from mangadex_uploader.events import Note
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State
from mangadex_uploader.published import read_chapter
from mangadex_uploader.service import INCLUDES, MAX_TRIES, Service, is_answered, is_unclear, may_pass
from mangadex_uploader.sessions import CLOCK_GRAIN_S, INTENT_S, OpenSessionPolicy, abandon, shown


class EditOpening:
    """Opens one chapter's edit session."""

    def __init__(self, service: Service, planned: Present, policy: OpenSessionPolicy) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._policy = policy

    async def find(self, latest: Edit | None, *, may_be_begun: bool) -> tuple[Edit, OpenSession] | None:
        """The session of an edit of this chapter that is open; None if no session is open (any more).

        `may_be_begun` says that a begin of `latest` was sent and not heard of. What it opened is abandoned: nothing of
        ours is in it, and only the answer to a begin proves which chapter a session edits.

        Raises:
            ForeignSession: one is open that is not ours.
            UploadError: the service could not be asked.
        """
        found = await self._service.open_session_and_clock()
        if found is None:
            return None
        session, ahead_s = found
        edit = self._edits.of_session(self._service.host, self._service.account, session.id)
        if edit is not None and edit.chapter_id == self._planned.id:
            return edit, session
        upload = self._service.journal.of_session(self._service.host, self._service.account, session.id)
        if edit is None and upload is None:
            was_begun = may_be_begun and latest is not None and self._was_begun_by(latest, session, ahead_s)
            if was_begun or self._policy is OpenSessionPolicy.ABANDON:
                await abandon(self._service, session.id)
                why = "as its begin was not heard of" if was_begun else "as told"
                self._service.emit(Note(f"The open session {session.id} was abandoned, {why}."))
                return None
        raise ForeignSession(shown(session, upload or edit, is_adoptable=False), session.id)

    async def begin(self, edit: Edit) -> tuple[Edit, OpenSession]:
        """A new session with the chapter's pages.

        Raises:
            VersionConflict: the chapter was changed since it was planned with.
            ForeignSession: one is open that is not ours.
            UploadError: the service does not let us begin.
        """
        wanted = mangadex.BeginEditSession(version=self._planned.version)
        tries, may_be_begun = 0, False
        while True:
            try:
                answer = await self._service.sessions.begin_edit_session(
                    self._planned.id, begin_edit_session=wanted, includes=INCLUDES
                )
            except mangadex.OpenApiException as error:
                tries += 1
                may_be_begun = may_be_begun or is_unclear(error)
                await self._look_after(error, edit, may_be_begun=may_be_begun)
                if isinstance(error, mangadex.Conflict) and tries <= MAX_TRIES:
                    continue  # it was open a moment ago
                if not may_pass(error):
                    self._edits.move_to(edit, State.CLOSED, problem=str(error))
                await self._service.pause_after(error, tries)
            else:
                session = OpenSession.of(answer)
                moved = self._edits.move_to(edit, State.OPEN, session_id=session.id)
                if not session.files:  # not every answer lists them (contract 3.3)
                    session = await self._service.open_session() or session
                return moved, session

    async def _look_after(self, error: mangadex.OpenApiException, edit: Edit, *, may_be_begun: bool) -> None:
        """Make room for another attempt, or find out why there can be none."""
        try:
            if isinstance(error, mangadex.Unauthorized):
                await self._refuse(error)
            if is_unclear(error) or is_answered(error):
                await self.find(edit, may_be_begun=may_be_begun)
            if isinstance(error, mangadex.Conflict):
                await self._check_version(error)
        except (ForeignSession, Hopeless, VersionConflict) as reason:
            self._edits.move_to(edit, State.CLOSED, problem=reason.problem)
            raise

    async def _refuse(self, error: mangadex.Unauthorized) -> None:
        await self._service.open_session()  # a sign-in that is refused is refused here, too
        raise Hopeless(
            f"Chapter {self._planned.id}: this account may not edit it; only its uploader and the members of its "
            "groups may."
        ) from error

    async def _check_version(self, error: mangadex.Conflict) -> None:
        present = await read_chapter(self._service, self._planned.id)
        if present.version != self._planned.version:
            raise VersionConflict(self._planned.shown(), present) from error

    def _was_begun_by(self, edit: Edit, session: OpenSession, ahead_s: float) -> bool:
        return (
            session.manga == self._planned.manga
            and sorted(session.groups) == sorted(self._planned.values.groups)
            and all(file.is_remote or not file.name for file in session.files)
            and session.created_at is not None
            and session.created_at.timestamp() >= edit.intended_at + ahead_s - CLOCK_GRAIN_S
            and time.time() - edit.intended_at <= INTENT_S
        )
