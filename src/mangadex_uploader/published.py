"""A chapter that is published: read, asked for its pages, and given other values (contract 9.3, 9.4)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

import mangadex_openapi as mangadex
from mangadex_uploader.edit_plan import Changes, Difference, Present, VersionConflict, differences
from mangadex_uploader.errors import UsageError
from mangadex_uploader.service import Service, is_unclear

_PAGE_NAME = re.compile(r"[0-9]+-([0-9a-f]{64})\.[a-z]+")  # contract 9.4
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
    tries, may_be_done = 0, False
    while True:
        try:
            answer = await service.chapters.put_chapter_id(planned.id, chapter_edit=change)
        except mangadex.OpenApiException as error:
            tries += 1
            may_be_done = may_be_done or is_unclear(error)
            if is_unclear(error) or isinstance(error, mangadex.Conflict):
                present = await read_chapter(service, planned.id)
                if present.version == planned.version + 1 and may_be_done and _has(present, changes):
                    return present
                if present.version != planned.version:
                    raise VersionConflict(planned.shown(), present) from error
            await service.pause_after(error, tries)
        else:
            return Present.of(answer.data or mangadex.Chapter())


def _has(present: Present, changes: Difference) -> bool:
    wanted = Changes({name: after for name, (_, after) in changes.items()})
    return not differences(present.values, wanted.of(present.values))
