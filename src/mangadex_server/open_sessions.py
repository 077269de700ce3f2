"""The session that a user has open: found for an action, and with all that an answer shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.errors import NotFound
from mangadex_server.states import Action, State, after
from mangadex_server.tables import files, session_groups, sessions

NO_SESSION = "No upload session found"


@dataclass(frozen=True, slots=True)
class SessionView:
    """A session with what an answer needs."""

    row: Row[Any]
    group_ids: list[str]
    files: list[Row[Any]]


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


async def view_of(connection: AsyncConnection, session: Row[Any]) -> SessionView:
    """The session with its groups and files, both in order."""
    credited = select(session_groups.c.group_id).where(session_groups.c.session_id == session.id)
    in_order = select(files).where(files.c.session_id == session.id).order_by(files.c.sequence)
    return SessionView(
        session,
        list((await connection.execute(credited.order_by(session_groups.c.position))).scalars()),
        list(await connection.execute(in_order)),
    )
