"""What an operation is: a request as a value, what may be repeated, and how its answer is read. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar
from urllib.parse import quote
from uuid import UUID

from mangadex_openapi._options import Options
from mangadex_openapi._pages import FileArgument
from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models import Response
from mangadex_openapi.models._base import RequestModel, WireModel

T = TypeVar("T")
Model = TypeVar("Model", bound=WireModel)
Request = TypeVar("Request", bound=RequestModel)
Query: TypeAlias = list[tuple[str, str | int | float | bool | None]]


class Repeat(Enum):
    """Whether a request may be sent again once the service may have acted on it.

    What was certainly not acted on (no connection, 429) may always be sent again.
    """

    READ = "reading changes nothing"
    SAME_END = "a second time ends in the same state; what is gone by then was removed by the first"
    OPENS = "a lost answer may have opened a session, and a second begin is a conflict: ask get_upload_session"
    STORES = "pages stored by a request whose answer was lost would be stored twice: ask what the session has"
    PUBLISHES = "a chapter published by a commit whose answer was lost must not be published twice: look for it"
    VERSIONED = "the first may have raised the version, so a second would be taken for stale: read it again"

    @property
    def after_sending(self) -> bool:
        """Whether a lost answer may be followed by the same request."""
        return self in (Repeat.READ, Repeat.SAME_END)


@dataclass(frozen=True, slots=True)
class Operation(Generic[T]):
    """One call of the service.

    `read` takes the parsed body (None where it is empty) and raises InvalidRequest if it is not the answer.
    `pacing` names the rate window (contract 7.2), the operation's own by default; `slow` answers may take minutes.
    """

    name: str
    method: str
    path: str
    repeat: Repeat
    read: Callable[[Any], T]
    options: Options
    query: Query = field(default_factory=list)
    body: bytes | None = None
    pages: FileArgument | None = None
    multipart: bool = False
    pacing: str = ""
    slow: bool = False

    def __post_init__(self) -> None:
        if not self.pacing:
            object.__setattr__(self, "pacing", self.name)


def check_content_type(content_type: object) -> None:
    """Refuse a body in the place of the documented parameter before it, which would be lost without a word."""
    if not isinstance(content_type, str):
        problem = f"is {type(content_type).__name__}; it is the parameter before the body: give the body by its name"
        raise InvalidRequest("content_type", problem)


def path(template: str, **ids: object) -> str:
    """Fill ids into a path: anything is percent-encoded, dots too, so that no id can mean another path."""
    for name, value in ids.items():
        if value is not None and not isinstance(value, str | int | UUID):
            raise InvalidRequest(name, f"is {type(value).__name__}; give an id")
        text = _sendable(name, value) if value is not None else ""
        if not text:
            raise InvalidRequest(name, "is empty")
        encoded = quote(text, safe="")
        template = template.replace(f"{{{name}}}", encoded.replace(".", "%2E") if set(text) == {"."} else encoded)
    return template


def includes_query(includes: list[str] | None) -> Query:
    """`includes[]`, for the related entities that shall come with their attributes."""
    return query({"includes": includes})


LISTS = frozenset(
    {
        *("includes", "ids", "authors", "artists", "includedTags", "excludedTags", "status", "originalLanguage"),
        *("availableTranslatedLanguage", "publicationDemographic", "contentRating", "groups", "volume", "chapter"),
        *("translatedLanguage", "excludedGroups", "excludedUploaders"),
    }
)
"""Parameters that are lists on the wire (contract 9)."""


def query(values: Mapping[str, object]) -> Query:
    """Query parameters: lists as `name[]`, orders as `order[key]`, None left out, booleans as 1 and 0."""
    pairs: Query = []
    for name, value in values.items():
        if value is None:
            continue
        if isinstance(value, Mapping):
            pairs += [
                (f"{name}[{_sendable(name, key)}]", _sendable(name, direction)) for key, direction in value.items()
            ]
        elif isinstance(value, list | tuple):
            pairs += [(f"{name}[]", _sendable(name, item)) for item in value]
        elif name in LISTS:
            raise InvalidRequest(name, f"is {type(value).__name__}; give a list")
        else:
            pairs.append((name, str(int(value)) if isinstance(value, bool) else _sendable(name, value)))
    return pairs


def model_body(kind: type[Request], name: str, value: Request | Mapping[str, Any] | None) -> bytes | None:
    """The JSON of a request model, also given as a dictionary; no body at all for None."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        value = kind.from_dict(value)
    if not isinstance(value, kind):
        raise InvalidRequest(name, f"is {type(value).__name__}; give a {kind.__name__}")
    return json_body(value.to_dict())


def json_body(value: object) -> bytes:
    """Compact JSON, since the service counts bytes (contract 2.5)."""
    return _sendable("body", json.dumps(value, separators=(",", ":"), ensure_ascii=False)).encode()


def _sendable(name: str, value: object) -> str:
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidRequest(name, f"{text[:80]!r} has characters that cannot be sent (half of a pair)") from None
    return text


def entity(kind: type[Model]) -> Callable[[Any], Model]:
    """Read an entity, in the real service's envelope or bare as documented (contract 3.1)."""

    def read(body: Any) -> Model:
        if isinstance(body, Mapping):
            data = body.get("data")
            if isinstance(data, Mapping) and data.get("id"):
                return kind.from_dict(data)
            if body.get("id"):
                return kind.from_dict(body)
        raise InvalidRequest(kind.__name__, "has neither data nor id")

    return read


def enveloped(kind: type[Model], data: type[list[Any] | dict[str, Any]]) -> Callable[[Any], Model]:
    """Read an envelope that is itself the documented answer; a bare entity gets one."""

    def read(body: Any) -> Model:
        if isinstance(body, Mapping) and isinstance(body.get("data"), data):
            return kind.from_dict(body)
        if data is dict and isinstance(body, Mapping) and body.get("id"):
            return kind.from_dict({"result": "ok", "response": "entity", "data": body})
        raise InvalidRequest(kind.__name__, "has no data")

    return read


def having(kind: type[Model], *names: str) -> Callable[[Any], Model]:
    """Read an object that must have at least one of these keys."""

    def read(body: Any) -> Model:
        if isinstance(body, Mapping) and any(body.get(name) is not None for name in names):
            return kind.from_dict(body)
        raise InvalidRequest(kind.__name__, f"has no {' or '.join(names)}")

    return read


def acknowledgement(body: Any) -> Response:
    """Read `{"result": "ok"}`; an empty body with a success status says the same."""
    if body is None:
        return Response(result="ok")
    if isinstance(body, Mapping) and body.get("result") == "ok":
        return Response.from_dict(body)
    raise InvalidRequest("Response", "does not say ok")
