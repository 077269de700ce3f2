"""`chapters.toml` beside the chapters: what each of them is, in a table by its folder's or archive's name."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

from mangadex_uploader.errors import UsageError
from mangadex_uploader.ordering import composed
from mangadex_uploader.printable import printable

CHAPTERS_FILE = "chapters.toml"
DEFAULTS = "defaults"
KEYS = ("manga", "groups", "language", "chapter", "volume", "title", "publish_at", "time_zone")

Given: TypeAlias = Mapping[str, str | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ChaptersFile:
    """The tables by name; empty where there is no file."""

    defaults: Given = field(default_factory=dict)
    chapters: Mapping[str, Given] = field(default_factory=dict)

    def of(self, name: str) -> Given:
        """What it says of a chapter, which goes before what it says of all. An empty text says that there is none."""
        return {**self.defaults, **self.chapters.get(composed(name), {})}


def read_chapters(text: str, names: Collection[str]) -> ChaptersFile:
    """Check and read the file.

    Args:
        text: of the file.
        names: of the folders and archives beside it.

    Raises:
        UsageError: it is no TOML, has a table that names nothing, a key that does not exist, or a value that is wrong.
    """
    try:
        parsed = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{CHAPTERS_FILE}: is no TOML ({printable(str(error))}); correct it") from error
    known = {composed(name): name for name in names}
    tables = {}
    for name, table in parsed.items():
        if not isinstance(table, dict):
            raise UsageError(
                f"{CHAPTERS_FILE}: {printable(name)} is in no table; write it below [{DEFAULTS}] or a chapter's name"
            )
        if name != DEFAULTS and composed(name) not in known:
            nearest = _nearest(composed(name), known)
            raise UsageError(f"{CHAPTERS_FILE}: [{printable(name)}] names no folder or archive beside it{nearest}")
        if composed(name) in tables:
            raise UsageError(f"{CHAPTERS_FILE}: [{printable(name)}] is there twice; write it once")
        tables[composed(name)] = {key: _checked(name, key, value) for key, value in table.items()}
    return ChaptersFile(tables.pop(DEFAULTS, {}), tables)


def _checked(table: str, key: str, value: Any) -> str | tuple[str, ...]:
    where = f"{CHAPTERS_FILE}: [{printable(table)}] {printable(key)}"
    if key not in KEYS:
        raise UsageError(f"{where}: there is no such key{_nearest(key, KEYS)}; there are {', '.join(KEYS)}")
    if key == "groups":
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise UsageError(f'{where}: must be a list of texts, such as ["a", "b"]')
        return tuple(listed)
    if key == "publish_at" and isinstance(value, date):  # a time is one, too
        return value.isoformat()
    if not isinstance(value, str):
        raise UsageError(f"{where}: must be a text in quotes, such as {_example(value)}")
    return value


def _example(value: Any) -> str:
    return f'"{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else '"12"'


def _nearest(name: str, known: Collection[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {printable(found[0])}?" if found else ""
