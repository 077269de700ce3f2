"""A chapter's values as the service takes them (contract 2, 11). Pure: the caller says what time it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from mangadex_uploader.chapter import Chapter
from mangadex_uploader.errors import UsageError
from mangadex_uploader.printable import printable

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NUMBER = re.compile(r"(0|[1-9][0-9]*)(\.[0-9]+)?[a-z]?")
LANGUAGE = re.compile(r"[a-z]{2}(-[a-z]{2})?")
LEADING_ZEROS = re.compile(r"^0+(?=[0-9])")

MAX_GROUPS = 10
MAX_NUMBER_CHARACTERS = 8
MAX_TITLE_CHARACTERS = 255
USUAL_DELAY = timedelta(days=14)  # uploaders warn beyond it (contract 2.4)
WITHOUT_ZONE = "it is without a zone; add one such as +02:00 or Z, or name a time zone"

KNOWN_LANGUAGES = frozenset(  # contract 11.2
    """
    ar bg bn ca cs da de el en es es-la fa fi fr he hi hu id it ja ja-ro ko ko-ro lt mn ms my nl no pl pt pt-br
    ro ru sh sv th tl tr uk vi zh zh-hk zh-ro af az be cv eo et eu ga hr jv ka kk la mg ne rm sk sl sq sr ta te
    ur uz
    """.split()  # noqa: SIM905
)


def checked(chapter: Chapter, *, now: datetime) -> tuple[Chapter, tuple[str, ...]]:
    """The chapter with its values in the service's form, and what was changed or looks odd.

    Raises:
        UsageError: a value that the service would refuse, and what to write instead.
    """
    warnings: list[str] = []
    if chapter.publish_at:
        warnings += check_publish_at(chapter.publish_at, now=now)
    return (
        replace(
            chapter,
            manga=_id("manga", chapter.manga),
            groups=_groups(chapter.groups, warnings.append),
            language=_language(chapter.language, warnings.append),
            chapter=_number("chapter", chapter.chapter, warnings.append),
            volume=_number("volume", chapter.volume, warnings.append),
            title=_title(chapter.title),
        ),
        tuple(warnings),
    )


def check_for_draft(chapter: Chapter, chapter_id: str) -> None:
    """Refuse to send a published chapter's own values where a draft, which has to have them all, cannot have them.

    Raises:
        UsageError: one that the service has and would not take again, and what to give instead.
    """
    forms: dict[str, Callable[[], str | None]] = {
        "volume": lambda: _number("volume", chapter.volume, lambda _warning: None),
        "chapter": lambda: _number("chapter", chapter.chapter, lambda _warning: None),
        "title": lambda: _title(chapter.title),
        "language": lambda: _language(chapter.language, lambda _warning: None),
    }
    for name, form in forms.items():
        value = getattr(chapter, name)
        try:
            is_taken = form() == value
        except UsageError:
            is_taken = False
        if not is_taken:
            raise UsageError(
                f"Chapter {chapter_id}: its {name} is {value!r}, which the service does not take together with pages; "
                f"give --{name} with another"
            )


def check_publish_at(publish_at: datetime, *, now: datetime) -> tuple[str, ...]:
    """What looks odd about a time. To be asked again just before the commit, which may come hours later.

    Raises:
        UsageError: it has no zone, or is past: the chapter would be published at once.
    """
    if publish_at.utcoffset() is None:
        raise UsageError(f"publish at {publish_at.isoformat()}: {WITHOUT_ZONE}")
    if publish_at <= now:
        raise UsageError(
            f"publish at {publish_at.isoformat()}: it is past; give a later time, or none to publish at once"
        )
    if publish_at > now + USUAL_DELAY:
        return (f"publish at {publish_at.isoformat()}: that is more than {USUAL_DELAY.days} days ahead",)
    return ()


def parse_publish_at(text: str, zone: str | None) -> datetime:
    """A time such as `2026-12-24T18:00+01:00`, or `2026-12-24 18:00` in a zone such as `Europe/Berlin`.

    An offset in the text wins over the zone.

    Raises:
        UsageError: it cannot be read, has no zone, or the zone's clocks skip it or show it twice.
    """
    shown = f"publish at {text!r}"
    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{shown}: it is no time; write it like 2026-12-24T18:00+01:00") from error
    if not re.search("[T ]", text.strip()):
        raise UsageError(f"{shown}: it has no time of day; write it like 2026-12-24T18:00+01:00")
    if read.tzinfo is None:
        if zone is None:
            raise UsageError(f"{shown}: {WITHOUT_ZONE}")
        read = _local(read, zone, shown)
    try:
        return read.astimezone(UTC).astimezone(read.tzinfo)
    except OverflowError as error:
        raise UsageError(f"{shown}: it is too far away; give a time within the next years") from error


def publish_at_on_the_wire(publish_at: datetime) -> str:
    """In UTC, without a zone, as contract 2.4 wants it. The time has to have a zone."""
    return publish_at.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def _local(naive: datetime, zone: str, shown: str) -> datetime:
    first = naive.replace(tzinfo=_zone(zone))
    second = first.replace(fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(first.tzinfo).replace(tzinfo=None) != naive:
        raise UsageError(f"{shown}: the clocks of {zone} skip this time; give another")
    either = " or ".join(one.isoformat(timespec="minutes") for one in (first, second))
    raise UsageError(f"{shown}: the clocks of {zone} show this time twice; write {either}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:  # OSError: a folder of zones, such as "Europe"
        raise UsageError(f"time zone {name!r}: there is none of this name; write one like Europe/Berlin") from error


def _id(what: str, text: str) -> str:
    lower = text.strip().lower()
    if not ID.fullmatch(lower):
        raise UsageError(
            f"{what} {text!r}: it is no id; give the one in its page's address, "
            "such as f9c33607-9180-4ba6-b85c-e4b5faee7192"
        )
    return lower


def _groups(given: tuple[str, ...], warn: Callable[[str], None]) -> tuple[str, ...]:
    groups = tuple(dict.fromkeys(_id("group", one) for one in given))
    if len(groups) < len(given):
        warn("a group was given twice; it is credited once")
    if len(groups) > MAX_GROUPS:
        raise UsageError(f"groups: there are {len(groups)}, a chapter may have {MAX_GROUPS}")
    return groups


def _language(text: str, warn: Callable[[str], None]) -> str:
    if not LANGUAGE.fullmatch(text):
        raise UsageError(f"language {text!r}: write two small letters, or two and a region, like en or pt-br")
    if text not in KNOWN_LANGUAGES:
        warn(f"language {text!r}: it is none of those known here; the service may refuse it")
    return text


def _number(what: str, text: str | None, warn: Callable[[str], None]) -> str | None:
    if text is None or not text.strip():
        return None
    number = LEADING_ZEROS.sub("", text.strip())
    if not NUMBER.fullmatch(number) or len(number) > MAX_NUMBER_CHARACTERS:
        raise UsageError(
            f"{what} {text!r}: write a number of at most {MAX_NUMBER_CHARACTERS} characters, "
            "like 12, 10.5 or 7a; leave it out where there is none"
        )
    if number != text.strip():
        warn(f"{what} {text.strip()!r} is sent as {number!r}")
    return number


def _title(text: str | None) -> str | None:
    if text is None or not text.strip():
        return None
    if len(text) > MAX_TITLE_CHARACTERS:
        raise UsageError(f"title: it has {len(text)} characters, it may have {MAX_TITLE_CHARACTERS}; shorten it")
    if text.encode(errors="replace").decode() != text:
        raise UsageError(f"title {printable(text)}: it is no valid text; give another")
    return text
