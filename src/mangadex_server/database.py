"""The database by its URL: one writer and several readers on SQLite, a pool on PostgreSQL (engines.md 1)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import ColumnElement, Float, Table, cast, event, func
from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from mangadex_server.errors import OutOfSpace, Overloaded, ServiceError, Unavailable
from mangadex_server.sqlite_connection import connect

READERS = 4
BUSY_MS = 5_000
UNIQUE_VIOLATION = frozenset({"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"})
DISK_FULL = frozenset({"53100", "SQLITE_FULL"})
IN_EACH_OTHERS_WAY = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, a lock that did not come
TOO_MANY = frozenset({"53300"})
AWAY = ("08", "57P")  # classes: connection exceptions, an operator's shutdown

POOL = 10
"""Connections of a process to PostgreSQL, and as many more when it is pressed."""

TRANSACTION_S = 25.0
"""A transaction that takes longer is given up: the database hangs."""

GUARDS = "-c lock_timeout=20s -c idle_in_transaction_session_timeout=30s"
"""A process that hangs in a transaction may hold up others for so long."""


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
            self._writer = _postgresql_engine(url)
            self._reader = self._writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that may write; it is there as a whole when the block ends, or not at all.

        Raises:
            OutOfSpace: the disk is full.
            Unavailable: the database does not answer.
            Overloaded: too many want it, or this and another transaction were in each other's way.
        """
        with _told():
            async with self._in_time(), self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of everything.

        Raises:
            Unavailable, Overloaded: as `write`.
        """
        with _told():
            async with self._in_time(), self._reader.begin() as connection:
                yield connection

    def _in_time(self) -> asyncio.Timeout:
        """PostgreSQL may be reached and not answer; SQLite is a file."""
        return asyncio.timeout(None if self.is_sqlite else TRANSACTION_S)

    def insert(self, table: Table) -> SqliteInsert | PostgresqlInsert:
        """An insert that can say what happens if the row is there."""
        return sqlite_insert(table) if self.is_sqlite else postgresql_insert(table)

    def now(self) -> float | ColumnElement[float]:
        """The time that all processes share: of this machine, or the database's own, for use in statements."""
        return time.time() if self.is_sqlite else cast(func.extract("epoch", func.statement_timestamp()), Float(53))

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


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise Unavailable("The service's database does not answer. Try again in a moment.") from error
    except PoolTimeoutError as error:
        raise Overloaded("Too many requests at once. Try again in a moment.") from error
    except DBAPIError as error:
        if refusal := _refusal(error):
            raise refusal from error
        raise


def _refusal(error: DBAPIError) -> ServiceError | None:
    """What a caller may be told; None for a fault of the program."""
    name = _error_name(error)
    if name in DISK_FULL:
        return OutOfSpace("The service has no room to record this. Try again later.")
    if name in IN_EACH_OTHERS_WAY:
        return Overloaded("Another request was changing the same. Try again in a moment.")
    if name in TOO_MANY:
        return Overloaded("The database has too many connections. Try again in a moment.")
    is_away = name.startswith(AWAY) if name else isinstance(error, OperationalError)
    if is_away or error.connection_invalidated:
        return Unavailable("The service cannot reach its database. Try again in a moment.")
    return None


def _postgresql_engine(url: str) -> AsyncEngine:
    guarded = {} if "options" in make_url(url).query else {"options": GUARDS}
    return create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=POOL,
        pool_timeout=15,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "mangadex-server", **guarded},
    )


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
