"""What a text may mean, where it may mean two things. Nothing doubtful becomes a value without being told."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from mangadex_uploader.fields import KNOWN_LANGUAGES, LEADING_ZEROS
from mangadex_uploader.printable import printable

TAGS = frozenset(
    """
    digital|dl版|電子版|raw|raws|color|colour|colored|coloured|full color|full colour|fullcolor|colorized|b&w|hq|lq|hd|
    webtoon|web|scan|scans|c2c|fixed|uncensored|decensored|censored|complete|completed|ongoing|official|unofficial|
    doujinshi|webrip|webp|png|jpg|一般コミック|成年コミック|同人誌|雑誌
    """.translate({ord("\n"): None})
    .replace("    ", "")
    .split("|")
)
_EVENT = re.compile(r"c\d{2,3}|comic ?market \d+|コミケ\d+|comic1(☆|★)?\d*|comitia ?\d*|.*例大祭\d*|reitaisai ?\d*")
_RELEASE = re.compile(r"[vr]\d")
_YEAR = re.compile(r"(19|20)\d\d")
_DATE = re.compile(r"((19|20)\d\d)([-/.]\d{1,2}){1,2}|\d{1,2}-\d{1,2} (19|20)\d\d|[a-z]+,? (19|20)\d\d")
_REGIONS = {"zh-tw": "zh-hk", "zh-hant": "zh-hk", "zh-hans": "zh", "zh-cn": "zh", "es-419": "es-la", "es-mx": "es-la"}
_LANGUAGE = re.compile(r"([a-z]{2})(-[a-z]{2})?")
_CODES = {
    "english": "en",
    "japanese": "ja",
    "korean": "ko",
    "chinese": "zh",
    "spanish": "es",
    "french": "fr",
    "german": "de",
    "italian": "it",
    "portuguese": "pt",
    "russian": "ru",
    "polish": "pl",
    "turkish": "tr",
    "thai": "th",
    "vietnamese": "vi",
    "indonesian": "id",
    "arabic": "ar",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """`about` is the value that it may change, such as `chapter`; `text` is a sentence for people.

    It `changes_nothing` where only a year, a version or a tag of the release was left out, which is no value.
    """

    about: str
    text: str
    changes_nothing: bool = False

    def __str__(self) -> str:
        return printable(self.text)


def is_year(number: str) -> bool:
    """Of all that begins like a year (1900 to 2099), none is taken for a volume or chapter unless it is marked so."""
    return _YEAR.fullmatch(number) is not None


def left_out_year(shown: str, about: str, number: str) -> str:
    """What to say of a year marked by one letter, such as `v2003`."""
    mark = "vol" if about == "volume" else "ch"
    return f"{shown} is left out: it may be a year; write {mark} {number} if it is the {about}"


def is_tag(text: str) -> bool:
    """Whether it tells of the release, such as `Digital`, `C99` or `2014`, and is neither title nor group."""
    lower = unicodedata.normalize("NFKC", text).strip().lower()
    return lower in TAGS or any(kind.fullmatch(lower) for kind in (_EVENT, _RELEASE, _YEAR, _DATE))


def plain_number(text: str) -> str:
    """As the service wants it (contract 11.1): `012.5` is `12.5`, `7A` is `7a`, digits of any width are ASCII."""
    digits = "".join(str(unicodedata.decimal(character, character)) for character in text.strip().lower())
    return LEADING_ZEROS.sub("", digits)


def language(text: str) -> str | None:
    """The service's code (contract 11.2) of `en-US`, `pt_BR`, `zh-Hant` or `English`; None if it is none of these."""
    lower = text.strip().lower().replace("_", "-")
    if lower in KNOWN_LANGUAGES:
        return lower
    if code := _REGIONS.get(lower) or _CODES.get(lower):
        return code
    found = _LANGUAGE.fullmatch(lower)
    return found[1] if found and found[1] in KNOWN_LANGUAGES else None
