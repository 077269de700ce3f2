"""aiosqlite with one step to the connection's thread for a statement, where it takes four.

A step costs about 0.15 ms beside uploads (two switches of threads, and the wait for the interpreter), more than most
statements. So a cursor is opened, executed, read to its end and closed at once; SQLAlchemy reads all rows anyway.
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
    @contextmanager
    async def cursor(self) -> aiosqlite.Cursor:
        return _Cursor(self, self._conn)


class _Cursor(aiosqlite.Cursor):
    def __init__(self, connection: _Connection, database: sqlite3.Connection) -> None:
        super().__init__(connection, None)  # type: ignore[arg-type]  # opened by the first statement
        self._database = database
        self._rows: list[Any] = []

    async def execute(self, sql: str, parameters: Iterable[Any] | None = None) -> aiosqlite.Cursor:
        await self._execute(self._run, lambda cursor: cursor.execute(sql, parameters or ()))  # type: ignore[no-untyped-call]
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> aiosqlite.Cursor:
        await self._execute(self._run, lambda cursor: cursor.executemany(sql, parameters))  # type: ignore[no-untyped-call]
        return self

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """It is closed."""

    def _run(self, statement: Callable[[sqlite3.Cursor], sqlite3.Cursor]) -> None:
        self._cursor = self._database.cursor()
        try:
            statement(self._cursor)
            self._rows = self._cursor.fetchall()
        finally:
            self._cursor.close()
