"""Removing blobs that nothing refers to any more (design 5): old ones only, and asked again just before."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import insert, select, union, update
from sqlalchemy.exc import IntegrityError

from mangadex_server import removals
from mangadex_server.data_folder import sweeping
from mangadex_server.database import Database, is_unique_violation
from mangadex_server.stores import Blobs, StoredBlob
from mangadex_server.tables import files, new_pages, pages, upkeep

OLD_S = 86_400.0
BATCH = 200
AT_ONCE = 10
"""Blobs that are removed in one transaction: each may take the store a second."""

SWEEP = "sweep"


class Sweep:
    """Finds and removes orphans, but nothing while a backup runs."""

    def __init__(
        self, database: Database, blobs: Blobs, data_dir: Path, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._data_dir = data_dir
        self._blobs = blobs
        self._clock = clock

    async def is_due(self, every_s: float) -> bool:
        """Whether it is time, and no other node does it; the next time is `every_s` later."""
        now = self._database.now()
        this = upkeep.c.name == SWEEP
        async with self._database.write() as connection:
            taken = update(upkeep).where(this, upkeep.c.due_at <= now).values(due_at=now + every_s)
            if (await connection.execute(taken)).rowcount:
                return True
            if (await connection.execute(select(upkeep.c.name).where(this))).first() is not None:
                return False
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(upkeep).values(name=SWEEP, due_at=now + every_s))
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
            return False
        return True

    async def run(self, *, older_than_s: float = OLD_S) -> int:
        """Remove blobs without a row that were last written so long ago; returns how many.

        A page that is uploaded again is written again, so its blob is young while its row is on the way.
        """
        removed = 0
        before = self._clock() - older_than_s
        if not self._blobs.removes_safely:
            removed += await self._finish_others(before)
        everything = self._blobs.all()
        while batch := await asyncio.to_thread(_take, everything):
            old = [blob.digest for blob in batch if blob.written_at < before]
            with sweeping(self._data_dir) as may_remove:
                if not may_remove:
                    break
                removed += await self._remove(old, before)
        if not self._blobs.removes_safely:
            async with self._database.write() as connection:
                await removals.forget(connection, self._clock())
        return removed

    async def _remove(self, old: list[str], before: float) -> int:
        referred = await self._referred(old)
        orphans = [digest for digest in old if digest not in referred]
        if self._blobs.removes_safely or not orphans:
            return len(await self._delete(orphans, before))
        steps = [orphans[at : at + AT_ONCE] for at in range(0, len(orphans), AT_ONCE)]
        return sum([await self._remove_marked(step, before) for step in steps])

    async def _finish_others(self, before: float) -> int:
        """What sweeps that were killed had begun; blobs of these may be gone already, and are listed no more."""
        removed = 0
        async with self._database.read() as connection:
            left = await removals.left_behind(connection, self._clock(), BATCH)
        for at in range(0, len(left), AT_ONCE):
            removed += await self._remove_marked(left[at : at + AT_ONCE], before)
        return removed

    async def _remove_marked(self, digests: list[str], before: float) -> int:
        """A step that is cut off may go on at the store for a while: its marks have to be young (`removals.DEAD_S`)."""
        await removals.mark(self._database, digests, self._clock())
        async with self._database.write() as connection:
            claimed = await removals.claim(connection, digests)
            still_used = await self._referred(claimed)
            deleted = await self._delete([digest for digest in claimed if digest not in still_used], before)
            kept = [digest for digest in claimed if digest not in deleted]
            await removals.finish(connection, deleted, kept, self._clock())
        return len(deleted)

    async def _delete(self, digests: list[str], before: float) -> list[str]:
        return [digest for digest in digests if await asyncio.to_thread(self._blobs.delete_older, digest, before)]

    async def _referred(self, digests: list[str]) -> set[str]:
        uses = (files.c.blob, new_pages.c.blob, pages.c.blob, pages.c.saver_blob)
        query = union(*(select(column).where(column.in_(digests)) for column in uses))
        async with self._database.read() as connection:
            return set((await connection.execute(query)).scalars())


def _take(everything: Iterator[StoredBlob]) -> list[StoredBlob]:
    return list(islice(everything, BATCH))
