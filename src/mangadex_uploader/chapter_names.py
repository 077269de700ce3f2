"""The form of names that bulk uploaders use. What is written differently is read by `loose_names`.

`manga_title [lang] - cXXX (vYY) (chapter_title) {publish_date} [group+group]`, as mupl documents it: everything but
the manga and the number may be absent, a number `000` without its `c` is a oneshot.
"""

from __future__ import annotations

import re
from dataclasses import replace

from mangadex_uploader.doubts import Doubt, is_year, left_out_year, plain_number
from mangadex_uploader.errors import UsageError
from mangadex_uploader.loose_names import parse_loosely
from mangadex_uploader.name_marks import has_mark
from mangadex_uploader.name_parts import (
    DATE,
    NUMBER,
    ONESHOT,
    PLACEHOLDERS,
    ChapterName,
    credited,
    moment,
    tidy,
    titled,
)
from mangadex_uploader.printable import printable

__all__ = ["ChapterName", "format", "parse"]

_STRICT = re.compile(
    r"(?P<manga>[^\[\](){}]+?)"
    r"(?: \[(?P<language>[a-z]{2}(?:-[a-z]{2})?)\])?"
    rf" - (?P<mark>[cC])?(?P<chapter>{NUMBER})"
    rf"(?: \([vV](?P<volume>{NUMBER})\))?"
    r"(?: \((?P<title>(?:[^()]|\([^()]*\))+)\))?"
    rf"(?: \{{(?P<publish_at>{DATE})\}})?"
    r"(?: \[(?P<groups>[^\[\]]+)\])?"
)


def parse(name: str) -> ChapterName:
    """Read the name of a folder or archive. Any name can be read; what it leaves open is among the doubts."""
    text = tidy(name)
    found = _STRICT.fullmatch(text)
    if found is None or has_mark(found["manga"]):
        return parse_loosely(text)
    number, about_number = _numbered(found["chapter"], is_marked=bool(found["mark"]))
    volume, about_volume = _volume(found["volume"])
    title, about_title = titled(found["title"])
    groups, own, about_groups = credited(found["groups"], found["language"])
    return ChapterName(
        manga=found["manga"].strip(),
        language=found["language"] or own,
        chapter=number,
        volume=volume,
        title=title,
        publish_at=moment(found["publish_at"]) if found["publish_at"] else None,
        groups=groups,
        doubts=(*about_number, *about_volume, *about_title, *about_groups),
    )


def format(name: ChapterName) -> str:  # noqa: A001 - the counterpart of parse
    """The strict form, with placeholders for what Windows forbids; no suffix.

    Raises:
        UsageError: there is no manga or number, or a value that the form cannot carry, such as a group with a `+`.
    """
    if name.manga is None or name.chapter is None:
        raise UsageError("a name needs the manga and the chapter's number, or 'oneshot'; give both")
    parts = [
        _escaped(name.manga),
        f" [{name.language}]" if name.language else "",
        f" - {'000' if name.chapter == ONESHOT else f'c{_padded(name.chapter, 3)}'}",
        f" (v{_padded(name.volume, 2)})" if name.volume is not None else "",
        f" ({_escaped(name.title)})" if name.title is not None else "",
        f" {{{name.publish_at.replace(':', '-')}}}" if name.publish_at is not None else "",
        f" [{'+'.join(map(_escaped, name.groups))}]" if name.groups else "",
    ]
    text = "".join(parts)
    if parse(text) != replace(name, doubts=()):
        raise UsageError(f"{printable(text)}: is not read as what it was written from; give the values as options")
    return text


def _numbered(digits: str, *, is_marked: bool) -> tuple[str | None, tuple[Doubt, ...]]:
    number = plain_number(digits)
    if is_marked:
        return number, ()
    if number == "0":
        return ONESHOT, ()
    if is_year(number):
        return None, (
            Doubt("chapter", f"{digits} is left out: it may be a year; write c{digits} if it is the chapter"),
        )
    text = f"{digits} is taken as the chapter, but bulk uploaders take a number without c as a oneshot; write c{digits}"
    return number, (Doubt("chapter", text),)


def _volume(digits: str | None) -> tuple[str | None, tuple[Doubt, ...]]:
    if digits is None:
        return None, ()
    if is_year(digits):
        return None, (Doubt("volume", left_out_year(f"v{digits}", "volume", digits)),)
    return plain_number(digits), ()


def _escaped(text: str) -> str:
    for placeholder, character in PLACEHOLDERS.items():
        text = text.replace(character, placeholder)
    return text


def _padded(number: str, width: int) -> str:
    whole, point, rest = number.partition(".")
    return whole.zfill(width + len(whole) - len(whole.rstrip("abcdefghijklmnopqrstuvwxyz"))) + point + rest
