"""Reading what was published: page addresses (contract 9.4) and the pages behind them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.approval import MODERATORS
from mangadex_server.database import Database
from mangadex_server.errors import NotFound
from mangadex_server.shapes import iso
from mangadex_server.stores import Blobs
from mangadex_server.tables import chapter_groups, chapters, groups, manga, pages
from mangadex_server.visibility import belongs_to, opened, readable

EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/avif": "avif",
}
SAVER_TYPE = "image/jpeg"

_FOLDER = re.compile(r"[0-9a-f]{32}")
_NAME = re.compile(r"([1-9][0-9]{0,3})-([0-9a-f]{64})\.([a-z]{3,4})")


@dataclass(frozen=True, slots=True)
class PageNames:
    """The names of a chapter's pages in their folder; all empty for a chapter that is elsewhere, or not here yet."""

    folder: str
    data: list[str]
    data_saver: list[str]


@dataclass(frozen=True, slots=True)
class PageFile:
    """Where a page's bytes are, and what they are."""

    blobs: Blobs
    digest: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A chapter for people: its names, and its pages as (file name, width, height)."""

    chapter: Row[Any]
    manga_title: str
    group_names: list[str]
    pages: list[tuple[str, int, int]]


class Reading:
    """Readable chapters and their pages; nobody has to sign in."""

    def __init__(self, database: Database, blobs: Blobs, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._blobs = blobs
        self._clock = clock

    async def page_names(self, chapter_id: str) -> PageNames:
        """A chapter's page addresses.

        Raises:
            NotFound: there is no such chapter, or it cannot be read yet.
        """
        async with self._database.read() as connection:
            chapter = await self._readable(connection, chapter_id)
            present = await self._pages(connection, chapter_id)
        if not present:
            return PageNames("", [], [])
        return PageNames(chapter.hash, [_name(page) for page in present], [_saver_name(page) for page in present])

    async def page(self, folder: str, name: str, *, saver: bool) -> PageFile:
        """The page at an address.

        Raises:
            NotFound: there is none, or its chapter cannot be read yet.
        """
        asked = _NAME.fullmatch(name)
        if asked is None or _FOLDER.fullmatch(folder) is None:
            raise no_page()
        async with self._database.read() as connection:
            row = await self._page_row(connection, folder, int(asked[1]) - 1, asked[2], saver=saver)
        if row is None or name != (_saver_name(row) if saver else _name(row)):
            raise no_page()
        digest, mime_type = _saver(row) if saver else (row.blob, row.mime_type)
        return PageFile(self._blobs, digest, mime_type)

    async def for_people(self, chapter_id: str) -> ReaderView:
        """A chapter to look at.

        Raises:
            NotFound: there is no such chapter, or it cannot be read yet.
        """
        async with self._database.read() as connection:
            chapter = await self._readable(connection, chapter_id)
            title = (await connection.execute(select(manga.c.title).where(manga.c.id == chapter.manga_id))).scalar_one()
            credited = select(groups.c.name).join(chapter_groups).where(chapter_groups.c.chapter_id == chapter_id)
            names = list((await connection.execute(credited.order_by(chapter_groups.c.position))).scalars())
            present = await self._pages(connection, chapter_id)
        return ReaderView(chapter, title, names, [(_name(page), page.width, page.height) for page in present])

    async def explain(self, chapter_id: str, user_id: str, roles: Collection[str]) -> None:
        """Tell a chapter's own people, and moderators, why it cannot be read.

        Raises:
            NotFound: with the reason. Nothing is raised for others.
        """
        this = chapters.c.id == chapter_id
        if MODERATORS.isdisjoint(roles):
            this = and_(this, belongs_to(user_id))
        async with self._database.read() as connection:
            chapter = (await connection.execute(select(chapters).where(this))).one_or_none()
        if chapter is not None:
            raise NotFound(f"Chapter {chapter_id} is not published: {_reason(chapter)}.")

    async def _readable(self, connection: AsyncConnection, chapter_id: str) -> Row[Any]:
        query = select(chapters).where(chapters.c.id == chapter_id, readable(self._clock()))
        row: Row[Any] | None = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"Chapter with ID {chapter_id} not found.")
        return row

    async def _pages(self, connection: AsyncConnection, chapter_id: str) -> list[Row[Any]]:
        of_chapter = select(pages).join(chapters).where(chapters.c.id == chapter_id, opened(self._clock()))
        return list(await connection.execute(of_chapter.order_by(pages.c.position)))

    async def _page_row(
        self, connection: AsyncConnection, folder: str, position: int, digest: str, *, saver: bool
    ) -> Row[Any] | None:
        now = self._clock()
        has_digest = pages.c.blob == digest
        if saver:
            has_digest = or_(pages.c.saver_blob == digest, and_(pages.c.saver_blob.is_(None), has_digest))
        query = (
            select(pages)
            .join(chapters)
            .where(has_digest, pages.c.position == position, chapters.c.hash == folder, readable(now), opened(now))
        )
        row: Row[Any] | None = (await connection.execute(query)).first()
        return row


def _reason(chapter: Row[Any]) -> str:
    if chapter.broken_reason is not None:
        return str(chapter.broken_reason)
    if chapter.readable_at is None:
        return "its pages are still being processed"
    return f"it opens at {iso(chapter.readable_at)}" if chapter.approved else "it waits for a moderator"


def _name(page: Row[Any]) -> str:
    return f"{page.position + 1}-{page.blob}.{EXTENSIONS[page.mime_type]}"


def _saver(page: Row[Any]) -> tuple[str, str]:
    """Digest and type of the small variant; the page itself where there is none."""
    return (page.blob, page.mime_type) if page.saver_blob is None else (page.saver_blob, SAVER_TYPE)


def _saver_name(page: Row[Any]) -> str:
    digest, mime_type = _saver(page)
    return f"{page.position + 1}-{digest}.{EXTENSIONS[mime_type]}"


def no_page() -> NotFound:
    """What is said of an address without a page."""
    return NotFound("There is no such page. Ask /at-home/server/{chapterId} for the addresses.")
