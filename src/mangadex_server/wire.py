"""The shapes of answers (contract 3 and 10), and the one way in which they become bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeAlias

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mangadex_server.errors import ON_THE_WIRE, ServiceError

REFUSALS = "mangadex_server.refusals"
"""In the scope of an answered request: status and title of all that was refused in it."""

Json: TypeAlias = dict[str, Any]


class WireResponse(Response):
    """JSON whose Content-Type is exactly application/json: Hondana compares it with == (contract 1.2)."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Compact UTF-8 JSON."""
        self._refusals = [(entry["status"], entry["title"]) for entry in content.get("errors", [])]
        if "error" in content:  # of the token endpoint
            self._refusals.append((self.status_code, content["error"]))
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave a note of what was refused."""
        scope[REFUSALS] = self._refusals
        await super().__call__(scope, receive, send)


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


def error_response(error: ServiceError, headers: Mapping[str, str] | None = None) -> WireResponse:
    """The answer to a refused request."""
    body, status = {"result": "error", "errors": [error_entry(error)]}, ON_THE_WIRE[type(error)].status
    challenge = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}  # RFC 9110 15.5.2
    return WireResponse(body, status, challenge | dict(headers or {}))


def all_refused(refusals: Sequence[ServiceError]) -> WireResponse:
    """The answer to a request of which no file was accepted, with the reason for each (contract 4.5)."""
    entries = [error_entry(refusal) for refusal in refusals]
    statuses = {entry["status"] for entry in entries}
    status = statuses.pop() if len(statuses) == 1 else HTTPStatus.BAD_REQUEST
    return WireResponse({"result": "error", "errors": entries}, status)


def iso(unix_s: float | None) -> str | None:
    """A time as answers have it: seconds, with a numeric zone (contract 10)."""
    if unix_s is None:
        return None
    return datetime.fromtimestamp(unix_s, UTC).isoformat(timespec="seconds")
