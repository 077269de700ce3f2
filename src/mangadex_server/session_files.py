"""Filling an open session and taking pages out of it again. Each use case is one transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.database import Database
from mangadex_server.errors import NotFound, ServiceError
from mangadex_server.ingest import Received
from mangadex_server.open_sessions import open_session
from mangadex_server.room import Room
from mangadex_server.settings import Settings
from mangadex_server.states import Action
from mangadex_server.tables import files, sessions


@dataclass(frozen=True, slots=True)
class Added:
    """What became of the parts of one request."""

    files: list[Row[Any]]
    refusals: list[ServiceError]


class SessionFiles:
    """The files of an account's open session."""

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def check_open(self, user_id: str, session_id: str) -> Room:
        """Refuse early what `add` would refuse after the bytes; returns what the session takes as it is now.

        Raises:
            NotFound: not an open session of this user.
            Invalid: the session is full.
        """
        async with self._database.read() as connection:
            session = await open_session(connection, user_id, session_id)
        room = Room(self._settings, session.file_count, session.byte_count)
        room.check()
        return room

    async def add(self, user_id: str, session_id: str, parts: Sequence[Received]) -> Added:
        """Record stored pages; those that do not fit any more are refused one by one.

        Raises:
            NotFound: not an open session of this user.
        """
        async with self._database.write() as connection:
            session = await open_session(connection, user_id, session_id, Action.ADD_FILES, lock=True)
            room = Room(self._settings, session.file_count, session.byte_count)
            last = select(func.max(files.c.sequence)).where(files.c.session_id == session_id)
            sequence = (await connection.execute(last)).scalar() or 0
            rows: list[dict[str, Any]] = []
            refusals: list[ServiceError] = []
            for part in parts:
                refusal = part.refusal or room.refusal(part.name, part.size_bytes)
                if refusal is not None:
                    refusals.append(refusal)
                    continue
                room.take(part.size_bytes)
                rows.append(_file_row(session_id, sequence + len(rows) + 1, part))
            if not rows:
                return Added([], refusals)
            stored = await connection.execute(insert(files).returning(files), rows)
            await self._touch(connection, session_id, file_count=room.file_count, byte_count=room.byte_count)
            return Added(sorted(stored, key=lambda row: int(row.sequence)), refusals)

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
