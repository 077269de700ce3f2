"""The use cases of uploading: begin, add and delete files, commit, abandon. Each is one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.catalog import require_creditable
from mangadex_server.database import Database, is_unique_violation
from mangadex_server.errors import InConflict, Invalid, NotEntitled, NotFound, ServiceError
from mangadex_server.ingest import Received
from mangadex_server.settings import Settings
from mangadex_server.states import Action, State, after
from mangadex_server.tables import (
    chapter_groups,
    chapters,
    files,
    group_members,
    manga,
    pages,
    session_groups,
    sessions,
)
from mangadex_server.visibility import visible

NO_SESSION = "No upload session found"
ID_BATCH = 500


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with what an answer needs."""

    row: Row[Any]
    group_ids: list[str]
    files: list[Row[Any]]


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the parts of one request."""

    files: list[Row[Any]]
    refusals: list[ServiceError]


class Sessions:
    """An account's open session and its files."""

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
            return await self._view(connection, await open_session(connection, user_id))

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
            return await self._open(connection, user_id, manga_id, wanted, chapter_id=None)

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
            credited = await _group_ids(connection, chapter_groups.c.chapter_id == chapter_id)
            if chapter.uploader_id != user_id and not await _is_member(connection, user_id, credited):
                raise NotEntitled("Only the uploader and members of the chapter's groups may edit it.")
            try:
                await _published_manga(connection, chapter.manga_id)
            except NotFound:
                raise Invalid("The chapter's manga is not published, so the chapter cannot be edited.") from None
            if version != chapter.version:
                raise InConflict(f"The chapter is at version {chapter.version}, not {version}. Read it again.")
            view = await self._open(connection, user_id, chapter.manga_id, credited, chapter_id=chapter_id)
            await self._take_over_pages(connection, view.row.id, chapter_id)
            return await self._view(connection, await open_session(connection, user_id))

    async def check_open(self, user_id: str, session_id: str) -> None:
        """Refuse early what `add` would refuse after the bytes.

        Raises:
            NotFound: not an open session of this user.
        """
        async with self._database.read() as connection:
            await open_session(connection, user_id, session_id)

    async def add(self, user_id: str, session_id: str, parts: Sequence[Received]) -> Added:
        """Record stored pages; those that do not fit any more are refused one by one.

        Raises:
            NotFound: not an open session of this user.
        """
        async with self._database.write() as connection:
            session = await open_session(connection, user_id, session_id, Action.ADD_FILES, lock=True)
            file_count, byte_count = session.file_count, session.byte_count
            last = select(func.max(files.c.sequence)).where(files.c.session_id == session_id)
            sequence = (await connection.execute(last)).scalar() or 0
            rows: list[dict[str, Any]] = []
            refusals: list[ServiceError] = []
            for part in parts:
                refusal = part.refusal or self._no_room(part, file_count, byte_count)
                if refusal is not None:
                    refusals.append(refusal)
                    continue
                file_count, byte_count = file_count + 1, byte_count + part.size_bytes
                rows.append(_file_row(session_id, sequence + len(rows) + 1, part))
            if rows:
                await connection.execute(insert(files), rows)
                await self._touch(connection, session_id, file_count=file_count, byte_count=byte_count)
            ids = [row["id"] for row in rows]
            stored = await connection.execute(select(files).where(files.c.id.in_(ids)).order_by(files.c.sequence))
            return Added(list(stored), refusals)

    async def remove(self, user_id: str, session_id: str, file_ids: Sequence[str], *, must_exist: bool) -> None:
        """Remove files from the session.

        Raises:
            NotFound: not an open session of this user, or (if they must exist) no such file in it.
        """
        async with self._database.write() as connection:
            session = await open_session(connection, user_id, session_id, Action.DELETE_FILES, lock=True)
            mine = (files.c.session_id == session_id) & files.c.id.in_(list(file_ids))
            gone = list(await connection.execute(delete(files).where(mine).returning(files.c.id, files.c.size_bytes)))
            if must_exist and not gone:
                raise NotFound(f"File with ID {file_ids[0]} not found in this session.")
            if gone:
                await self._touch(
                    connection,
                    session_id,
                    file_count=session.file_count - len(gone),
                    byte_count=session.byte_count - sum(row.size_bytes for row in gone),
                )

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
        async with self._database.write() as connection:
            ids = list((await connection.execute(idle.limit(ID_BATCH))).scalars())
            await self._end(connection, ids, Action.EXPIRE)
            return len(ids)

    async def _open(
        self, connection: AsyncConnection, user_id: str, manga_id: str, group_ids: list[str], chapter_id: str | None
    ) -> SessionView:
        now, session_id = self._clock(), str(uuid4())
        values = {
            "id": session_id,
            "user_id": user_id,
            "manga_id": manga_id,
            "chapter_id": chapter_id,
            "is_edit": chapter_id is not None,
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
        return await self._view(connection, await open_session(connection, user_id))

    async def _take_over_pages(self, connection: AsyncConnection, session_id: str, chapter_id: str) -> None:
        present = await connection.execute(
            select(pages).where(pages.c.chapter_id == chapter_id).order_by(pages.c.position)
        )
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
            for page in present
        ]
        if rows:
            await connection.execute(insert(files), rows)
            total_bytes = sum(row["size_bytes"] for row in rows)
            await connection.execute(
                update(sessions).where(sessions.c.id == session_id).values(file_count=len(rows), byte_count=total_bytes)
            )

    async def _view(self, connection: AsyncConnection, session: Row[Any]) -> SessionView:
        in_order = select(files).where(files.c.session_id == session.id).order_by(files.c.sequence)
        return SessionView(
            session,
            await _group_ids(connection, session_groups.c.session_id == session.id),
            list(await connection.execute(in_order)),
        )

    def _no_room(self, part: Received, file_count: int, byte_count: int) -> ServiceError | None:
        if file_count >= self._settings.max_session_files:
            return Invalid(f'File "{part.name}": a session holds at most {self._settings.max_session_files} files.')
        if byte_count + part.size_bytes > self._settings.max_session_bytes:
            return Invalid(f'File "{part.name}": a session holds at most {self._settings.max_session_bytes} bytes.')
        return None

    async def _touch(self, connection: AsyncConnection, session_id: str, *, file_count: int, byte_count: int) -> None:
        await connection.execute(
            update(sessions)
            .where(sessions.c.id == session_id)
            .values(
                file_count=file_count,
                byte_count=byte_count,
                version=sessions.c.version + 1,
                updated_at=self._clock(),
            )
        )

    async def _end(self, connection: AsyncConnection, session_ids: list[str], action: Action) -> None:
        await connection.execute(delete(files).where(files.c.session_id.in_(session_ids)))
        await connection.execute(
            update(sessions)
            .where(sessions.c.id.in_(session_ids), sessions.c.state == State.OPEN)
            .values(state=after(State.OPEN, action), updated_at=self._clock(), file_count=0, byte_count=0)
        )


