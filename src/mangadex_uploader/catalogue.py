"""Which chapters the service has already (contract 9.3), and whether a new one would wait for approval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.inventory import moment
from mangadex_uploader.service import Service, stopped_by

ALL_RATINGS = ["safe", "suggestive", "erotica", "pornographic"]
"""All have to be named, or adult works look free of duplicates (contract 9.3)."""

PAGE = 100
MAX_WINDOW = 10_000  # offset and limit together (contract 9.3)


@dataclass(frozen=True, slots=True)
class Present:
    """A chapter at the service."""

    id: str
    groups: frozenset[str]
    volume: str | None
    created_at: datetime | None


async def same_chapters(service: Service, wanted: Chapter) -> list[Present]:
    """Chapters of the same manga, language, number and set of groups; a volume that one of them lacks says nothing.

    Raises:
        UploadError: the service could not be asked.
    """
    return [
        chapter
        for chapter in await _find(service, wanted, uploader=None)
        if chapter.groups == frozenset(wanted.groups)
        and (chapter.volume == wanted.volume or None in (chapter.volume, wanted.volume))
    ]


async def published_since(service: Service, wanted: Chapter, user_id: str | None, since: datetime) -> list[Present]:
    """As `same_chapters`, of this user and no older than `since` (by the service's clock), newest first."""
    found = [
        chapter
        for chapter in await _find(service, wanted, uploader=user_id)
        if chapter.groups == frozenset(wanted.groups)
        and chapter.volume == wanted.volume
        and chapter.created_at is not None
        and chapter.created_at >= since
    ]
    return sorted(found, key=lambda chapter: chapter.created_at or since, reverse=True)


async def needs_approval(service: Service, wanted: Chapter) -> bool | None:
    """Whether it would wait for a moderator; None where the service does not say."""
    request = mangadex.UploadCheckApprovalRequiredRequest(manga=wanted.manga, locale=wanted.language)
    try:
        answer = await service.sessions.upload_check_approval_required(upload_check_approval_required_request=request)
    except mangadex.OpenApiException:
        return None  # what follows meets the same trouble, and says so
    return answer.requires_approval


async def _find(service: Service, wanted: Chapter, uploader: str | None) -> list[Present]:
    found: list[Present] = []
    for offset in range(0, MAX_WINDOW - PAGE, PAGE):
        try:
            answer = await service.chapters.get_chapter(
                limit=PAGE,
                offset=offset,
                manga=wanted.manga,
                uploader=uploader,
                chapter=[wanted.chapter or "none"],
                translated_language=[wanted.language],
                groups=list(wanted.groups) or None,
                content_rating=ALL_RATINGS,
                include_unavailable=True,
            )
        except mangadex.OpenApiException as error:
            raise stopped_by(error) from error
        found += [_present(chapter) for chapter in answer.data or []]
        if len(answer.data or []) < PAGE:
            break
    return found


def _present(chapter: mangadex.Chapter) -> Present:
    told = chapter.attributes or mangadex.ChapterAttributes()
    credited = [item.id for item in chapter.relationships or [] if item.type == "scanlation_group" and item.id]
    return Present(str(chapter.id), frozenset(credited), told.volume or None, moment(told.created_at))
