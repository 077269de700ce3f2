"""What the operations around uploading share: one entity by its id, and the parameters of lists (contract 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from mangadex_openapi._operations import Operation, Query, Repeat, enveloped, includes_query, query
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models._base import WireModel

MAX_LIMIT = 100  # entries of a list, and ids in a filter (contract 9)
MAX_WINDOW = 10_000  # offset and limit together (contract 9.3)

Model = TypeVar("Model", bound=WireModel)
Order = Mapping[str, str]


def get_entity(
    name: str, path: str, kind: type[Model], includes: list[str] | None, options: CallOptions
) -> Operation[Model]:
    """Read one entity in its envelope."""
    return Operation(
        name=name,
        method="GET",
        path=path,
        repeat=Repeat.READ,
        read=enveloped(kind, dict),
        options=Options.of(options),
        query=includes_query(includes),
    )


def list_query(  # noqa: PLR0913 - what every list takes
    limit: int | None,
    offset: int | None,
    ids: list[str] | None,
    filters: Mapping[str, object],
    order: Order | None,
    includes: list[str] | None,
) -> Query:
    """The parameters of a list.

    Raises:
        InvalidRequest: beyond what the service lists.
    """
    for name, number in (("limit", limit), ("offset", offset)):
        if number is not None and not isinstance(number, int):
            raise InvalidRequest(name, f"is {type(number).__name__}; give a whole number")
    if limit is not None and not 0 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"is {limit}; a list has 0 to {MAX_LIMIT} entries")
    if offset is not None and not 0 <= offset <= MAX_WINDOW - (10 if limit is None else limit):
        raise InvalidRequest(
            "offset", f"is {offset}; offset and limit together reach {MAX_WINDOW}: filter more closely"
        )
    if ids is not None and len(ids) > MAX_LIMIT:
        raise InvalidRequest("ids", f"has {len(ids)} ids; one request takes up to {MAX_LIMIT}")
    return query({"limit": limit, "offset": offset, "ids": ids, **filters, "order": order, "includes": includes})
