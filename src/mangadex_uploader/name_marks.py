"""The marks of volumes and chapters in names: `v03`, `Vol. 3`, `c012`, `Ch.12.5`, `#12`, `第12話`, `제12화`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mangadex_uploader.fields import ID

_N = r"(\d+(?:\.\d+)?(?:[a-z](?![a-z\d]))?)(x\d+)?([-~]\d+(?:\.\d+)?)?(?!\d)(?!(?![cv]\.?\d)[a-z])"
_NOT_IN_WORD = r"(?<![^\W\d_])"
CHAPTER = re.compile(
    rf"{_NOT_IN_WORD}(?:(?:chapter|chapitre|chap|ch|cap[ií]tulo|episode|ep)[ ._#-]{{0,3}}|c\.?){_N}"
    rf"|(?:第|제)? ?{_N} ?[話话화]|(?:第|제) ?{_N} ?[章回회장]",
    re.IGNORECASE,
)
HASH = re.compile(rf"(?<!\w)# ?{_N}", re.IGNORECASE)
VOLUME = re.compile(
    rf"{_NOT_IN_WORD}(?:(?:volume|vol|tome|tomo)[ ._#-]{{0,3}}|v\.?){_N}|(?:第|제)? ?{_N} ?[巻卷권]", re.IGNORECASE
)
LONE = re.compile(rf"(?<![\w.]){_N}(?![\w])", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\[\]]*\]|\{[^{}]*\}|\((?:[^()]|\([^()]*\))*\)")
_EVENT = re.compile(r"C[1-9]\d{1,2}")  # Comiket; chapters in brackets are `c012`
RELEASE = re.compile(r"[vr]\d", re.IGNORECASE)
ONE_LETTER = re.compile(r"[cv]\.?\d", re.IGNORECASE)  # a mark that stands before years and versions, too
_ANY_ID = re.compile(ID.pattern, re.IGNORECASE)
NARROW = {0xFF01 + at: 0x21 + at for at in range(0x5E) if chr(0x21 + at) not in "()"} | {
    0x3000: " ",
    ord("【"): "[",
    ord("】"): "]",
}  # character by character, so that places in the text stay


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark: its place, its number as written, and what makes it doubtful."""

    start: int
    end: int
    number: str
    is_range: bool = False
    extra: str = ""


def narrow(text: str) -> str:
    """For matching, place by place the same: full-width characters as ASCII, and no numbers found in ids."""
    return _ANY_ID.sub(lambda found: "x" * len(found[0]), text.translate(NARROW))


def has_mark(text: str) -> bool:
    """Whether a text that should be a manga's title has a volume or chapter in it."""
    shown = narrow(text)
    return any(kind.search(shown) for kind in (VOLUME, CHAPTER, HASH))


def marks(kind: re.Pattern[str], text: str) -> list[Mark]:
    """All of a kind in a text that was made narrow."""
    return list(_found(kind, text))


def _found(kind: re.Pattern[str], text: str) -> Iterator[Mark]:
    for it in kind.finditer(text):
        number, extra, to = next(it.groups()[at : at + 3] for at in range(0, len(it.groups()), 3) if it[at + 1])
        yield Mark(*it.span(), number, is_range=bool(to), extra=extra or "")


@dataclass(frozen=True, slots=True)
class Bracket:
    """A part in brackets: its place, the bracket that opens it, and the text inside."""

    start: int
    end: int
    kind: str
    text: str


def brackets(text: str) -> list[Bracket]:
    """All in a name but those that hold a mark, such as `(v03)` and `[c012]`: they count as if they were not there."""
    shown = narrow(text)
    found = (
        Bracket(*it.span(), it[0][0], text[it.start() + 1 : it.end() - 1].strip()) for it in _BRACKETS.finditer(shown)
    )
    return [it for it in found if not _holds_mark(it)]


def _holds_mark(bracket: Bracket) -> bool:
    if (
        bracket.kind == "{"
        or _EVENT.fullmatch(bracket.text)
        or (bracket.kind == "[" and RELEASE.fullmatch(bracket.text))
    ):
        return False
    return any(kind.fullmatch(narrow(bracket.text)) for kind in (VOLUME, CHAPTER, HASH))
