"""Plans of several chapters: all are checked first; later each is made again while the one before is being sent.

A plan may hold prepared pages, so that no more than two are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.queue_place import signature_of
from mangadex_uploader.snapshots import Snapshot
from mangadex_uploader.turns import Unchanged
from mangadex_uploader.uploader import Uploader


@dataclass(frozen=True, slots=True)
class Files:
    """What a chapter's files were before it was planned."""

    unchanged: Unchanged
    signature: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chapter as it was given, its plan, and the files that it was made of."""

    chapter: Chapter
    plan: Plan
    files: Files


async def files_of(chapter: Chapter) -> Files:
    """As they are now."""
    was = await asyncio.to_thread(Snapshot.of, chapter.path)
    return Files(Unchanged(chapter.path, was), await asyncio.to_thread(signature_of, chapter.path))


async def prepared(uploader: Uploader, chapter: Chapter) -> Prepared:
    """Plan it.

    Raises:
        UploadError: its values or pages cannot be used.
    """
    files = await files_of(chapter)
    return Prepared(chapter, await uploader.plan(chapter), files)


async def plans_ahead(
    uploader: Uploader, chapters: Sequence[Chapter], first: Prepared
) -> AsyncGenerator[Prepared | Exception, None]:
    """The plan of each, or why there is none; `first` is that of the first one. Closing it stops the work."""
    preparing = asyncio.create_task(_given(first))
    del first
    try:
        for following in [*chapters[1:], None]:
            found: Prepared | Exception
            try:
                found = await preparing
            except Exception as error:  # noqa: BLE001 - of this chapter, for who asks for its plan
                found = error
            if following is not None:
                preparing = asyncio.create_task(prepared(uploader, following))
            yield found
            del found
    finally:
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)


async def _given(first: Prepared) -> Prepared:
    return first
