"""The options that every operation takes beside its documented parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypedDict

from mangadex_openapi.exceptions import InvalidRequest

RequestTimeout: TypeAlias = float | tuple[float, float]
RequestAuth: TypeAlias = str | Mapping[str, Any]

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")
_OURS = frozenset({"content-length", "transfer-encoding", "host"})


class CallOptions(TypedDict, total=False):
    """Options of one call.

    `_request_timeout`: seconds for each of connecting, writing and reading, or a pair (connect, read).
    `_request_auth`: another access token for this call, or the generated clients' dictionary
    `{"type": "bearer", "in": "header", "key": "Authorization", "value": "Bearer ..."}`.
    `_content_type`: another Content-Type of a JSON body. `_headers`: more headers.
    `_host_index`: 0, the one host.
    """

    _request_timeout: RequestTimeout | None
    _request_auth: RequestAuth | None
    _content_type: str | None
    _headers: Mapping[str, str] | None
    _host_index: int


@dataclass(frozen=True, slots=True)
class Options:
    """CallOptions, checked."""

    connect_s: float | None = None
    read_s: float | None = None
    authorization: str | None = None
    content_type: str | None = None
    headers: Mapping[str, str] | None = None

    @classmethod
    def of(cls, given: CallOptions) -> Options:
        """Check the options of one call.

        Raises:
            TypeError: an option that does not exist.
            InvalidRequest: a value that cannot be used.
        """
        if not given:
            return _NONE_GIVEN
        if unknown := set(given) - set(CallOptions.__annotations__):
            raise TypeError(f"unexpected keyword argument {min(unknown)!r}")
        if given.get("_host_index", 0) != 0:
            raise InvalidRequest("_host_index", "there is one host, with index 0; set Configuration(host=...) instead")
        connect_s, read_s = _timeout(given.get("_request_timeout"))
        headers = given.get("_headers")
        for name, value in (headers or {}).items():
            check_header("_headers", name, value)
        content_type = given.get("_content_type")
        if content_type is not None:
            check_header("_content_type", "Content-Type", content_type)
        return cls(connect_s, read_s, _authorization(given.get("_request_auth")), content_type, headers)


_NONE_GIVEN = Options()


LONGEST_TIMEOUT_S = 86_400.0


def check_header(field: str, name: str, value: object) -> None:
    """Refuse what cannot stand in a header, without repeating the value, which may be a secret."""
    if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
        raise InvalidRequest(field, f"{name!r} is no header name")
    if name.lower() in _OURS:
        raise InvalidRequest(field, f"{name} follows from the request and cannot be set")
    if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
        problem = "characters that no header may have (a line end or blank at an end, or not ASCII?)"
        raise InvalidRequest(field, f"the value for {name} has {problem}")


def _timeout(given: object) -> tuple[float | None, float | None]:
    if given is None:
        return None, None
    pair = given if isinstance(given, tuple) else (given, given)
    if len(pair) == 2 and all(is_seconds(value) for value in pair):
        return pair
    raise InvalidRequest("_request_timeout", f"{given!r} is neither seconds above 0 nor a pair (connect, read) of them")


def is_seconds(value: object) -> bool:
    """Whether it can be a timeout: above 0, and a day at most."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= LONGEST_TIMEOUT_S


def _authorization(given: RequestAuth | None) -> str | None:
    if given is None:
        return None
    if isinstance(given, str):
        value = f"Bearer {given}"
    elif isinstance(given, Mapping) and isinstance(given.get("value"), str):
        value = given["value"]
    else:
        raise InvalidRequest("_request_auth", "give an access token, or the dictionary of a bearer scheme")
    check_header("_request_auth", "Authorization", value)
    return value
