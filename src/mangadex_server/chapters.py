"""Chapters that exist: finding, showing, changing and deleting them."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_openapi.models import ChapterEdit
from mangadex_server.approval import Approval
from mangadex_server.catalog import require_creditable
from mangadex_server.chapter_search import (
    NEWEST_FIRST,
    NO_NUMBER,
    ChapterSearch,
    conditions,
    credited_to,
    order_columns,
)
from mangadex_server.database import Database
from mangadex_server.entities import chapter_entity, load_related
from mangadex_server.errors import InConflict, NotFound, NotPermitted
from mangadex_server.listing import Found, ordered, window
from mangadex_server.settings import Settings
from mangadex_server.shapes import Json
from mangadex_server.tables import chapter_groups, chapters
from mangadex_server.visibility import belongs_to, visible


@dataclass(frozen=True, slots=True)
class ChapterView:
    """A chapter with the groups that it credits, in order."""

    row: Row[Any]
    group_ids: list[str]


class Chapters:
    """What was committed. `user_id` is always the one who asks; None is a stranger."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._approval = Approval(settings)
        self._clock = clock

    async def find(self, search: ChapterSearch, user_id: str | None) -> Found[ChapterView]:
        """Chapters that the user may see, the newest first where no order is asked for."""
        now = self._clock()
        wanted = [*conditions(search, now), visible(now, user_id)]
        by = ordered(search.order or NEWEST_FIRST, order_columns())
        async with self._database.read() as connection:
            found = await window(connection, chapters, wanted, by, limit=search.limit, offset=search.offset)
            return Found(await _views(connection, found.items), found.total)

    async def get(self, chapter_id: str, user_id: str | None) -> ChapterView:
        """One chapter.

        Raises:
            NotFound: there is none that the user may see.
        """
        async with self._database.read() as connection:
            return await self._visible(connection, chapter_id, user_id)

    async def aggregate(
        self, manga_id: str, user_id: str | None, *, languages: Sequence[str] = (), group_ids: Sequence[str] = ()
    ) -> Json:
        """A manga's chapters by volume and number (contract 9.1)."""
        query = select(chapters.c.id, chapters.c.volume, chapters.c.chapter).where(
            chapters.c.manga_id == manga_id, visible(self._clock(), user_id)
        )
        if languages:
            query = query.where(chapters.c.language.in_(languages))
        if group_ids:
            query = query.where(chapters.c.id.in_(credited_to(group_ids)))
        by = ordered((("volume", True), ("chapter", True), ("createdAt", False)), order_columns())
        async with self._database.read() as connection:
            return _by_volume(list(await connection.execute(query.order_by(*by))))

    async def edit(self, user_id: str, chapter_id: str, change: ChapterEdit) -> ChapterView:
        """Change a chapter's data; what is not given keeps its value.

        Raises:
            NotFound: no such chapter that the user may see, or no such group.
            NotPermitted: the chapter is somebody else's, or a group is locked.
            InConflict: the version is stale.
        """
        async with self._database.write() as connection:
            present = await self._own(connection, chapter_id, user_id)
            values = await self._changes(connection, present.row, change)
            values |= {"version": chapters.c.version + 1, "updated_at": self._clock()}
            current = (chapters.c.id == chapter_id) & (chapters.c.version == present.row.version)
            if (
                change.version != present.row.version
                or (await connection.execute(update(chapters).where(current).values(values))).rowcount == 0
            ):
                raise InConflict(f"The chapter's version is not {change.version} any more. Read it again.")
            if change.groups is not None:
                await _credit(connection, user_id, present, [group_id.lower() for group_id in change.groups])
            return await self._visible(connection, chapter_id, user_id, but_seen=True)

    async def delete(self, user_id: str, chapter_id: str) -> None:
        """Delete a chapter with its pages and whatever else is about it; the sweep takes the blobs.

        Raises:
            NotFound: no such chapter that the user may see.
            NotPermitted: it is somebody else's.
        """
        async with self._database.write() as connection:
            await self._own(connection, chapter_id, user_id)
            await connection.execute(delete(chapters).where(chapters.c.id == chapter_id))

    async def present(self, views: Sequence[ChapterView], includes: Collection[str]) -> list[Json]:
        """Chapters as entities."""
        async with self._database.read() as connection:
            related = await load_related(
                connection,
                includes,
                self._clock(),
                manga_ids=[view.row.manga_id for view in views],
                group_ids=[group_id for view in views for group_id in view.group_ids],
                user_ids=[view.row.uploader_id for view in views],
            )
        return [chapter_entity(view.row, view.group_ids, related=related) for view in views]

    async def _visible(
        self, connection: AsyncConnection, chapter_id: str, user_id: str | None, *, but_seen: bool = False
    ) -> ChapterView:
        query = select(chapters).where(chapters.c.id == chapter_id)
        if not but_seen:
            query = query.where(visible(self._clock(), user_id))
        views = await _views(connection, list(await connection.execute(query)))
        if not views:
            raise NotFound(f"Chapter with ID {chapter_id} not found.")
        return views[0]

    async def _own(self, connection: AsyncConnection, chapter_id: str, user_id: str) -> ChapterView:
        view = await self._visible(connection, chapter_id, user_id)
        mine = select(chapters.c.id).where(chapters.c.id == chapter_id, belongs_to(user_id))
        if (await connection.execute(mine)).first() is None:
            raise NotPermitted("Only the uploader and members of the chapter's groups may change it.")
        return view

    async def _changes(self, connection: AsyncConnection, row: Row[Any], change: ChapterEdit) -> dict[str, Any]:
        given = change.model_fields_set
        values: dict[str, Any] = {
            name: getattr(change, name) or None for name in ("title", "volume", "chapter") if name in given
        }
        if change.translated_language not in (None, row.language):
            values["language"] = change.translated_language
            values["approved"] = await self._approval.survives(connection, row, str(change.translated_language))
        return values


async def _views(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[ChapterView]:
    credited: dict[str, list[str]] = {row.id: [] for row in rows}
    query = select(chapter_groups).where(chapter_groups.c.chapter_id.in_(list(credited)))
    if credited:
        for credit in await connection.execute(query.order_by(chapter_groups.c.position)):
            credited[credit.chapter_id].append(credit.group_id)
    return [ChapterView(row, credited[row.id]) for row in rows]


async def _credit(connection: AsyncConnection, user_id: str, present: ChapterView, group_ids: Sequence[str]) -> None:
    wanted = list(dict.fromkeys(group_ids))
    await require_creditable(connection, user_id, wanted, present.group_ids)
    await connection.execute(delete(chapter_groups).where(chapter_groups.c.chapter_id == present.row.id))
    rows = [{"chapter_id": present.row.id, "position": n, "group_id": group_id} for n, group_id in enumerate(wanted)]
    if rows:
        await connection.execute(insert(chapter_groups), rows)


def _by_volume(rows: Sequence[Row[Any]]) -> Json:
    volumes: Json = {}
    for row in rows:
        volume, number = row.volume or NO_NUMBER, row.chapter or NO_NUMBER
        in_volume = volumes.setdefault(volume, {"volume": volume, "count": 0, "chapters": {}})
        in_volume["count"] += 1
        entry = in_volume["chapters"].setdefault(number, {"chapter": number, "id": row.id, "others": [], "count": 0})
        entry["count"] += 1
        if entry["id"] != row.id:
            entry["others"].append(row.id)
    return volumes
