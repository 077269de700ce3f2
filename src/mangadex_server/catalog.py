"""Manga and groups: adding, finding, showing."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, Table, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.catalog_search import (
    GroupSearch,
    MangaSearch,
    group_conditions,
    group_order,
    manga_conditions,
    manga_order,
    search_names,
)
from mangadex_server.database import Database, is_unique_violation
from mangadex_server.entities import manga_entity
from mangadex_server.errors import InConflict, NotFound, NotPermitted
from mangadex_server.listing import Found, window
from mangadex_server.published import load_published
from mangadex_server.shapes import Json
from mangadex_server.tables import group_members, groups, manga, users


class Catalog:
    """What there is to upload to, and whom to credit."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add_manga(
        self,
        title: str,
        id: str | None = None,  # noqa: A002 - its name on the wire
        *,
        content_rating: str = "safe",
        state: str = "published",
        **attributes: Any,
    ) -> str:
        """Add a manga, with any of the wire's attributes; returns its id.

        Raises:
            InConflict: the id is taken.
        """
        names = search_names(title, attributes.get("altTitles"))
        columns = {"title": title, "names": names, "content_rating": content_rating, "state": state}
        return await self._add(manga, id, {**columns, "attributes": attributes})

    async def add_group(
        self,
        name: str,
        id: str | None = None,  # noqa: A002 - its name on the wire
        *,
        locked: bool = False,
        **attributes: Any,
    ) -> str:
        """Add a group, with any of the wire's attributes; returns its id.

        Raises:
            InConflict: the id is taken.
        """
        columns = {"name": name, "names": search_names(name, attributes.get("altNames")), "locked": locked}
        return await self._add(groups, id, {**columns, "attributes": attributes})

    async def add_member(self, group_id: str, username: str) -> None:
        """Let a user edit the group's chapters, and credit it while it is locked. Repeating it changes nothing.

        Raises:
            NotFound: no such group or user.
        """
        async with self._database.write() as connection:
            await _known(connection, groups, "Scanlation group", group_id)
            user_id = (await connection.execute(select(users.c.id).where(users.c.username == username))).scalar()
            if user_id is None:
                raise NotFound(f"There is no user {username}. Add it first.")
            membership = {"group_id": group_id, "user_id": user_id}
            try:
                async with connection.begin_nested():
                    await connection.execute(insert(group_members).values(membership))
            except IntegrityError as error:
                if not is_unique_violation(error):
                    raise

    async def manga(self, manga_id: str) -> Row[Any]:
        """One that is published.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as connection:
            return await _known(connection, manga, "Manga", manga_id, manga.c.state == "published")

    async def group(self, group_id: str) -> Row[Any]:
        """One group.

        Raises:
            NotFound: there is none.
        """
        async with self._database.read() as connection:
            return await _known(connection, groups, "Scanlation group", group_id)

    async def find_manga(self, search: MangaSearch) -> Found[Row[Any]]:
        """Published manga; by relevance where a title is looked for, else those with the newest chapters first."""
        now = self._clock()
        return await self._find(manga, manga_conditions(search, now), manga_order(search, now), search)

    async def find_groups(self, search: GroupSearch) -> Found[Row[Any]]:
        """Groups; by relevance where a name is looked for, else the newest first."""
        return await self._find(groups, group_conditions(search), group_order(search), search)

    async def present_manga(self, rows: Sequence[Row[Any]]) -> list[Json]:
        """Manga as entities."""
        async with self._database.read() as connection:
            published = await load_published(connection, [row.id for row in rows], self._clock())
        return [manga_entity(row, published[row.id]) for row in rows]

    async def _find(
        self,
        table: Table,
        conditions: list[ColumnElement[bool]],
        order: list[ColumnElement[Any]],
        search: MangaSearch | GroupSearch,
    ) -> Found[Row[Any]]:
        async with self._database.read() as connection:
            return await window(connection, table, conditions, order, limit=search.limit, offset=search.offset)

    async def _add(self, table: Table, given_id: str | None, values: dict[str, Any]) -> str:
        row_id, now = (given_id or str(uuid4())).lower(), self._clock()
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(table).values(id=row_id, created_at=now, updated_at=now, **values))
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise InConflict(f"The id {row_id} is taken. Choose another one, or leave it out.") from None
        return row_id


async def require_creditable(
    connection: AsyncConnection, user_id: str, group_ids: Collection[str], already: Collection[str] = ()
) -> None:
    """Refuse groups that do not exist, and locked ones of others that are not credited already.

    Raises:
        NotFound: there is no such group.
        NotPermitted: only members may credit it.
    """
    known = {row.id: row for row in await connection.execute(select(groups).where(groups.c.id.in_(group_ids)))}
    if missing := [group_id for group_id in group_ids if group_id not in known]:
        raise NotFound(f"Scanlation group with ID {', '.join(missing)} not found.")
    mine = select(group_members.c.group_id).where(group_members.c.user_id == user_id)
    open_to_user = set((await connection.execute(mine)).scalars()) | set(already)
    if closed := [group_id for group_id in group_ids if known[group_id].locked and group_id not in open_to_user]:
        raise NotPermitted(f"The group {', '.join(closed)} is locked: only its members may credit it.")


async def _known(
    connection: AsyncConnection, table: Table, kind: str, row_id: str, *conditions: ColumnElement[bool]
) -> Row[Any]:
    row: Row[Any] | None = (
        await connection.execute(select(table).where(table.c.id == row_id, *conditions))
    ).one_or_none()
    if row is None:
        raise NotFound(f"{kind} with ID {row_id} not found.")
    return row
