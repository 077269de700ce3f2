"""Wrong secrets, counted by name and by address, for all nodes together and over restarts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from sqlalchemy import case, delete, select

from mangadex_server.database import Database
from mangadex_server.guessing import FORGET_S, wait_s
from mangadex_server.tables import failed_sign_ins


class FailedSignIns:
    """Counts of the last hour."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def wait_s(self, free: Mapping[str, int], now: float) -> float:
        """How long whoever these keys are about has to wait; each key has so many failures free."""
        keys = {_digest(key): its for key, its in free.items()}
        counted = select(failed_sign_ins).where(failed_sign_ins.c.key.in_(list(keys)))
        async with self._database.read() as connection:
            rows = (await connection.execute(counted)).all()
        return max((wait_s(row.failures, row.last_at, now, free=keys[row.key]) for row in rows), default=0.0)

    async def failed(self, *keys: str, now: float) -> None:
        """Count a wrong guess for each key."""
        table = failed_sign_ins
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.last_at < now - FORGET_S))
            for key in sorted(map(_digest, keys)):  # in one order, or two sign-ins wait for each other
                row = self._database.insert(table).values(key=key, failures=1, last_at=now)
                more = case((table.c.last_at < now - FORGET_S, 1), else_=table.c.failures + 1)
                await connection.execute(
                    row.on_conflict_do_update(index_elements=["key"], set_={"failures": more, "last_at": now})
                )

    async def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        async with self._database.write() as connection:
            await connection.execute(delete(failed_sign_ins).where(failed_sign_ins.c.key == _digest(key)))


def _digest(key: str) -> str:
    """Of one length, whatever somebody sends as a name; and nobody can read from the table who failed."""
    return hashlib.sha256(key.encode()).hexdigest()
