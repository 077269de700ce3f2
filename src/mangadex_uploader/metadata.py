"""What is known of a chapter, and from where: flags, then chapters.toml, ComicInfo.xml, its name, the defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from mangadex_uploader.chapters_file import CHAPTERS_FILE, KEYS
from mangadex_uploader.comic_info import COMIC_INFO, ComicInfo
from mangadex_uploader.doubts import Doubt
from mangadex_uploader.name_parts import ChapterName
from mangadex_uploader.ordering import folded
from mangadex_uploader.printable import printable

NAME = "the name"
DEFAULT = "default"
FLAGS = {key: f"--{key.replace('_', '-')}" for key in KEYS} | {"groups": "--group"}
DEFAULTS: Mapping[str, str] = {"language": "en"}
GUESSED = (COMIC_INFO, NAME)  # not written for this program, so that a difference between them is told

Text: TypeAlias = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """A value, and where it came from: a flag such as `--chapter`, a file, the name, or the default."""

    value: Text
    origin: str


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is to be published, before it is checked.

    Attributes:
        values: by the keys of chapters.toml; a key that nobody gave is absent. An empty text says that there is none.
        conflicts: where ComicInfo.xml and the name disagree and neither a flag nor chapters.toml decides.
        doubts: about values that were taken from, or missing in, a text that can be read in two ways.
        left_out: what was met and is no value, such as a year or a tag.
    """

    values: Mapping[str, Value]
    conflicts: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    left_out: tuple[str, ...] = ()

    def text(self, key: str) -> str | None:
        """A value other than `groups`, or None."""
        given = self.values.get(key)
        return given.value if given and isinstance(given.value, str) else None

    @property
    def groups(self) -> tuple[str, ...]:
        """By name, id or address."""
        given = self.values.get("groups")
        return tuple(filter(None, given.value)) if given and isinstance(given.value, tuple) else ()


def gathered(
    flags: Mapping[str, Text | None],
    from_file: Mapping[str, Text],
    from_comic_info: ComicInfo | None,
    from_name: ChapterName,
) -> Gathered:
    """Take each value from the first that has it.

    Args:
        flags: by key; None or an empty tuple for what was not given.
        from_file: what chapters.toml says of the chapter; no groups at all are a value there.
        from_comic_info: None where there is no such file.
        from_name: of the folder or archive.
    """
    info, about_groups = _of_comic_info(from_comic_info or ComicInfo())
    sources: list[tuple[str | None, Mapping[str, Text | None]]] = [
        (None, flags),
        (CHAPTERS_FILE, from_file),
        (COMIC_INFO, info),
        (NAME, _of_name(from_name)),
        (DEFAULT, DEFAULTS),
    ]
    values: dict[str, Value] = {}
    for key in KEYS:
        for origin, source in sources:
            found = source.get(key)
            if found is not None and (found != () or origin == CHAPTERS_FILE):
                values[key] = Value(found, origin or FLAGS[key])
                break
    conflicts = tuple(_conflicts(values, info, _of_name(from_name)))
    comic_doubts = (from_comic_info.doubts if from_comic_info else ()) + about_groups
    is_open = (*_open(values, COMIC_INFO, comic_doubts), *_open(values, NAME, from_name.doubts))
    doubts = tuple(doubt for doubt in is_open if not doubt.changes_nothing)
    return Gathered(values, conflicts, doubts, tuple(str(doubt) for doubt in is_open if doubt.changes_nothing))


def _of_name(name: ChapterName) -> Mapping[str, Text | None]:
    return {key: getattr(name, key) for key in KEYS if key != "time_zone"}


def _of_comic_info(info: ComicInfo) -> tuple[Mapping[str, Text | None], tuple[Doubt, ...]]:
    """Downloaders write the group as the translator; the schema has no field of its own for it."""
    credited = info.translator or info.scan_information
    groups = tuple(one.strip() for one in re.split(r",| & ", credited) if one.strip()) if credited else ()
    doubts = []
    if credited and not info.translator:
        doubts.append(Doubt("groups", f"ScanInformation {printable(credited)!r} is taken as the group"))
    if len(groups) > 1:
        doubts.append(Doubt("groups", f"{printable(credited or '')!r} is taken as {len(groups)} groups"))
    values: Mapping[str, Text | None] = {
        "manga": info.series,
        "groups": groups,
        "language": info.language,
        "chapter": info.number,
        "volume": info.volume,
        "title": info.title,
    }
    return values, tuple(doubts)


def _conflicts(
    values: Mapping[str, Value], info: Mapping[str, Text | None], name: Mapping[str, Text | None]
) -> Iterable[str]:
    for key, taken in values.items():
        one, other = info.get(key), name.get(key)
        if taken.origin in GUESSED and one and other and _compared(one) != _compared(other):
            yield (
                f"{key.replace('_', ' ')}: {COMIC_INFO} says {_shown(one)}, {NAME} says {_shown(other)}; "
                f"{_shown(taken.value)} is taken, {FLAGS[key]} decides"
            )


def _open(values: Mapping[str, Value], origin: str, doubts: Iterable[Doubt]) -> Iterable[Doubt]:
    """The doubts that matter: others have given the value where they know better."""
    for doubt in doubts:
        taken = values.get(doubt.about)
        if taken is None or taken.origin in {origin, DEFAULT}:
            yield replace(doubt, text=f"{origin}: {doubt.text}")


def _compared(value: Text) -> object:
    return folded(value) if isinstance(value, str) else frozenset(map(folded, value))


def _shown(value: Text) -> str:
    return printable(value if isinstance(value, str) else ", ".join(value))
