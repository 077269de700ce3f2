"""A chapter that is published: read, asked for its pages, and given other values (contract 9.3, 9.4)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import mangadex_openapi as mangadex
from mangadex_uploader.catalogue import needs_approval
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.edit_conflict import NOTHING_DONE, VersionConflict
from mangadex_uploader.edit_journal import Edits
from mangadex_uploader.edit_plan import Difference, Present, differences
from mangadex_uploader.edit_waits import telling_waits
from mangadex_uploader.errors import UsageError
from mangadex_uploader.service import Service, is_unclear

_PAGE_NAME = re.compile(r"[0-9]+-([0-9a-f]{64})\.[a-z]+")  # contract 9.4
UNHEARD_VALUES = "This change of values was not answered, and may have come through before that."
_ON_THE_WIRE = {"language": "translated_language"}


async def read_chapter(service: Service, chapter_id: str) -> Present:
    """The chapter as it is now.

    Raises:
        UsageError: there is none that this account may see.
        UploadError: the service could not be asked.
    """
    tries = 0
    while True:
        try:
            answer = await service.chapters.get_chapter_id(chapter_id)
        except mangadex.NotFound as error:
            raise UsageError(
                f"Chapter {chapter_id}: the service shows none of this id to this account. Copy the id or the address "
                "of its page."
            ) from error
        except mangadex.OpenApiException as error:
            tries += 1
            await service.pause_after(error, tries)
        else:
            return Present.of(answer.data or mangadex.Chapter())


async def read_whole(service: Service, chapter_id: str) -> Present:
    """As `read_chapter`, with the pages that its readers get. They are asked for first: so those that are got of a
    chapter at version 1 are those of its only commit. At later versions they may be of an earlier one (contract 3.2).

    Raises:
        UploadError: as `read_chapter`.
    """
    digests = await page_digests(service, chapter_id)
    return replace(await read_chapter(service, chapter_id), digests=digests)


async def conflict_with(
    service: Service, planned: dict[str, Any], present: Present, done: str = NOTHING_DONE
) -> VersionConflict:
    """What to raise for a chapter that is `present` now, and that an edit was `planned` with as it was then."""
    digests = await page_digests(service, present.id)
    return VersionConflict(planned, replace(present, digests=digests), done=done)


async def waits_for_approval(service: Service, chapter_id: str, chapter: Chapter) -> bool | None:
    """Whether a chapter that was just given these pages or this language is hidden until a moderator has seen it; None
    where the service does not say. That chapters wait here is known by asking, that this one does by its absence.
    """
    is_asked_here = await needs_approval(service, chapter)
    if not is_asked_here:
        return is_asked_here
    try:
        await mangadex.AsyncAtHomeApi(service.client).get_at_home_server_chapter_id(chapter_id)
    except mangadex.NotFound:
        return True
    except mangadex.OpenApiException:
        return None
    return False


async def page_digests(service: Service, chapter_id: str) -> tuple[str, ...]:
    """The SHA-256 of the pages that its readers get, in order; nothing where the service does not tell (yet)."""
    try:
        answer = await mangadex.AsyncAtHomeApi(service.client).get_at_home_server_chapter_id(chapter_id)
    except mangadex.OpenApiException:
        return ()  # what follows meets the same trouble, and says so
    names = (answer.chapter.data if answer.chapter else None) or []
    found = [_PAGE_NAME.fullmatch(name) for name in names]
    return tuple(name.group(1) for name in found if name) if all(found) else ()


async def is_read_as(service: Service, chapter_id: str, digests: tuple[str, ...], waits_s: Sequence[float]) -> bool:
    """Whether its readers get these pages, asked after each of these waits."""
    for wait_s in waits_s:
        await asyncio.sleep(wait_s)
        if await page_digests(service, chapter_id) == digests:
            return True
    return False


async def put_values(service: Service, planned: Present, changes: Difference) -> Present:
    """Give a chapter these values, once; returns what it is then. An answer that was lost is found by the version.

    Raises:
        VersionConflict: it is not the chapter any more that was planned with.
        UploadError: the service does not do it.
    """
    wanted: dict[str, Any] = {_ON_THE_WIRE.get(name, name): after for name, (_, after) in changes.items()}
    if "groups" in wanted:
        wanted["groups"] = list(wanted["groups"])
    change = mangadex.ChapterEdit(**wanted, version=planned.version)
    after = await _put(service, planned, changes, change)
    Edits(service.journal).follow(service.host, service.account, planned, after)
    return after


async def _put(service: Service, planned: Present, changes: Difference, change: mangadex.ChapterEdit) -> Present:
    tries, may_be_done = 0, False
    while True:
        try:
            put = service.chapters.put_chapter_id(planned.id, chapter_edit=change)
            answer = await telling_waits(service, "put_chapter_id", put)
        except mangadex.OpenApiException as error:
            tries += 1
            may_be_done = may_be_done or is_unclear(error)
            if is_unclear(error) or isinstance(error, mangadex.Conflict):
                present = await read_chapter(service, planned.id)
                if present.version == planned.version + 1 and may_be_done and _has(present, changes):
                    return present
                if present.version != planned.version:
                    done = UNHEARD_VALUES if may_be_done else NOTHING_DONE
                    raise await conflict_with(service, planned.shown(), present, done) from error
            await service.pause_after(error, tries)
        else:
            return Present.of(answer.data or mangadex.Chapter())


def _has(present: Present, changes: Difference) -> bool:
    return not differences(
        present.values, replace(present.values, **{name: after for name, (_, after) in changes.items()})
    )
