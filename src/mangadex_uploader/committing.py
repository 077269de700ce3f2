"""Publishing a filled session once, also where the answer is lost (design 4, "Lost commit answer")."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import mangadex_openapi as mangadex
from mangadex_uploader.catalogue import published_since
from mangadex_uploader.chapter import Plan
from mangadex_uploader.events import Committing, Note
from mangadex_uploader.fields import publish_at_on_the_wire
from mangadex_uploader.journal import State, Upload
from mangadex_uploader.service import MAX_TRIES, Service, is_unclear, may_pass
from mangadex_uploader.sessions import session_lost

LOOK_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
"""The waits before each look for a chapter whose commit was not answered: half a minute in all."""


class Commit:
    """Publishes one session.

    `check` is asked before every attempt, and raises where the chapter shall not be published any more.
    """

    def __init__(self, service: Service, plan: Plan, upload: Upload, check: Callable[[], None]) -> None:
        self._service = service
        self._plan = plan
        self._upload = upload
        self._session_id = str(upload.session_id)
        self._check = check
        self._may_be_there = upload.state in (State.COMMITTING, State.UNCONFIRMED)

    async def run(self, page_order: Sequence[str]) -> str | None:
        """Commit, and find the chapter if the answer is lost; its id, or None where it cannot be seen yet.

        Raises:
            UploadError: it is not published; the session is still there unless it says otherwise.
        """
        self._check()
        wanted, tries = self._request(page_order), 0
        self._service.journal.move_to(self._upload, State.COMMITTING)
        self._service.emit(Committing(self._session_id))
        while True:
            try:
                chapter = await self._service.sessions.commit_upload_session(
                    self._session_id, commit_upload_session=wanted
                )
            except mangadex.OpenApiException as error:
                tries += 1
                if await self._is_gone_after(error, tries):
                    return await find_committed(self._service, self._plan, self._upload)
                self._check()
            else:
                self._service.journal.move_to(self._upload, State.DONE, chapter_id=str(chapter.id))
                return str(chapter.id)

    async def _is_gone_after(self, error: mangadex.OpenApiException, tries: int) -> bool:
        """Whether the session ended as after a commit; otherwise it is time for another attempt.

        Raises:
            UploadError: there shall be none.
        """
        self._may_be_there = self._may_be_there or is_unclear(error)
        if isinstance(error, mangadex.NotFound):
            if self._may_be_there:
                return True
            self._service.journal.move_to(self._upload, State.CLOSED, problem="its session was closed elsewhere")
            raise session_lost(self._session_id) from error
        if not self._may_be_there and (not may_pass(error) or tries > MAX_TRIES):
            self._service.journal.move_to(self._upload, State.OPEN)
        await self._service.pause_after(error, tries)
        if not is_unclear(error):
            return False
        present = await self._service.open_session()
        return present is None or present.id != self._session_id

    def _request(self, page_order: Sequence[str]) -> mangadex.CommitUploadSession:
        chapter = self._plan.chapter
        draft = {
            "volume": chapter.volume,
            "chapter": chapter.chapter,
            "title": chapter.title,
            "translatedLanguage": chapter.language,
        }
        if chapter.publish_at is not None:
            draft["publishAt"] = publish_at_on_the_wire(chapter.publish_at)
        return mangadex.CommitUploadSession(
            chapter_draft=mangadex.ChapterDraft.from_dict(draft), page_order=list(page_order), terms_accepted=True
        )


async def find_committed(service: Service, plan: Plan, upload: Upload) -> str | None:
    """Look for the chapter of a session that ended without an answer; not seeing it yet is no failure.

    Raises:
        UploadError: the service could not be asked.
    """
    upload = service.journal.move_to(upload, State.UNCONFIRMED)
    since = datetime.fromtimestamp(upload.intended_at if upload.begun_at is None else upload.begun_at, UTC)
    for seconds in LOOK_S:
        await asyncio.sleep(seconds)
        found = await published_since(service, plan.chapter, upload.user_id, since)
        if found:
            service.journal.move_to(upload, State.DONE, chapter_id=found[0].id)
            return found[0].id
    service.emit(
        Note(
            "The session ended as after a commit, but the chapter cannot be seen yet; one that waits for approval "
            "stays invisible. It is not uploaded again unless you use --allow-duplicate."
        )
    )
    return None
