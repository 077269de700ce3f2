"""The numbers in names, however they are written: digits of any script, circled, Chinese, Roman. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import TypeAlias

CIRCLED = "\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf"  # ①, ⑴, ⒈, ⓪, ❶, ㉑, ㊱ and their rows
LONGEST_COUNTED = 5  # digits; longer ones are dates and ids, which nobody counts without gaps
MOST_ROMANS = 10  # in one name; of a name in an archive they could be ten thousands

_HAN_DIGITS = {**{digit: at for at, digit in enumerate("〇一二三四五六七八九")}, "零": 0, "壱": 1, "弐": 2, "参": 3}
_HAN_UNITS = {"十": 10, "百": 100}
_N = "[" + "".join((*_HAN_DIGITS, *_HAN_UNITS)) + "]"
_COUNTED = r"(?:[頁页話话巻卷章回]|ページ)"
_HAN = rf"(?<!{_N})(?:(?<=第){_N}+|{_N}+(?={_COUNTED})|(?<!\w){_N}+(?!\w))"
_PIECE = re.compile(rf"([{CIRCLED}])|({_HAN})|(\d+)(?:[.\uff0e](\d+))?|((?:(?!{_HAN})[^\d{CIRCLED}])+)", re.DOTALL)
_ROMANS = "i ii iii iv v vi vii viii ix x xi xii xiii xiv xv xvi xvii xviii xix xx".split()  # noqa: SIM905
_WORD = re.compile(r"[^\W_]+")


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


Pieces: TypeAlias = tuple[Number | str, ...]


def composed(text: str) -> str:
    """The text as most systems write it; macOS writes accents as characters of their own."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """For comparison only: case, width and form do not count."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


@lru_cache(maxsize=1024)
def unseparated(text: str) -> str:
    """Folded, and without spaces and punctuation: `Page `, `page_` and `page-` are the same word."""
    return "".join(it for it in folded(text) if unicodedata.category(it)[0] not in "PZ" and not it.isspace())


def pieces(text: str) -> list[Number | str]:
    """The numbers of a name and what stands between them. A minus is no sign, since "1-2" is a double page."""
    found: list[Number | str] = []
    for circled, han, digits, fraction, other in _PIECE.findall(composed(text)):
        if circled:
            found.append(Number(str(int(unicodedata.numeric(circled))), is_plain=False))
        elif han:
            found.append(Number(_of_han(han)))
        elif digits:
            whole, part = _ascii(digits), _ascii(fraction) or None
            found.append(Number(whole, part, is_plain=(digits + fraction).isascii()))
        else:
            found.append(other)
    return found


def numbers(parts: Pieces) -> list[Number]:
    """Those among the pieces of a name."""
    return [part for part in parts if isinstance(part, Number)]


def head(parts: Pieces) -> str:
    """What stands before the first number, as it is written."""
    return parts[0] if parts and isinstance(parts[0], str) else ""


def are_a_sequence(found: Sequence[Number]) -> bool:
    """Whether they are whole, follow one another without gaps when sorted, and none is there twice."""
    if len(found) < 2 or any(one.fraction is not None or len(one.value) > LONGEST_COUNTED for one in found):
        return False
    values = {int(one.digits[-LONGEST_COUNTED:]) for one in found}
    return len(values) == len(found) == max(values) - min(values) + 1


def roman(stems: Sequence[str]) -> list[Pieces] | None:
    """The pieces of names that all have a Roman numeral (I to XX) as a word in the same place, each another."""
    read = [_roman_places(stem) for stem in stems]
    common = set(read[0]).intersection(*read[1:]) if read else set()
    for before in sorted(common, key=lambda place: (len(place), place)):
        found = [places[before] for places in read]
        if len({number.digits for parts in found for number in numbers(parts)}) == len(stems):
            return found
    return None


def _roman_places(stem: str) -> dict[str, Pieces]:
    text = folded(stem)
    words = islice((word for word in _WORD.finditer(text) if word[0] in _ROMANS), MOST_ROMANS)
    return {
        unseparated(text[: word.start()]): (
            text[: word.start()],
            Number(str(_ROMANS.index(word[0]) + 1), is_plain=False),
            text[word.end() :],
        )
        for word in words
    }


def _of_han(text: str) -> str:
    """`二十五` and `二五` are both 25."""
    if not any(it in _HAN_UNITS for it in text):
        return "".join(str(_HAN_DIGITS[it]) for it in text)
    total = last = 0
    for it in text:
        if unit := _HAN_UNITS.get(it):
            total, last = total + (last or 1) * unit, 0
        else:
            last = _HAN_DIGITS[it]
    return str(total + last)


def _ascii(digits: str) -> str:
    return "".join(str(unicodedata.decimal(digit)) for digit in digits)
