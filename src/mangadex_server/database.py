"""The database by its URL: one writer and several readers on SQLite, a pool on PostgreSQL (engines.md 1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mangadex_server.errors import OutOfSpace
from mangadex_server.sqlite_connection import connect

READERS = 4
BUSY_MS = 5_000
UNIQUE_VIOLATION = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
DISK_FULL = frozenset({"53100", "SQLITE_FULL"})


class Database:
    """Transactions. `write()` may be held by one at a time on SQLite, so no waiting for anything else inside it.

    `durable=False` leaves the syncs out on SQLite: what is committed survives a kill, but not a power loss.
    """

    def __init__(self, url: str, *, durable: bool = True) -> None:
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer = _sqlite_engine(url, pool_size=1, durable=durable)
            self._reader = _sqlite_engine(url, pool_size=READERS).execution_options(read_only=True)
        else:
            self._writer = self._reader = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write; it is there as a whole when the block ends, or not at all.

        Raises:
            OutOfSpace: the disk is full.
        """
        try:
            async with self._writer.begin() as connection:
                yield connection
        except OperationalError as error:
            if _error_name(error) not in DISK_FULL:
                raise
            raise OutOfSpace("The service has no room to record this. Try again later.") from error

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of everything."""
        async with self._reader.begin() as connection:
            yield connection

    async def close(self) -> None:
        """Give all connections back."""
        await self._writer.dispose()
        await self._reader.dispose()


def is_unique_violation(error: IntegrityError) -> bool:
    """Whether a unique index refused the row."""
    return _error_name(error) in UNIQUE_VIOLATION


def _error_name(error: DBAPIError) -> str | None:
    """PostgreSQL's SQLSTATE, or SQLite's name."""
    name: str | None = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
    return name


def _sqlite_engine(url: str, *, pool_size: int, durable: bool = True) -> AsyncEngine:
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=60, connect_args={"async_creator_fn": connect}
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connect(dbapi: Any, _record: Any) -> None:
        dbapi.isolation_level = None  # BEGIN is ours, below
        cursor = dbapi.cursor()
        synchronous = f"synchronous={'FULL' if durable else 'NORMAL'}"
        for pragma in ("journal_mode=WAL", synchronous, "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Connection) -> None:
        read_only = connection.get_execution_options().get("read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine
