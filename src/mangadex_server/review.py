"""Chapters that wait for a moderator (settings.approval).

A rejected chapter stays, hidden and with the reason, so that nothing of the uploader's work is lost: who edits its
pages puts it back in the queue, who gives it up deletes it, and the moderator may still change their mind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server import chapter_pages
from mangadex_server.database import Database
from mangadex_server.errors import InConflict, NotFound
from mangadex_server.tables import chapters, manga, pages, users

REJECTED = "rejected by a moderator"


@dataclass(frozen=True, slots=True)
class Listed:
    """A chapter in the queue, or one that does not get there for a reason."""

    id: str
    manga: str
    volume: str | None
    chapter: str | None
    language: str
    username: str
    page_count: int
    broken_reason: str | None
    edit_broken_reason: str | None


class Review:
    """The queue and what becomes of those in it."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def waiting(self) -> list[Listed]:
        """Processed chapters without a decision, the oldest first."""
        undecided = chapters.c.approved.is_(False), chapters.c.broken_reason.is_(None)
        return await self._listed(*undecided, chapters.c.readable_at.is_not(None))

    async def refused(self) -> list[Listed]:
        """Chapters that are broken, rejected or given up, also if only their last edit is; the oldest first."""
        return await self._listed(
            or_(chapters.c.broken_reason.is_not(None), chapters.c.edit_broken_reason.is_not(None))
        )

    async def _listed(self, *conditions: ColumnElement[bool]) -> list[Listed]:
        counted = select(func.count()).where(pages.c.chapter_id == chapters.c.id).scalar_subquery()
        query = (
            select(
                chapters.c.id,
                manga.c.title.label("manga"),
                chapters.c.volume,
                chapters.c.chapter,
                chapters.c.language,
                users.c.username,
                counted.label("page_count"),
                chapters.c.broken_reason,
                chapters.c.edit_broken_reason,
            )
            .join(manga, manga.c.id == chapters.c.manga_id)
            .join(users, users.c.id == chapters.c.uploader_id)
            .where(*conditions)
            .order_by(chapters.c.created_at)
        )
        async with self._database.read() as connection:
            return [Listed(**row) for row in (await connection.execute(query)).mappings()]

    async def page_blobs(self, chapter_id: str) -> list[str]:
        """The digests of a chapter's pages as they were committed last, in order.

        Raises:
            NotFound: no such chapter.
        """
        async with self._database.read() as connection:
            await _chapter(connection, chapter_id)
            return [page.blob for page in await chapter_pages.latest(connection, chapter_id.lower())]

    async def approve(self, chapter_id: str) -> None:
        """Let everybody read it, also after a rejection; its time of publication is not before now.

        Raises:
            NotFound: no such chapter.
            InConflict: it does not wait.
        """
        async with self._database.write() as connection:
            row = await _undecided(connection, chapter_id, but_rejected=True)
            readable_at = None if row.readable_at is None else max(row.readable_at, self._clock())
            values = {"approved": True, "broken_reason": None, "readable_at": readable_at}
            await connection.execute(update(chapters).where(chapters.c.id == row.id).values(values))

    async def reject(self, chapter_id: str, reason: str) -> None:
        """Take it out of the queue and keep it hidden.

        Raises:
            NotFound: no such chapter.
            InConflict: it does not wait.
        """
        async with self._database.write() as connection:
            row = await _undecided(connection, chapter_id)
            values = {"broken_reason": f"{REJECTED}: {reason}" if reason else REJECTED}
            await connection.execute(update(chapters).where(chapters.c.id == row.id).values(values))


async def _undecided(connection: AsyncConnection, chapter_id: str, *, but_rejected: bool = False) -> Row[Any]:
    row = await _chapter(connection, chapter_id, lock=True)
    if row.approved:
        raise InConflict(f"The chapter {row.id} is approved already. Its uploader can delete it.")
    if row.broken_reason is not None and not (but_rejected and row.broken_reason.startswith(REJECTED)):
        raise InConflict(f"The chapter {row.id} does not wait any more: {row.broken_reason}.")
    if row.readable_at is None:
        raise InConflict(f"The pages of the chapter {row.id} are still being processed. Try again in a moment.")
    return row


async def _chapter(connection: AsyncConnection, chapter_id: str, *, lock: bool = False) -> Row[Any]:
    query = select(chapters).where(chapters.c.id == chapter_id.lower())
    row: Row[Any] | None = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    if row is None:
        raise NotFound(f"There is no chapter {chapter_id}. `mangadex-server review list` has those that wait.")
    return row
