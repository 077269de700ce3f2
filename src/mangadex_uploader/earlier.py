"""What an earlier run has done that was cut off, as `upload` would find it; nothing is changed at the service."""

from __future__ import annotations

from mangadex_uploader.batch_endings import ending_of
from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.committing import find_committed
from mangadex_uploader.connected import Connected
from mangadex_uploader.endings import Ending
from mangadex_uploader.errors import DuplicateChapter, SignInNeeded
from mangadex_uploader.events import Result
from mangadex_uploader.journal import State
from mangadex_uploader.service import Service
from mangadex_uploader.uploader import Uploader


class Earlier:
    """Looks for chapters whose commit was sent and not answered. The journal is written, and has to be a copy."""

    def __init__(self, connected: Connected, uploader: Uploader, *, allow_duplicate: bool) -> None:
        host = connected.client.configuration.host
        self._service = Service(connected.client, host, connected.account, connected.journal, lambda _event: None)
        self._uploader = uploader
        self._allow_duplicate = allow_duplicate

    async def committed(self, plan: Plan) -> Ending | None:
        """How a run would end that finds its commit done; None where there was none, or it did not arrive.

        Raises:
            DuplicateChapter: it was committed with other pages.
            UploadError: the service could not be asked.
        """
        upload = self._service.journal.latest(self._service.host, self._service.account, plan.identity)
        if upload is None or upload.state not in (State.COMMITTING, State.UNCONFIRMED):
            return None
        if upload.state is State.UNCONFIRMED and self._allow_duplicate:
            return None
        if upload.session_id is not None and await self._session_id() == upload.session_id:
            return None
        chapter_id = await find_committed(self._service, plan, upload)
        if upload.pages_digest != plan.pages_digest:
            where = f"as chapter {chapter_id}" if chapter_id else "though it cannot be seen yet"
            raise DuplicateChapter(
                f"{plan.chapter.label}: an earlier run committed this chapter with the pages that it had "
                f"then, {where}. Edit that one, or use --allow-duplicate to publish another."
            )
        is_there = chapter_id is not None
        return ending_of(plan.chapter.path, Result(plan, chapter_id, confirmed=is_there, already_done=is_there))

    async def _session_id(self) -> str | None:
        """Of the session that is open, as far as the service tells it without a renewed sign-in."""
        try:
            present = await self._uploader.open_session()
        except SignInNeeded:
            return None
        return present.session.id if present else None


def is_same_chapter(one: Chapter, other: Chapter) -> bool:
    """As `catalogue.same_chapters` says it of the service's: a volume that one of them lacks says nothing."""
    return (
        (one.manga, one.language, one.chapter) == (other.manga, other.language, other.chapter)
        and set(one.groups) == set(other.groups)
        and (one.volume == other.volume or None in (one.volume, other.volume))
    )
