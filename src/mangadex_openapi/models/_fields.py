"""Types of fields with a rule, each with its source in the wire contract."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

DATE_FORMAT = "%Y-%m-%dT%H:%M:%S"


def _matching(pattern: str, meaning: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            raise ValueError(f"{value[:80]!r} is not {meaning}")
        return value

    return AfterValidator(check)


def _utc_text(value: object) -> object:
    if isinstance(value, str):
        return value
    if not isinstance(value, datetime):  # pydantic would take a number of seconds for one
        raise ValueError("is neither text nor a datetime")  # noqa: TRY004 - pydantic passes on a ValueError only
    if value.tzinfo is None:
        raise ValueError("has no time zone; give an aware datetime, or UTC as text like 2026-01-31T18:00:00")
    try:
        return value.astimezone(UTC).strftime(DATE_FORMAT)
    except OverflowError:
        raise ValueError("is beyond the calendar") from None


def _real_date(value: str) -> str:
    try:
        datetime.strptime(value, DATE_FORMAT)  # noqa: DTZ007 - parsed only to see that the day exists
    except ValueError:
        raise ValueError(f"{value!r} is no existing date") from None
    return value


def _empty_map(value: object) -> object:
    return {} if value == [] else value


Uuid = Annotated[str, _matching(r".{36}", "an id of exactly 36 characters")]
"""An id (contract 2)."""

Number = Annotated[
    str,
    Field(max_length=8),
    _matching(r"((0|[1-9][0-9]*)(\.[0-9]+)?[a-z]?)?", "a number like 1, 10.5 or 7a (no leading zeros)"),
]
"""A volume or chapter number (contract 11.1)."""

Language = Annotated[str, _matching(r"[a-z]{2}(-[a-z]{2})?", "a language code like en or pt-br, all lower case")]
"""A language code (contract 11.2)."""

Title = Annotated[str, Field(max_length=255)]
"""A chapter's title (contract 11.3)."""

ExternalUrl = Annotated[str, Field(max_length=512), _matching(r"(?s)https?://.*", "an http:// or https:// address")]
"""A link to the chapter elsewhere (contract 11.3)."""

PublishAt = Annotated[
    str | datetime,
    BeforeValidator(_utc_text),
    _matching(
        r"[0-9]{4}-[0-1][0-9]-([0-2][0-9]|3[0-1])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
        "UTC without a zone, like 2026-01-31T18:00:00",
    ),
    AfterValidator(_real_date),
]
"""UTC, no zone suffix, and a day that exists (contract 2.4 and 11.3). An aware datetime is converted."""

LocalizedString = Annotated[dict[str, str], BeforeValidator(_empty_map)]
"""Texts by language code; an empty map may arrive as a list (contract 9.1)."""

Attributes = Annotated[dict[str, Any], BeforeValidator(_empty_map)]
"""Attributes as they came, for entities that have no model of their own here."""
