"""Blobs that are being removed, so that no upload of the same page counts on one that goes (design 5).

A sweep marks a blob before it looks at its age and its uses for the last time, and an upload looks at the marks after
its page is stored. Whichever comes second sees the other: either the blob is young and stays, or the upload is told
to send the page again. Marks stay for a day, since an upload may have stored its page before the removal.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.database import Database, is_unique_violation
from mangadex_server.errors import Overloaded
from mangadex_server.stores import Blobs
from mangadex_server.tables import removals

DEAD_S = 300.0
"""A sweep that marked a blob so long ago and does not hold it has ended, and so has all that it sent to the store."""

FORGET_S = 86_400.0
"""No request lasts so long: after it nobody can have stored a page before the removal and record it only now."""


async def mark(database: Database, digests: Sequence[str], now: float) -> None:
    """Mark blobs for their removal, which has to follow at once; committed when this returns."""
    these = removals.c.blob.in_(digests)
    try:
        async with database.write() as connection:
            await connection.execute(delete(removals).where(these, removals.c.is_done))
            left = update(removals).where(removals.c.blob.in_(await claim(connection, digests)))
            await connection.execute(left.values(marked_at=now))
            marked = set((await connection.execute(select(removals.c.blob).where(these))).scalars())
            rows = [{"blob": digest, "marked_at": now} for digest in digests if digest not in marked]
            if rows:
                await connection.execute(insert(removals), rows)
    except IntegrityError as error:  # another sweep marks them just now, and removes them
        if not is_unique_violation(error):
            raise


async def claim(connection: AsyncConnection, digests: Sequence[str]) -> list[str]:
    """Those of the marked blobs that no other sweep is at, until the transaction ends."""
    marked = select(removals.c.blob).where(removals.c.blob.in_(digests), removals.c.is_done.is_(False))
    return list((await connection.execute(marked.with_for_update(skip_locked=True))).scalars())


async def finish(connection: AsyncConnection, removed: Collection[str], kept: Collection[str], now: float) -> None:
    """What became of claimed blobs; another sweep may have marked them long ago."""
    gone = update(removals).where(removals.c.blob.in_(removed)).values(is_done=True, marked_at=now)
    await connection.execute(gone)
    await connection.execute(delete(removals).where(removals.c.blob.in_(kept)))


async def forget(connection: AsyncConnection, now: float) -> None:
    """Take marks away that nobody needs any more."""
    await connection.execute(delete(removals).where(removals.c.is_done, removals.c.marked_at < now - FORGET_S))


async def left_behind(connection: AsyncConnection, now: float, most: int) -> list[str]:
    """Marks of sweeps that ended before they were done."""
    old = select(removals.c.blob).where(removals.c.is_done.is_(False), removals.c.marked_at < now - DEAD_S)
    return list((await connection.execute(old.limit(most))).scalars())


async def check(database: Database, blobs: Blobs, digests: Collection[str], now: float) -> None:
    """For blobs that were stored before this is asked, and are recorded afterwards.

    Raises:
        Overloaded: one of them may be gone; store it again.
    """
    if blobs.removes_safely or not digests:
        return
    query = select(removals).where(removals.c.blob.in_(digests))
    async with database.read() as connection:
        marked = (await connection.execute(query)).all()
    for row in marked:
        if not (row.is_done or await _is_taken_back(database, row.blob, row.marked_at, now)):
            raise _refusal()
        if not await blobs.is_there(row.blob):  # there after its removal: it was stored since
            raise _refusal()


async def _is_taken_back(database: Database, digest: str, marked_at: float, now: float) -> bool:
    """Take the mark of a sweep that has ended away, so that none removes the blob."""
    if marked_at > now - DEAD_S:
        return False
    async with database.write() as connection:
        if await claim(connection, [digest]) != [digest]:
            return False
        await connection.execute(delete(removals).where(removals.c.blob == digest))
    return True


def _refusal() -> Overloaded:
    return Overloaded("An unused page of the same content was just being removed. Send the request again.")
