"""What can be read of a manga at present: its languages, and the chapter that was uploaded last (contract 9.1)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import ColumnElement, ScalarSelect, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.tables import chapters, manga
from mangadex_server.visibility import readable

T = TypeVar("T")


@dataclass(slots=True)
class Published:
    """Of one manga."""

    languages: list[str] = field(default_factory=list)
    latest_chapter: str | None = None


async def load_published(connection: AsyncConnection, manga_ids: Collection[str], now: float) -> dict[str, Published]:
    """Of each of these manga."""
    found = {manga_id: Published() for manga_id in manga_ids}
    languages = select(chapters.c.manga_id, chapters.c.language).distinct()
    languages = languages.where(chapters.c.manga_id.in_(found), readable(now))
    for row in await connection.execute(languages.order_by(chapters.c.language)):
        found[row.manga_id].languages.append(row.language)
    latest = latest_of_manga(chapters.c.id, now)
    for row in await connection.execute(select(manga.c.id, latest.label("latest")).where(manga.c.id.in_(found))):
        found[row.id].latest_chapter = row.latest
    return found


def latest_of_manga(column: ColumnElement[T], now: float) -> ScalarSelect[T]:
    """A column of the chapter that was uploaded last, for each row of `manga`; one step in an index."""
    of_manga = select(column).where(chapters.c.manga_id == manga.c.id, readable(now))
    return of_manga.order_by(chapters.c.created_at.desc()).limit(1).correlate(manga).scalar_subquery()
