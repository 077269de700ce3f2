"""Pages of lists: how many there are, and one window of them in a stable order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from sqlalchemy import ColumnElement, Row, Table, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

Item = TypeVar("Item")
Ordering: TypeAlias = Sequence[tuple[str, bool]]
"""Keys, and whether each descends."""

RATINGS = ("safe", "suggestive", "erotica", "pornographic")
DEFAULT_RATINGS = RATINGS[:3]
"""Where a search names none (contract 9.3)."""


@dataclass(frozen=True, slots=True)
class Found(Generic[Item]):
    """One window of a list."""

    items: list[Item]
    total: int


async def window(  # noqa: PLR0913 - a query's clauses
    connection: AsyncConnection,
    table: Table,
    conditions: Sequence[ColumnElement[bool]],
    order: Iterable[ColumnElement[Any]],
    *,
    limit: int,
    offset: int,
) -> Found[Row[Any]]:
    """The rows that meet all conditions, from `offset` on."""
    total = (await connection.execute(select(func.count()).select_from(table).where(*conditions))).scalar_one()
    query = select(table).where(*conditions).order_by(*order, table.c.id).limit(limit).offset(offset)
    return Found(list(await connection.execute(query)), total)


def ordered(order: Ordering, columns: Mapping[str, Sequence[ColumnElement[Any]]]) -> list[ColumnElement[Any]]:
    """The columns behind these keys; rows without a value come last either way."""
    return [
        (column.desc() if descending else column.asc()).nulls_last()
        for key, descending in order
        for column in columns.get(key, ())
    ]


def distance(column: ColumnElement[str], words: str) -> list[ColumnElement[Any]]:
    """How far a text is from being the words: relevance, turned round. Those that do not contain them come last."""
    steps = case(
        (func.lower(column) == words.lower(), 0),
        (column.istartswith(words, autoescape=True), 1),
        (column.icontains(words, autoescape=True), 2),
        else_=3,
    )
    return [steps, func.length(column)]
