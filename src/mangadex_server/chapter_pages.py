"""A chapter's pages in the database: those that are read, and those of an edit that are still to be processed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Table, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.tables import new_pages, pages

COLUMNS = ("original_file_name", "blob", "size_bytes", "mime_type", "width", "height")


async def latest(connection: AsyncConnection, chapter_id: str) -> list[Row[Any]]:
    """What was committed last, in order, whether it is processed or not."""
    return await of_table(connection, new_pages, chapter_id) or await of_table(connection, pages, chapter_id)


async def of_table(connection: AsyncConnection, table: Table, chapter_id: str) -> list[Row[Any]]:
    """Those in `pages` or in `new_pages`, in order."""
    found = select(table).where(table.c.chapter_id == chapter_id).order_by(table.c.position)
    return list(await connection.execute(found))


async def savers(connection: AsyncConnection, chapter_id: str) -> dict[str, str]:
    """The digests of its processed pages, each with that of its data-saver variant."""
    found = select(pages.c.blob, pages.c.saver_blob).where(
        pages.c.chapter_id == chapter_id, pages.c.saver_blob.is_not(None)
    )
    return {row.blob: row.saver_blob for row in await connection.execute(found)}


async def put(
    connection: AsyncConnection, chapter_id: str, ordered: Sequence[Row[Any]], known: Mapping[str, str]
) -> None:
    """Make these the pages that are read, and forget all others. `known` are savers."""
    await _forget_new(connection, chapter_id)
    await connection.execute(delete(pages).where(pages.c.chapter_id == chapter_id))
    rows = [row | {"saver_blob": known.get(row["blob"])} for row in _rows(chapter_id, ordered)]
    if rows:
        await connection.execute(insert(pages), rows)


async def put_beside(connection: AsyncConnection, chapter_id: str, ordered: Sequence[Row[Any]]) -> None:
    """Keep these until they are processed; the pages that are read stay."""
    await _forget_new(connection, chapter_id)
    await connection.execute(insert(new_pages), _rows(chapter_id, ordered))


async def _forget_new(connection: AsyncConnection, chapter_id: str) -> None:
    await connection.execute(delete(new_pages).where(new_pages.c.chapter_id == chapter_id))


def _rows(chapter_id: str, ordered: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    return [
        {"chapter_id": chapter_id, "position": position} | {name: getattr(page, name) for name in COLUMNS}
        for position, page in enumerate(ordered)
    ]
