"""What names of chapters are made of, whichever form they have."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mangadex_uploader.doubts import Doubt, is_tag, language

ONESHOT = "oneshot"
ARCHIVE_SUFFIX = re.compile(r"\.(zip|cbz|rar|cbr|7z|cb7|tar|cbt|pdf|epub)$", re.IGNORECASE)
PLACEHOLDERS = {  # as mupl's readme lists them
    "{backslash}": "\\",
    "{slash}": "/",
    "{colon}": ":",
    "{asterisk}": "*",
    "{question_mark}": "?",
    "{quote}": '"',
    "{less_than}": "<",
    "{greater_than}": ">",
    "{pipe}": "|",
}
OLD_PLACEHOLDER = "<question_mark>"  # of mupl's first versions
DATE = r"\d{4}-\d\d-\d\d(?:[T ]\d\d[-:]?\d\d(?:[-:]?\d\d)?(?:Z|[+-]\d\d[-:]?\d\d)?)?"

NUMBER = r"[0-9]+(?:\.[0-9]+)?[a-z]?"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)[-:]?(\d\d)(?:[-:]?(\d\d))?(Z|[+-]\d\d[-:]?\d\d)?)?")


@dataclass(frozen=True, slots=True)
class ChapterName:
    """What a name says; None for what it does not say.

    Attributes:
        manga: its title, id, or whatever the user calls it.
        chapter: without leading zeros, or `oneshot`.
        publish_at: as `fields.parse_publish_at` reads it, often without a zone.
        doubts: what was ambiguous and how it was read, and all that was left out.
    """

    manga: str | None = None
    language: str | None = None
    chapter: str | None = None
    volume: str | None = None
    title: str | None = None
    publish_at: str | None = None
    groups: tuple[str, ...] = ()
    doubts: tuple[Doubt, ...] = ()


def tidy(name: str) -> str:
    """Without suffix; with the characters that placeholders stand for."""
    text = unicodedata.normalize("NFC", ARCHIVE_SUFFIX.sub("", name.strip()))
    for placeholder, character in (*PLACEHOLDERS.items(), (OLD_PLACEHOLDER, "?")):
        text = text.replace(placeholder, character)
    return text.strip()


def moment(text: str) -> str:
    """A `{publish_date}` as an ISO time: names have `-` where times have `:`. There may be no such time."""
    found = _MOMENT.fullmatch(text)
    if found is None or found[2] is None:
        return text
    date, hour, minute, second, zone = found.groups()
    if zone:
        zone = "+00:00" if zone == "Z" else f"{zone[:3]}:{zone[-2:]}"
    return f"{date}T{hour}:{minute}:{second or '00'}{zone or ''}"


def titled(text: str | None) -> tuple[str | None, tuple[Doubt, ...]]:
    """What stands in the title's place, unless it looks like something else."""
    if text is None or not text.strip():
        return None, ()
    title = text.strip()
    if is_tag(title):
        text = f"({title}) is left out: it looks like a tag of the release, not like a title"
        return None, (Doubt("title", text, changes_nothing=True),)
    if re.fullmatch(rf"(v|vol\.?|c|ch\.?)? ?{NUMBER}", title, re.IGNORECASE):
        return None, (Doubt("title", f"({title}) is left out: it looks like a number, not like a title"),)
    return title, ()


def credited(text: str | None, said: str | None) -> tuple[tuple[str, ...], str | None, tuple[Doubt, ...]]:
    """The groups, and the language that stood in their place."""
    if text is None:
        return (), None, ()
    names = tuple(part.strip() for part in text.split("+") if part.strip())
    tags = tuple(
        Doubt("groups", f"[{one}] is left out: it looks like a tag, not like a group", changes_nothing=True)
        for one in names
        if is_tag(one)
    )
    if len(names) == 1 and said is None and (code := language(names[0])):
        return (), code, (Doubt("language", f"[{names[0]}] is taken as the language, not as a group"),)
    return tuple(one for one in names if not is_tag(one)), None, tags
