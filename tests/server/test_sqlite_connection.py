"""The connection to SQLite with fewer steps: what SQLAlchemy makes of it is what SQLite does."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mangadex_server.database import Database

pytestmark = pytest.mark.embedded(reason="it is about the connection to SQLite")

Work = Callable[[Database], Coroutine[Any, Any, None]]


def run(folder: Path, work: Work, *, durable: bool = True) -> None:
    async def main() -> None:
        database = Database(f"sqlite+aiosqlite:///{folder / 'test.sqlite3'}", durable=durable)
        try:
            async with database.write() as connection:
                await connection.execute(text("CREATE TABLE IF NOT EXISTS pages (number INTEGER UNIQUE)"))
            await work(database)
        finally:
            await database.close()

    asyncio.run(main())


async def numbers(database: Database) -> list[int]:
    async with database.read() as connection:
        return list((await connection.execute(text("SELECT number FROM pages ORDER BY number"))).scalars())


def insert(*found: int) -> tuple[Any, list[dict[str, int]]]:
    return text("INSERT INTO pages VALUES (:number)"), [{"number": number} for number in found]


def test_rows_counts_and_returning(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(*insert(1, 2, 3))
            changed = await connection.execute(text("UPDATE pages SET number = number + 10 WHERE number > 1"))
            assert changed.rowcount == 2
            gone = await connection.execute(text("DELETE FROM pages WHERE number = 12 RETURNING number AS gone"))
            assert (list(gone.keys()), gone.scalars().all()) == (["gone"], [12])
            assert (await connection.execute(text("SELECT 1 WHERE 0"))).first() is None
        assert await numbers(database) == [1, 13]

    run(tmp_path, work)


async def fail(database: Database, after: list[int]) -> None:
    async with database.write() as connection:
        for number in after:
            await connection.execute(*insert(number))
        raise ZeroDivisionError


def test_a_transaction_that_fails_leaves_nothing_and_the_next_one_works(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        for numbers_before_it_fails in ([1], []):
            with pytest.raises(ZeroDivisionError):
                await fail(database, numbers_before_it_fails)
        async with database.write():
            pass
        async with database.write() as connection:
            await connection.execute(*insert(2))
        assert await numbers(database) == [2]

    run(tmp_path, work)


def test_a_writing_transaction_has_the_lock_from_its_first_statement(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        with closing(sqlite3.connect(tmp_path / "test.sqlite3", timeout=0)) as other:
            async with database.write() as connection:
                await connection.execute(text("SELECT 1"))
                with pytest.raises(sqlite3.OperationalError, match="locked"):
                    other.execute("BEGIN IMMEDIATE")
            other.execute("BEGIN IMMEDIATE")

    run(tmp_path, work)


def test_a_reading_transaction_sees_one_state(tmp_path: Path) -> None:
    async def work(database: Database) -> None:
        async with database.read() as connection:
            count = text("SELECT count(*) FROM pages")
            assert (await connection.execute(count)).scalar() == 0
            async with database.write() as writer:
                await writer.execute(*insert(1))
            assert (await connection.execute(count)).scalar() == 0
        assert await numbers(database) == [1]

    run(tmp_path, work)


@pytest.mark.parametrize(("durable", "level"), [(True, 2), (False, 1)], ids=["full", "normal"])
def test_commits_are_synced_unless_durability_is_normal(tmp_path: Path, *, durable: bool, level: int) -> None:
    async def work(database: Database) -> None:
        async with database.write() as connection:
            assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == level

    run(tmp_path, work, durable=durable)
