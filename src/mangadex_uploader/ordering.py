"""The order of pages: as a person counts, case aside, the same on every machine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

CIRCLED = "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf"  # ①, ⑴, ⒈, ⓪, ❶, ㉑, ㊱ and their rows
SUFFIX = re.compile(r"(?<=.)\.[a-z][a-z0-9]{0,4}$", re.IGNORECASE | re.DOTALL)  # "page 1.5" has none
FRONT = frozenset("cover covers front frontcover 表紙 封面 표지".split())  # noqa: SIM905
BACK = frozenset("credit credits end backcover 裏表紙 奥付 封底".split())  # noqa: SIM905

_PIECE = re.compile(rf"([{CIRCLED}])|(\d+)(?:[.\uff0e](\d+))?|([^\d{CIRCLED}]+)", re.DOTALL)
_WORD = re.compile(r"[^\W_]+")
_Key: TypeAlias = tuple[int, int, str, int, str]
Component: TypeAlias = tuple[int, tuple[_Key, ...]]


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a name. Its digits are ASCII, whatever was written."""

    digits: str
    fraction: str | None = None
    is_plain: bool = True

    @property
    def value(self) -> str:
        """Without leading zeros: these are equal where the numbers are, and never too long to convert."""
        return self.digits.lstrip("0")


def in_reading_order(names: Iterable[str]) -> list[str]:
    """Names with `/` between folders, folder by folder; covers first and credits last in each, if nothing counts them.

    Equal ones, such as `1` and `01`, as their characters come.
    """
    return sorted(names, key=lambda name: (_key(name), composed(name), name))


def composed(text: str) -> str:
    """The text as most systems write it; macOS writes accents as characters of their own."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """For comparison only: case, width and form do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def stem_and_suffix(component: str) -> tuple[str, str]:
    """A file's name apart: "1.png" comes before "1-2.png"."""
    found = SUFFIX.search(component)
    at = found.start() if found else len(component)
    return component[:at], component[at:]


def pieces(text: str) -> list[Number | str]:
    """The numbers of a name and what stands between them. A minus is no sign, since "1-2" is a double page."""
    found: list[Number | str] = []
    for circled, digits, fraction, other in _PIECE.findall(composed(text)):
        if circled:
            found.append(Number(str(int(unicodedata.numeric(circled))), is_plain=False))
        elif digits:
            whole, part = _ascii(digits), _ascii(fraction) or None
            found.append(Number(whole, part, is_plain=(digits + fraction).isascii()))
        else:
            found.append(other)
    return found


def place(stem: str) -> int:
    """-1 for what comes before all pages, 1 for what comes after them. Only a name without numbers says so."""
    if any(isinstance(piece, Number) for piece in pieces(stem)):
        return 0
    words = _WORD.findall(folded(stem))
    if not BACK.isdisjoint(words) or ("back", "cover") in pairwise(words) or any(_is_last(word) for word in words):
        return 1
    return 0 if FRONT.isdisjoint(words) else -1


def _is_last(word: str) -> bool:
    return len(word) > 1 and not word.strip("z")  # "zz_credits", "zzz": named to be last


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)


def _key(name: str) -> tuple[Component, ...]:
    *folders, file = name.split("/")
    stem, suffix = stem_and_suffix(file)
    above = tuple((0, _natural(folder, is_folder=True)) for folder in folders)
    return (*above, (place(stem), _natural(stem, is_folder=False)), (0, _natural(suffix, is_folder=False)))


def _natural(text: str, *, is_folder: bool) -> tuple[_Key, ...]:
    return tuple(
        _number_key(piece, is_folder=is_folder) if isinstance(piece, Number) else (1, 0, folded(piece), 0, "")
        for piece in pieces(text)
    )


def _number_key(number: Number, *, is_folder: bool) -> _Key:
    """Chapter 3 before all of 3.5. In a folder 3.25 comes before 3.5; of files, 3.10 is the tenth page of chapter 3."""
    fraction = number.fraction
    if fraction is None:
        return 0, len(number.value), number.value, -1, ""
    if is_folder:
        return 0, len(number.value), number.value, 0, fraction
    return 0, len(number.value), number.value, len(fraction.lstrip("0")), fraction.lstrip("0")
