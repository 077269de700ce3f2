"""The order of pages: as a person counts, case and separators aside, the same on every machine."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

from mangadex_uploader.page_numbers import (
    Number,
    Pieces,
    are_a_sequence,
    composed,
    folded,
    head,
    numbers,
    pieces,
    roman,
    unseparated,
)

__all__ = ["Folder", "composed", "folded", "in_reading_order", "number_key", "read_folder", "stem_and_suffix"]

SUFFIX = re.compile(r"(?<=.)\.[a-z][a-z0-9]{0,4}$", re.IGNORECASE | re.DOTALL)  # "page 1.5" has none
FRONT = frozenset("cover covers front frontcover 表紙 封面 표지".split())  # noqa: SIM905
BACK = frozenset("credit credits end backcover 裏表紙 奥付 封底".split())  # noqa: SIM905

_WORD = re.compile(r"[^\W_]+")
NumberKey: TypeAlias = tuple[int, int, str, int, str]
_Component: TypeAlias = tuple[int, tuple[NumberKey, ...], str]


@dataclass(frozen=True, slots=True)
class Folder:
    """How the files of one folder are read, as only all of their names together tell.

    Attributes:
        pieces: of each file's name without its suffix.
        places: -1 for what comes before all other files, 1 for what comes after them, else 0.
        by_numbers: words before the first number do not count, since the numbers go on where these change.
    """

    pieces: Mapping[str, Pieces]
    places: Mapping[str, int]
    by_numbers: bool


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Names with `/` between folders, folder by folder; covers first and credits last in each, if nothing counts them.

    Words decide before numbers, and what separates them does not. Equal ones, such as `1` and `01`, as their
    characters come.
    """
    inside: dict[str, list[str]] = defaultdict(list)
    names = list(names)
    for name in names:
        inside[name.rpartition("/")[0]].append(name.rpartition("/")[2])
    folders = {folder: read_folder(files) for folder, files in inside.items()}
    return sorted(names, key=lambda name: (_key(name, folders[name.rpartition("/")[0]]), composed(name), name))


def stem_and_suffix(component: str) -> tuple[str, str]:
    """A file's name apart: "1.png" comes before "1-2.png"."""
    found = SUFFIX.search(component)
    at = found.start() if found else len(component)
    return component[:at], component[at:]


def read_folder(files: Sequence[str]) -> Folder:
    """Files of one folder, without its name."""
    stems = {file: stem_and_suffix(file)[0] for file in files}
    read = {file: tuple(pieces(stem)) for file, stem in stems.items()}
    places = {file: 0 if numbers(read[file]) else _side(stem) for file, stem in stems.items()}
    bare = [file for file in stems if not numbers(read[file]) and not places[file]]
    if as_roman := roman([stems[file] for file in bare]):
        counted = [numbers(parts)[0] for parts in (*read.values(), *as_roman) if numbers(parts)]
        if len(counted) == len(bare) > 1 or are_a_sequence(counted):
            read.update(zip(bare, as_roman, strict=True))
    places.update(_counted_covers(read))
    counted_parts = [parts for file, parts in read.items() if numbers(parts) and not places[file]]
    by_numbers = len({unseparated(head(parts)) for parts in counted_parts}) > 1 and are_a_sequence(
        [numbers(parts)[0] for parts in counted_parts]
    )
    return Folder(read, places, by_numbers)


def number_key(number: Number, *, is_folder: bool = False) -> NumberKey:
    """Chapter 3 before all of 3.5. In a folder 3.25 comes before 3.5; of files, 3.10 is the tenth page of chapter 3."""
    fraction = number.fraction
    if fraction is None:
        return 0, len(number.value), number.value, -1, ""
    if is_folder:
        return 0, len(number.value), number.value, 0, fraction
    return 0, len(number.value), number.value, len(fraction.lstrip("0")), fraction.lstrip("0")


def _side(text: str) -> int:
    words = _WORD.findall(folded(text))
    if not BACK.isdisjoint(words) or ("back", "cover") in pairwise(words) or any(_is_last(word) for word in words):
        return 1
    return 0 if FRONT.isdisjoint(words) else -1


def _is_last(word: str) -> bool:
    return len(word) > 1 and not word.strip("z")  # "zz_credits", "zzz": named to be last


def _counted_covers(read: Mapping[str, Pieces]) -> dict[str, int]:
    """Files such as `cover1`, unless all are named so or the numbers go on through them."""
    counted = {file: parts for file, parts in read.items() if numbers(parts)}
    earlier = {tuple(numbers(parts)[:-1]) for parts in counted.values()}
    covers = {
        file: side
        for file, parts in counted.items()
        if (len(numbers(parts)) == 1 or len(earlier) == 1) and (side := _side_of_counted(parts))
    }
    if len(covers) == len(counted) or are_a_sequence([numbers(parts)[0] for parts in counted.values()]):
        return {}
    return covers


def _side_of_counted(parts: Pieces) -> int:
    """By the word right before a number that ends the name."""
    core = parts[:-1] if isinstance(parts[-1], str) and not unseparated(parts[-1]) else parts
    before, last = core[-2:] if len(core) > 1 else ("", "")
    if not isinstance(before, str) or not isinstance(last, Number):
        return 0
    words = _WORD.findall(folded(before))
    return _side(" ".join(words[-2:])) if words and _side(words[-1]) else 0


def _key(name: str, folder: Folder) -> tuple[_Component, ...]:
    *above, file = name.split("/")
    parts = folder.pieces[file]
    if folder.by_numbers and numbers(parts) and not folder.places[file]:
        parts = parts[1:] if head(parts) else parts
    folders = tuple((0, _natural(pieces(one), is_folder=True), composed(one)) for one in above)
    suffix = (0, _natural(pieces(stem_and_suffix(file)[1]), is_folder=False), "")
    return (*folders, (folder.places[file], _natural(parts, is_folder=False), ""), suffix)


def _natural(parts: Iterable[Number | str], *, is_folder: bool) -> tuple[NumberKey, ...]:
    return tuple(
        number_key(part, is_folder=is_folder) if isinstance(part, Number) else (1, 0, unseparated(part), 0, "")
        for part in parts
        if isinstance(part, Number) or unseparated(part)
    )
