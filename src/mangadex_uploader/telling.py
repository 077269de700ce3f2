"""A chapter's values with their origins, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mangadex_uploader.errors import UsageError
from mangadex_uploader.metadata import Gathered, Text
from mangadex_uploader.printable import printable

ORDER = ("manga", "chapter", "volume", "title", "language", "groups", "publish_at", "time_zone")


@dataclass(frozen=True, slots=True)
class Told:
    """Values and the ids that were found for them, by key: of groups, one for each."""

    found: Gathered
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def line(self) -> str:
        """All in one line: `chapter 12 (the name), language en (default)`."""
        values = self.found.values
        return ", ".join(self._value(key, values[key].value, values[key].origin) for key in ORDER if key in values)

    def keys(self) -> dict[str, Any]:
        """For JSON."""
        values: dict[str, dict[str, Any]] = {
            key: {"value": list(it.value) if isinstance(it.value, tuple) else it.value, "origin": it.origin}
            for key, it in self.found.values.items()
        }
        for key, ids in self.ids.items():
            values[key] |= {"ids": list(ids)} if key == "groups" else {"id": ids[0]}
        return {"values": values, "warnings": list(self.warnings)}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the user should know, and need not decide."""
        return (*self.found.conflicts, *self.found.left_out)

    def _value(self, key: str, value: Text, origin: str) -> str:
        name = "group" if key == "groups" else key.replace("_", " ")
        ids = ", ".join(self.ids.get(key, ()))
        its_id = f" = {ids}" if ids and ids != written(value).lower() else ""
        return f"{name} {written(value)} ({origin}){its_id}"


def named(path: Path, error: Exception) -> Exception:
    """An error with the chapter that it is about."""
    label = printable(str(path))
    if not isinstance(error, UsageError) or error.problem.startswith(label):
        return error
    return UsageError(f"{label}: {error.problem}")


def written(value: Text) -> str:
    """A value as people read it."""
    return printable(value if isinstance(value, str) else ", ".join(value)) or "none"
