"""Query parameters: each is declared once, and both read and documented from that."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from starlette.datastructures import QueryParams
from starlette.requests import Request

from mangadex_server.errors import Invalid, NotFound
from mangadex_server.shapes import Json

MAX_IDS = 100
LAST_RESULT = 10_000
"""Of any list: offset and limit together end there (contract 9.3)."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LANGUAGE = r"[a-z]{2}(-[a-z]{2})?"
_MOMENT_SHAPE = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}")
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_SWITCH = {"0": False, "1": True, "false": False, "true": True}
MOMENT = (  # as documented; 29 February is taken as well
    r"[1-9][0-9]{3}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
)


class Declared(Protocol):
    """What a query is made of."""

    def read(self, given: QueryParams) -> Any:
        """The value, or its default where it was not given."""

    def document(self) -> list[Json]:
        """OpenAPI's parameter objects."""


class Query:
    """The parameters of one route, by the names that the use case has for them."""

    def __init__(self, **parameters: Declared) -> None:
        self._parameters = parameters

    def read(self, request: Request) -> dict[str, Any]:
        """All values.

        Raises:
            Invalid: one is malformed; it is named.
        """
        values = {name: parameter.read(request.query_params) for name, parameter in self._parameters.items()}
        if values.get("limit", 0) + values.get("offset", 0) > LAST_RESULT:
            raise malformed("offset", f"offset and limit together must not exceed {LAST_RESULT}. Narrow the search.")
        return values

    def document(self) -> Json:
        """What FastAPI takes as `openapi_extra`."""
        return {"parameters": [entry for parameter in self._parameters.values() for entry in parameter.document()]}


@dataclass(frozen=True, slots=True)
class One:
    """A parameter with one value; the last one counts where it is repeated."""

    name: str
    schema: Json
    convert: Callable[[str, str], Any]
    default: Any = None

    def read(self, given: QueryParams) -> Any:
        """See `Declared`."""
        value = given.get(self.name)
        return self.default if value is None else self.convert(self.name, value)

    def document(self) -> list[Json]:
        """See `Declared`."""
        return [{"name": self.name, "in": "query", "required": False, "schema": self.schema}]


@dataclass(frozen=True, slots=True)
class Many:
    """A list, sent as `name[]=a&name[]=b`; `also` is a name of one value (the first) that counts too."""

    name: str
    schema: Json
    convert: Callable[[str, str], Any]
    max_items: int = MAX_IDS
    also: str | None = None

    def read(self, given: QueryParams) -> tuple[Any, ...]:
        """See `Declared`."""
        values = given.getlist(self.name)
        if len(values) > self.max_items:
            raise malformed(self.name, f"at most {self.max_items} values; {len(values)} were given")
        values += given.getlist(self.also)[:1] if self.also else []
        return tuple(dict.fromkeys(self.convert(self.name, value) for value in values))

    def document(self) -> list[Json]:
        """See `Declared`."""
        listed = {"type": "array", "items": self.schema, "maxItems": self.max_items}
        entries = [{"name": self.name, "in": "query", "required": False, "schema": listed, "explode": True}]
        single = {"name": self.also, "in": "query", "required": False, "schema": self.schema}
        return [*entries, single] if self.also else entries


@dataclass(frozen=True, slots=True)
class Order:
    """`order[key]=asc|desc`, in the order of the query; (key, descending). Other keys are taken and mean nothing."""

    keys: tuple[str, ...]

    def read(self, given: QueryParams) -> tuple[tuple[str, bool], ...]:
        """See `Declared`."""
        chosen: dict[str, bool] = {}
        for name, value in given.multi_items():
            key = name.removeprefix("order[").removesuffix("]")
            if name == f"order[{key}]" and key in self.keys:
                chosen[key] = choice(name, value, ("asc", "desc")) == "desc"
        return tuple(chosen.items())

    def document(self) -> list[Json]:
        """See `Declared`."""
        direction = {"type": "string", "enum": ["asc", "desc"]}
        return [{"name": f"order[{key}]", "in": "query", "required": False, "schema": direction} for key in self.keys]


