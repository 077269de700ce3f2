"""The shapes of answers (contract 3 and 10), as values."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias

from mangadex_server.errors import ON_THE_WIRE, ServiceError

Json: TypeAlias = dict[str, Any]


def entity(kind: str, id_: str, attributes: Json, relationships: Iterable[Json] = ()) -> Json:
    """One object."""
    return {"id": id_, "type": kind, "attributes": attributes, "relationships": list(relationships)}


def relationship(kind: str, id_: str, attributes: Json | None = None) -> Json:
    """A reference; `attributes` only where they were asked for (contract 10: absent, not null)."""
    return {"id": id_, "type": kind} if attributes is None else {"id": id_, "type": kind, "attributes": attributes}


def enveloped(data: Json) -> Json:
    """The real service's envelope around an entity."""
    return {"result": "ok", "response": "entity", "data": data}


def both_shapes(data: Json) -> Json:
    """The envelope and the documented bare entity at once (design 2)."""
    return {**enveloped(data), **data}


def collection(data: list[Json], *, limit: int, offset: int, total: int) -> Json:
    """A page of a list."""
    return {"result": "ok", "response": "collection", "data": data, "limit": limit, "offset": offset, "total": total}


def error_entry(error: ServiceError) -> Json:
    """One entry of `errors`, with all five keys (contract 8.1)."""
    place = ON_THE_WIRE[type(error)]
    return {"id": place.id, "status": place.status, "title": place.title, "detail": error.detail, "context": None}


def iso(unix_s: float | None) -> str | None:
    """A time as answers have it: seconds, with a numeric zone (contract 10)."""
    if unix_s is None:
        return None
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
