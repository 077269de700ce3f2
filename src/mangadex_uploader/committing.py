"""Publishing a filled session once, also where the answer is lost (design 4, "Lost commit answer")."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import mangadex_openapi as mangadex
from mangadex_uploader.catalogue import published_since
from mangadex_uploader.chapter import Plan
from mangadex_uploader.errors import TryLater
from mangadex_uploader.events import Committing, Note, Retrying
from mangadex_uploader.fields import publish_at_on_the_wire
from mangadex_uploader.journal import State, Upload
from mangadex_uploader.service import MAX_TRIES, Service, is_unclear, may_pass, stopped_by, wait_s
from mangadex_uploader.sessions import session_lost

LOOK_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0)
"""The waits before each look for a chapter whose commit was not answered: half a minute in all."""


@dataclass(frozen=True, slots=True)
class Committed:
    """What is known of the chapter."""

    chapter_id: str | None


class Commit:
    """Publishes one session."""

    def __init__(self, service: Service, plan: Plan, upload: Upload) -> None:
        self._service = service
        self._plan = plan
        self._upload = upload

    async def run(self, page_order: Sequence[str]) -> Committed:
        """Commit, and find the chapter if the answer is lost.

        Raises:
            UploadError: it is not published; the session is still there unless it says otherwise.
        """
        journal, session_id = self._service.journal, str(self._upload.session_id)
        journal.move_to(self._upload, State.COMMITTING)
        self._service.emit(Committing(session_id))
        wanted, tries, may_be_there = self._request(page_order), 0, False
        while True:
            try:
                chapter = await self._service.sessions.commit_upload_session(session_id, commit_upload_session=wanted)
            except mangadex.OpenApiException as error:
                tries += 1
                may_be_there = may_be_there or is_unclear(error)
                if isinstance(error, mangadex.NotFound):
                    return await self._find() if may_be_there else self._lost()
                if not may_pass(error):
                    journal.move_to(self._upload, State.OPEN, problem=str(error))
                    raise stopped_by(error) from error
                if tries > MAX_TRIES:
                    raise TryLater(f"{error} Run the same command again; it goes on with the commit.") from error
                await self._pause(tries, error)
                present = await self._service.open_session() if is_unclear(error) else None
                if is_unclear(error) and (present is None or present.id != session_id):
                    return await self._find()
            else:
                journal.move_to(self._upload, State.DONE, chapter_id=str(chapter.id))
                return Committed(str(chapter.id))

    async def _find(self) -> Committed:
        """The session is gone as after a commit."""
        return await find_committed(self._service, self._plan, self._upload)

    def _lost(self) -> Committed:
        self._service.journal.move_to(self._upload, State.CLOSED, problem="its session was closed elsewhere")
        raise session_lost(str(self._upload.session_id))

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

    async def _pause(self, tries: int, error: mangadex.OpenApiException) -> None:
        seconds = wait_s(tries, error)
        self._service.emit(Retrying(str(error), seconds))
        await asyncio.sleep(seconds)


async def find_committed(service: Service, plan: Plan, upload: Upload) -> Committed:
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
            return Committed(found[0].id)
    service.emit(
        Note(
            "The session ended as after a commit, but the chapter cannot be seen yet; one that waits for approval "
            "stays invisible. It is not uploaded again unless you use --allow-duplicate."
        )
    )
    return Committed(None)
