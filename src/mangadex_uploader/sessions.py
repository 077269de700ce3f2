"""Getting a session for a chapter: ours is resumed, anybody else's is left alone (design 4, "Whose session")."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_journal import Edits
from mangadex_uploader.errors import ForeignSession, SessionLost
from mangadex_uploader.events import Note
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State, Upload
from mangadex_uploader.service import MAX_TRIES, Service, is_answered, is_unclear, may_pass, stopped_by
from mangadex_uploader.whose import is_of, shown

__all__ = ["CLOCK_GRAIN_S", "OpenSessionPolicy", "Opened", "Opening", "abandon", "session_lost", "shown"]

CLOCK_GRAIN_S = 2.0
"""The service tells its time and a session's in whole seconds."""


class OpenSessionPolicy(Enum):
    """What to do with a session that is open and not ours."""

    STOP = "stop"
    ADOPT = "adopt"
    ABANDON = "abandon"


@dataclass(frozen=True, slots=True)
class Opened:
    """The session of an upload; `resumed` if it was open before."""

    upload: Upload
    session: OpenSession
    resumed: bool


class Opening:
    """Opens one chapter's session."""

    def __init__(self, service: Service, plan: Plan, policy: OpenSessionPolicy) -> None:
        self._service = service
        self._journal = service.journal
        self._plan = plan
        self._policy = policy

    async def resume(self, upload: Upload) -> Opened | None:
        """The session that this upload had; None if it is open no more.

        Raises:
            UploadError: the service could not be asked.
        """
        present = await self._service.open_session()
        if present is None or present.id != upload.session_id:
            return None
        return Opened(self._journal.replan(upload, self._plan), present, resumed=True)

    async def begin(self, upload: Upload | None) -> Opened:
        """A session for this chapter: a new one, or one that this `upload` asked for without hearing of it.

        Raises:
            ForeignSession: one is open that is not proved to be ours.
            UploadError: the service does not let us begin.
        """
        if upload is None:
            upload = self._journal.intend(self._service.host, self._service.account, self._plan)
        else:  # looked for before the moment at which it was asked for is forgotten
            upload = self._journal.replan(upload, self._plan)
            opened = await self._find(upload, heard_at=upload.intended_at)
            if opened is not None:
                return opened
            upload = self._journal.begin_again(upload)
        chapter, tries, may_be_begun = self._plan.chapter, 0, False
        wanted = mangadex.BeginUploadSession(manga=chapter.manga, groups=list(chapter.groups))
        while True:
            try:
                answer = await self._service.sessions.begin_upload_session(begin_upload_session=wanted)
                return self._opened(upload, OpenSession.of(answer), resumed=False, is_ours=True)
            except mangadex.OpenApiException as error:
                tries += 1
                may_be_begun = may_be_begun or is_unclear(error)
                if is_unclear(error) or is_answered(error):  # whatever the refusal says (contract 12.1)
                    opened = await self._find(upload, heard_at=self._journal.now() if may_be_begun else None)
                    if opened is not None:
                        return opened
                if not isinstance(error, mangadex.Conflict) or tries > MAX_TRIES:  # it was open a moment ago
                    if not may_pass(error):
                        self._journal.move_to(upload, State.CLOSED, problem=str(error))
                    await self._service.pause_after(error, tries)
                upload = self._journal.begin_again(upload)

    async def _find(self, upload: Upload, *, heard_at: float | None) -> Opened | None:
        """The open session if it is ours, or becomes so; None if none is open (any more).

        Args:
            upload: what is open is its session only if all that is known of it says so: see `_was_begun_by`.
            heard_at: when it was known that nothing would be heard of its begin, which is the moment of that if the
                program was ended then; None if it was answered.

        Raises:
            ForeignSession: one is open that is not proved to be ours.
            UploadError: the service could not be asked.
        """
        found = await self._service.open_session_and_clock()
        if found is None:
            return None
        session, ahead_s = found
        earlier = self._journal.of_session(self._service.host, self._service.account, session.id)
        if earlier is not None and is_of(earlier, self._plan):
            self._journal.move_to(upload, State.CLOSED)
            return self._opened(
                self._journal.replan(earlier, self._plan), session, resumed=True, is_ours=earlier.is_ours
            )
        edit = Edits(self._journal).of_session(self._service.host, self._service.account, session.id)
        is_for_this = edit is None and not session.edits and self._is_of_same_work(session)
        is_adoptable = is_for_this and self._is_known_whole(session)
        if earlier is None:
            was_begun = heard_at is not None and self._was_begun_by(upload, session, ahead_s, heard_at)
            if is_for_this and (self._fits(session) or was_begun):
                return self._opened(upload, session, resumed=True, is_ours=was_begun)
            if is_adoptable and self._policy is OpenSessionPolicy.ADOPT:
                self._service.emit(Note(f"The open session {session.id} is used, as told."))
                return self._opened(upload, session, resumed=True, is_ours=False)
        may_be_committed = earlier is not None and earlier.state in (State.COMMITTING, State.UNCONFIRMED)
        if edit is None and not may_be_committed and self._policy is OpenSessionPolicy.ABANDON:
            await abandon(self._service, session.id)
            self._service.emit(Note(f"The open session {session.id} was abandoned, as told."))
            return None
        may_be_ours = heard_at is not None and earlier is None and is_for_this and not session.files
        still = State.INTENDED if may_be_ours else State.CLOSED
        self._journal.move_to(upload, still, problem="another session is open")
        told = shown(session, earlier or edit, is_adoptable=is_adoptable, may_be_ours=may_be_ours)
        raise ForeignSession(told, session.id)

    def _is_of_same_work(self, session: OpenSession) -> bool:
        """Whether what it would publish is of this manga and these groups: a commit cannot say otherwise."""
        chapter = self._plan.chapter
        return session.manga == chapter.manga and sorted(session.groups) == sorted(chapter.groups)

    def _is_known_whole(self, session: OpenSession) -> bool:
        """Whether the service says enough of its files to tell that it changes no published chapter."""
        if session.files:
            return all(file.name or file.size_bytes for file in session.files)
        return self._journal.knows(self._service.host, "lists_files")

    def _fits(self, session: OpenSession) -> bool:
        """Whether its files are pages of this plan, by names that only this program gives."""
        known = {page.digest[:16] for page in self._plan.pages}
        return bool(session.files) and all(file.hash_in_name in known for file in session.files)

    def _was_begun_by(self, upload: Upload, session: OpenSession, ahead_s: float, heard_at: float) -> bool:
        """Whether no page is known to be in it, and it is of the very moment at which this upload asked for one.

        Nothing else tells: no other program is likely to begin one for the same work within these seconds.
        """
        if session.files or session.created_at is None:
            return False
        created_at = session.created_at.timestamp() - ahead_s
        return upload.intended_at - CLOCK_GRAIN_S <= created_at <= heard_at + CLOCK_GRAIN_S

    def _opened(self, upload: Upload, session: OpenSession, *, resumed: bool, is_ours: bool) -> Opened:
        begun_at = session.created_at.timestamp() if session.created_at else None
        its = {"session_id": session.id, "user_id": session.user_id, "begun_at": begun_at, "is_ours": is_ours}
        moved = self._journal.move_to(upload, State.OPEN, **its)
        return Opened(moved, session, resumed)


async def abandon(service: Service, session_id: str) -> None:
    """Delete a session, and note that an upload of ours lost it.

    Raises:
        UploadError: the service does not do it.
    """
    try:
        await service.sessions.abandon_upload_session(session_id)
    except mangadex.NotFound:
        pass  # it is gone, which is what was wanted
    except mangadex.OpenApiException as error:
        raise stopped_by(error) from error
    upload = service.journal.of_session(service.host, service.account, session_id)
    if upload is not None and upload.state in (State.OPEN, State.COMMITTING):
        service.journal.move_to(upload, State.CLOSED, problem="its session was abandoned")
    edit = Edits(service.journal).of_session(service.host, service.account, session_id)
    if edit is not None and edit.state in (State.OPEN, State.COMMITTING):
        Edits(service.journal).move_to(edit, State.CLOSED, problem="its session was abandoned")


def session_lost(session_id: str) -> SessionLost:
    """The error of an upload whose session is gone."""
    return SessionLost(
        f"Session {session_id} was closed elsewhere, and nothing was published. Run the same command to begin anew."
    )