def text(name: str) -> One:
    """Any text."""
    return One(name, {"type": "string"}, _text)


def texts(name: str, also: str | None = None) -> Many:
    """Any texts."""
    return Many(name, {"type": "string"}, _text, also=also)


def identifier(name: str) -> One:
    """An id."""
    return One(name, {"type": "string", "format": "uuid"}, _uuid)


def identifiers(name: str, also: str | None = None) -> Many:
    """Ids."""
    return Many(name, {"type": "string", "format": "uuid"}, _uuid, also=also)


def languages(name: str) -> Many:
    """Language codes."""
    return Many(name, {"type": "string", "pattern": f"^{_LANGUAGE}$"}, _language)


def language(name: str) -> One:
    """A language code."""
    return One(name, {"type": "string", "pattern": f"^{_LANGUAGE}$"}, _language)


def choices(name: str, allowed: Sequence[str]) -> Many:
    """Some of these words."""
    return Many(name, {"type": "string", "enum": list(allowed)}, lambda name, value: choice(name, value, allowed))


def number(name: str, default: int | None, low: int, high: int) -> One:
    """A whole number within these bounds."""
    schema: Json = {"type": "integer", "minimum": low, "maximum": high}
    if default is not None:
        schema["default"] = default
    return One(name, schema, lambda name, value: _number(name, value, low, high), default)


def switch(name: str) -> One:
    """On, off, or None where it was not given."""
    return One(
        name, {"type": "string", "enum": list(_SWITCH)}, lambda name, value: _SWITCH[choice(name, value, _SWITCH)]
    )


def moment(name: str) -> One:
    """A time, as unix seconds."""
    return One(name, {"type": "string", "pattern": f"^{MOMENT}$"}, _moment)


def includes(*kinds: str) -> Many:
    """Which relationships to expand; others are taken and mean nothing (contract 10)."""
    return Many("includes[]", {"type": "string", "examples": list(kinds)}, _text)


def path_id(kind: str, given: str) -> str:
    """An id from the path, as it is stored.

    Raises:
        NotFound: nothing can have this id.
    """
    if _UUID.fullmatch(given) is None:
        raise NotFound(f"{kind} with ID {given[:80]} not found.")
    return given.lower()


def choice(name: str, value: str, allowed: Sequence[str] | dict[str, bool]) -> str:
    """The value, if it is one of these."""
    if value not in allowed:
        raise malformed(name, f"{value[:80]!r} is none of {', '.join(allowed)}")
    return value


def malformed(name: str, problem: str) -> Invalid:
    """The refusal of a parameter."""
    return Invalid(f"Error validating {name}: {problem}")


def _text(_name: str, value: str) -> str:
    return value.replace("\0", "")  # PostgreSQL's text has no such character


def _uuid(name: str, value: str) -> str:
    if _UUID.fullmatch(value) is None:
        raise malformed(name, f"{value[:80]!r} is no UUID. Give an id of exactly 36 characters.")
    return value.lower()


def _language(name: str, value: str) -> str:
    if re.fullmatch(_LANGUAGE, value) is None:
        raise malformed(name, f"{value[:80]!r} is no language code like en or pt-br, all lower case")
    return value


def _number(name: str, value: str, low: int, high: int) -> int:
    if _NUMBER.fullmatch(value) is None or not low <= int(value) <= high:
        raise malformed(name, f"{value[:80]!r} is no whole number from {low} to {high}")
    return int(value)


def _moment(name: str, value: str) -> float:
    try:
        shaped = value if _MOMENT_SHAPE.fullmatch(value) else ""  # strptime takes 1 for 01
        return datetime.strptime(shaped, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise malformed(name, f"{value[:80]!r} is no time in UTC without a zone, like 2026-01-31T18:00:00") from None