async def open_session(
    connection: AsyncConnection,
    user_id: str,
    session_id: str | None = None,
    action: Action | None = None,
    *,
    lock: bool = False,
) -> Row[Any]:
    """The user's open session, if it is this one and allows the action.

    Raises:
        NotFound: it is not; a session of somebody else is as unknown as one that never was.
    """
    query = select(sessions).where(sessions.c.user_id == user_id)
    query = query.where(sessions.c.state == State.OPEN if session_id is None else sessions.c.id == session_id)
    session = (await connection.execute(query.with_for_update() if lock else query)).one_or_none()
    allowed = session is not None and (
        after(State(session.state), action) is not None if action else session.state == State.OPEN
    )
    if session is None or not allowed:
        raise NotFound(NO_SESSION)
    return session


async def _published_manga(connection: AsyncConnection, manga_id: str) -> None:
    found = await connection.execute(select(manga.c.state).where(manga.c.id == manga_id))
    if found.scalar() != "published":
        raise NotFound(f"Manga with ID {manga_id} not found.")


async def _is_member(connection: AsyncConnection, user_id: str, group_ids: list[str]) -> bool:
    mine = select(group_members.c.group_id).where(
        group_members.c.user_id == user_id, group_members.c.group_id.in_(group_ids)
    )
    return (await connection.execute(mine.limit(1))).first() is not None


async def _group_ids(connection: AsyncConnection, where: Any) -> list[str]:
    table = where.left.table
    return list((await connection.execute(select(table.c.group_id).where(where).order_by(table.c.position))).scalars())


def _file_row(session_id: str, sequence: int, part: Received) -> dict[str, Any]:
    if part.image is None:
        raise AssertionError("a part without a refusal has been looked at")
    return {
        "id": str(uuid4()),
        "session_id": session_id,
        "sequence": sequence,
        "original_file_name": part.name,
        "source": "local",
        "blob": part.digest,
        "size_bytes": part.size_bytes,
        "mime_type": part.image.mime_type,
        "width": part.image.width,
        "height": part.image.height,
    }
