"""aiosqlite with one step to the connection's thread for a statement, where it takes four.

A step costs about 0.15 ms beside uploads (two switches of threads, and the wait for the interpreter), more than most
statements. So a cursor is opened, executed, read to its end and closed at once: SQLAlchemy reads all rows anyway. A
BEGIN goes along with the statement after it, and a rollback of nothing goes nowhere.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import Any

import aiosqlite
from aiosqlite.context import contextmanager


def connect(database: str, **arguments: Any) -> aiosqlite.Connection:
    """For `async_creator_fn` of SQLAlchemy's dialect; a connection when awaited."""
    connection = _Connection(lambda: sqlite3.connect(database, **arguments), iter_chunk_size=64)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does, or a connection left open keeps the program
    return connection


class _Connection(aiosqlite.Connection):
    _begin: str | None = None

    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return _Cursor(self)

    async def rollback(self) -> None:
        if self._begin is None and self._conn.in_transaction:
            await super().rollback()
        self._begin = None

    async def commit(self) -> None:
        if self._begin is None:
            await super().commit()
        self._begin = None

    async def run(self, statement: Callable[[sqlite3.Cursor], Any]) -> tuple[sqlite3.Cursor, list[Any]]:
        """The cursor, closed, and its rows."""
        begin, self._begin = self._begin, None
        done: tuple[sqlite3.Cursor, list[Any]] = await self._execute(self._run, begin, statement)  # type: ignore[no-untyped-call]
        return done

    def begin_with_the_next(self, begin: str) -> None:
        """Begin a transaction when it has something to do."""
        self._begin = begin

    def _run(self, begin: str | None, statement: Callable[[sqlite3.Cursor], Any]) -> tuple[sqlite3.Cursor, list[Any]]:
        cursor = self._conn.cursor()
        try:
            if begin is not None:
                cursor.execute(begin)
            statement(cursor)
            return cursor, cursor.fetchall()
        finally:
            cursor.close()


class _Nothing:
    """In place of a cursor before anything was executed with it."""

    description = lastrowid = None
    rowcount = -1


class _Cursor(aiosqlite.Cursor):
    def __init__(self, connection: _Connection) -> None:
        super().__init__(connection, _Nothing())  # type: ignore[arg-type]
        self._connection = connection
        self._rows: list[Any] = []

    async def execute(self, sql: str, parameters: Any = None) -> aiosqlite.Cursor:
        if sql.startswith("BEGIN"):
            self._connection.begin_with_the_next(sql)
        else:
            self._cursor, self._rows = await self._connection.run(lambda cursor: cursor.execute(sql, parameters or ()))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> aiosqlite.Cursor:
        self._cursor, self._rows = await self._connection.run(lambda cursor: cursor.executemany(sql, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """It is closed."""
