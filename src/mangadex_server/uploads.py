"""The life of a session before its commit: begin, edit, abandon, expire. Each use case is one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.catalog import require_creditable
from mangadex_server.chapter_pages import latest
from mangadex_server.database import Database, is_unique_violation
from mangadex_server.errors import InConflict, Invalid, NotEntitled, NotFound
from mangadex_server.open_sessions import SessionView, open_session, view_of
from mangadex_server.settings import Settings
from mangadex_server.states import Action, State, after
from mangadex_server.tables import (
    chapter_groups,
    chapters,
    files,
    group_members,
    manga,
    session_groups,
    sessions,
)
from mangadex_server.visibility import visible

ID_BATCH = 500


class Sessions:
    """An account's open session."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def current(self, user_id: str) -> SessionView:
        """The open session.

        Raises:
            NotFound: none is open.
        """
        async with self._database.read() as connection:
            return await view_of(connection, await open_session(connection, user_id))

    async def begin(self, user_id: str, manga_id: str, group_ids: Sequence[str]) -> SessionView:
        """Open a session for a new chapter.

        Raises:
            NotFound: no such manga or group.
            NotPermitted: a locked group that the user is no member of.
            InConflict: a session is open already.
        """
        async with self._database.write() as connection:
            await _published_manga(connection, manga_id)
            wanted = list(dict.fromkeys(group_ids))
            await require_creditable(connection, user_id, wanted)
            return await self._open(connection, user_id, manga_id, wanted, chapter=None)

    async def begin_edit(self, user_id: str, chapter_id: str, version: int) -> SessionView:
        """Open a session with a chapter's pages.

        Raises:
            NotFound: no such chapter that the user may see.
            NotEntitled: the user is neither its uploader nor a member of its groups.
            Invalid: its manga is not published.
            InConflict: the version is stale, or a session is open already.
        """
        async with self._database.write() as connection:
            seen = select(chapters).where(chapters.c.id == chapter_id, visible(self._clock(), user_id))
            chapter = (await connection.execute(seen)).one_or_none()
            if chapter is None:
                raise NotFound(f"Chapter with ID {chapter_id} not found.")
            credited = await _credited(connection, chapter_id)
            if chapter.uploader_id != user_id and not await _is_member(connection, user_id, credited):
                raise NotEntitled("Only the uploader and members of the chapter's groups may edit it.")
            try:
                await _published_manga(connection, chapter.manga_id)
            except NotFound:
                raise Invalid("The chapter's manga is not published, so the chapter cannot be edited.") from None
            if version != chapter.version:
                raise InConflict(f"The chapter is at version {chapter.version}, not {version}. Read it again.")
            view = await self._open(connection, user_id, chapter.manga_id, credited, chapter=chapter)
            await self._take_over_pages(connection, view.row.id, chapter_id)
            return await view_of(connection, await open_session(connection, user_id))

    async def abandon(self, user_id: str, session_id: str) -> None:
        """Delete the session and its files.

        Raises:
            NotFound: not an open session of this user.
        """
        async with self._database.write() as connection:
            await open_session(connection, user_id, session_id, Action.ABANDON, lock=True)
            await self._end(connection, [session_id], Action.ABANDON)

    async def expire(self) -> int:
        """Delete sessions that nobody has touched for long; returns how many."""
        before = self._clock() - self._settings.session_idle_days * 86_400
        idle = select(sessions.c.id).where(sessions.c.state == State.OPEN, sessions.c.updated_at < before)
        free = idle.limit(ID_BATCH).with_for_update(skip_locked=True)  # one in use is not idle
        async with self._database.write() as connection:
            ids = list((await connection.execute(free)).scalars())
            await self._end(connection, ids, Action.EXPIRE)
            return len(ids)

    async def _open(
        self, connection: AsyncConnection, user_id: str, manga_id: str, group_ids: list[str], chapter: Row[Any] | None
    ) -> SessionView:
        now, session_id = self._clock(), str(uuid4())
        values = {
            "id": session_id,
            "user_id": user_id,
            "manga_id": manga_id,
            "chapter_id": None if chapter is None else chapter.id,
            "chapter_version": None if chapter is None else chapter.version,
            "is_edit": chapter is not None,
            "state": State.OPEN,
            "created_at": now,
            "updated_at": now,
        }
        try:
            await connection.execute(insert(sessions).values(values))
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            raise InConflict("An upload session is already open. Commit or abandon it first.") from None
        credited = [{"session_id": session_id, "position": n, "group_id": group} for n, group in enumerate(group_ids)]
        if credited:
            await connection.execute(insert(session_groups), credited)
        return await view_of(connection, await open_session(connection, user_id))

    async def _take_over_pages(self, connection: AsyncConnection, session_id: str, chapter_id: str) -> None:
        rows = [
            {
                "id": str(uuid4()),
                "session_id": session_id,
                "sequence": page.position + 1,
                "original_file_name": page.original_file_name,
                "source": "remote",
                "blob": page.blob,
                "size_bytes": page.size_bytes,
                "mime_type": page.mime_type,
                "width": page.width,
                "height": page.height,
            }
            for page in await latest(connection, chapter_id)
        ]
        if rows:
            await connection.execute(insert(files), rows)
            total_bytes = sum(row["size_bytes"] for row in rows)
            await connection.execute(
                update(sessions).where(sessions.c.id == session_id).values(file_count=len(rows), byte_count=total_bytes)
            )

    async def _end(self, connection: AsyncConnection, session_ids: list[str], action: Action) -> None:
        await connection.execute(delete(files).where(files.c.session_id.in_(session_ids)))
        await connection.execute(
            update(sessions)
            .where(sessions.c.id.in_(session_ids), sessions.c.state == State.OPEN)
            .values(state=after(State.OPEN, action), updated_at=self._clock(), file_count=0, byte_count=0)
        )


async def _published_manga(connection: AsyncConnection, manga_id: str) -> None:
    found = await connection.execute(select(manga.c.state).where(manga.c.id == manga_id))
    if found.scalar() != "published":
        raise NotFound(f"Manga with ID {manga_id} not found.")


async def _is_member(connection: AsyncConnection, user_id: str, group_ids: list[str]) -> bool:
    mine = select(group_members.c.group_id).where(
        group_members.c.user_id == user_id, group_members.c.group_id.in_(group_ids)
    )
    return (await connection.execute(mine.limit(1))).first() is not None


async def _credited(connection: AsyncConnection, chapter_id: str) -> list[str]:
    of_chapter = select(chapter_groups.c.group_id).where(chapter_groups.c.chapter_id == chapter_id)
    return list((await connection.execute(of_chapter.order_by(chapter_groups.c.position))).scalars())
