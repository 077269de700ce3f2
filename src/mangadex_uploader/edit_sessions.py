"""Getting an edit session for a chapter: ours is resumed, anybody else's is left alone (design 4, "Whose session")."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_conflict import VersionConflict
from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.edit_plan import Present
from mangadex_uploader.edit_waits import telling_waits
from mangadex_uploader.errors import ForeignSession, Hopeless
from mangadex_uploader.events import Note
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, read_chapter
from mangadex_uploader.service import INCLUDES, MAX_TRIES, Service, is_answered, is_unclear, may_pass
from mangadex_uploader.sessions import CLOCK_GRAIN_S, OpenSessionPolicy, abandon, shown

PREFIX_DIGITS = 16  # of a hash in a page's name (design 4)


class EditOpening:
    """Opens one chapter's edit session."""

    def __init__(self, service: Service, planned: Present, policy: OpenSessionPolicy) -> None:
        self._service = service
        self._edits = Edits(service.journal)
        self._planned = planned
        self._policy = policy

    async def has_ours(self) -> bool:
        """Whether a session is open that the journal knows as one of an edit of this chapter.

        Raises:
            UploadError: the service could not be asked.
        """
        session = await self._service.open_session()
        edit = None if session is None else self._of_session(session)
        return edit is not None and edit.chapter_id == self._planned.id

    async def find(self, unheard: Edit | None, heard_at: float | None = None) -> tuple[Edit, OpenSession] | None:
        """The session of an edit of this chapter that is open; None if no session is open (any more), as one that an
        earlier run only looked into is not.

        Args:
            unheard: an edit whose begin was sent and not heard of. What is open is its session only if all that is
                known of it says so: see `_was_begun_by`.
            heard_at: when it was known that nothing would be heard; None if the program was ended before that.

        Raises:
            ForeignSession: one is open that is not proved to be ours.
            UploadError: the service could not be asked.
        """
        found = await self._service.open_session_and_clock()
        if found is None:
            return None
        session, ahead_s = found
        edit = self._of_session(session)
        if edit is not None and edit.chapter_id == self._planned.id:
            return None if await self._is_left_look(edit, session) else (edit, session)
        upload = self._service.journal.of_session(self._service.host, self._service.account, session.id)
        if edit is None and upload is None:
            is_ours = unheard is not None and self._was_begun_by(unheard, session, ahead_s, heard_at)
            if is_ours or self._policy is OpenSessionPolicy.ABANDON:
                await abandon(
                    self._service, session.id
                )  # ours is empty, and begun anew: the answer is the better proof
                why = "as this edit asked for it and was not answered" if is_ours else "as told"
                self._service.emit(Note(f"The open session {session.id} was abandoned, {why}."))
                return None
        what = _of_another_edit(session, edit) if edit else shown(session, upload, is_adoptable=False)
        may_be_ours = unheard is not None and edit is None and upload is None and self._may_be_of_this(session)
        raise ForeignSession(f"{what}{MAY_BE_OURS if may_be_ours else ''}", session.id)

    async def begin(self, plan: Plan, options: Sequence[str], *, is_look: bool = False) -> tuple[Edit, OpenSession]:
        """A new session with the chapter's pages; of one that `is_look` no run makes more than a look.

        Raises:
            VersionConflict: the chapter was changed since it was planned with.
            ForeignSession: one is open that is not ours.
            UploadError: the service does not let us begin.
        """
        key = self._service.host, self._service.account
        edit = self._edits.intend(*key, self._planned, plan, options, is_look=is_look)
        wanted = mangadex.BeginEditSession(version=self._planned.version)
        tries, may_be_begun = 0, False
        while True:
            try:
                begin = self._service.sessions.begin_edit_session(
                    self._planned.id, begin_edit_session=wanted, includes=INCLUDES
                )
                answer = await telling_waits(self._service, "begin", begin)
            except mangadex.OpenApiException as error:
                tries += 1
                may_be_begun = may_be_begun or is_unclear(error)
                found = await self._look_after(error, edit, may_be_begun=may_be_begun)
                if found is not None:
                    return found
                if not isinstance(error, mangadex.Conflict) or tries > MAX_TRIES:  # it was open a moment ago
                    if not may_pass(error):
                        self._edits.move_to(edit, State.CLOSED, problem=str(error))
                    await self._service.pause_after(error, tries)
                edit = self._edits.begin_again(edit)
            else:
                session = OpenSession.of(answer)
                moved = self._edits.move_to(edit, State.OPEN, session_id=session.id)
                if not session.files:  # not every answer lists them (contract 3.3)
                    session = await self._service.open_session() or session
                return moved, session

    async def _look_after(
        self, error: mangadex.OpenApiException, edit: Edit, *, may_be_begun: bool
    ) -> tuple[Edit, OpenSession] | None:
        """What a begin that failed has opened, or why there can be no other."""
        heard_at = self._service.journal.now()
        try:
            if isinstance(error, mangadex.Unauthorized):
                await self._refuse(error)
            if is_unclear(error) or is_answered(error):
                found = await self.find(edit if may_be_begun else None, heard_at)
                if found is not None:
                    return found
            if isinstance(error, mangadex.Conflict):
                await self._check_version(error)
        except (ForeignSession, Hopeless, VersionConflict) as reason:
            self._edits.move_to(edit, State.CLOSED, problem=reason.problem)
            raise
        return None

    async def _refuse(self, error: mangadex.Unauthorized) -> None:
        await self._service.open_session()  # a sign-in that is refused is refused here, too
        raise Hopeless(
            f"Chapter {self._planned.id}: this account may not edit it; only its uploader and the members of its "
            "groups may."
        ) from error

    async def _check_version(self, error: mangadex.Conflict) -> None:
        present = await read_chapter(self._service, self._planned.id)
        if present.version != self._planned.version:
            raise await conflict_with(self._service, self._planned.shown(), present) from error

    async def _is_left_look(self, edit: Edit, session: OpenSession) -> bool:
        if edit.is_look:
            await abandon(self._service, session.id)
            self._service.emit(
                Note(f"The open session {session.id} was abandoned: an earlier run only looked into it.")
            )
        return edit.is_look

    def _of_session(self, session: OpenSession) -> Edit | None:
        return self._edits.of_session(self._service.host, self._service.account, session.id)

    def _was_begun_by(self, edit: Edit, session: OpenSession, ahead_s: float, heard_at: float | None) -> bool:
        """Whether a session is of this chapter, untouched, and of the very moment at which this edit asked for one.

        A service does not say which chapter a session edits. Its present pages do, where they are listed by names or
        hashes, and the time does, as no other program is likely to begin one within these seconds.
        """
        if session.created_at is None or edit.version != self._planned.version:
            return False
        created_at = session.created_at.timestamp() - ahead_s
        until = edit.begin_sent_at if heard_at is None else heard_at
        return (
            edit.begin_sent_at - CLOCK_GRAIN_S <= created_at <= until + CLOCK_GRAIN_S
            and session.manga == self._planned.manga
            and sorted(session.groups) == sorted(self._planned.values.groups)
            and self._has_present_pages(session)
        )

    def _may_be_of_this(self, session: OpenSession) -> bool:
        has_sent_pages = any(file.name and not file.is_remote for file in session.files)
        return session.manga == self._planned.manga and not has_sent_pages

    def _has_present_pages(self, session: OpenSession) -> bool:
        listed = Counter(file.hash_in_name or (file.digest or "")[:PREFIX_DIGITS] for file in session.files)
        present = Counter(digest[:PREFIX_DIGITS] for digest in self._planned.digests)
        return bool(present) and listed == present and all(file.is_remote for file in session.files)


MAY_BE_OURS = (
    " It may be the one that this edit asked for without hearing of it, which cannot be told for sure: `mangadex "
    "session show` shows it."
)


def _of_another_edit(session: OpenSession, edit: Edit) -> str:
    return (
        f"Session {session.id} is open and belongs to your edit of chapter {edit.chapter_id}, which is not finished: "
        f"run `{edit.command}`, or `mangadex session abandon`."
    )
