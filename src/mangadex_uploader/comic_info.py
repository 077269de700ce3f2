"""`ComicInfo.xml`, which readers and downloaders put beside the pages: of its schema, what a chapter can use."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from mangadex_uploader.doubts import Doubt, is_year, language, plain_number
from mangadex_uploader.errors import UsageError
from mangadex_uploader.fields import NUMBER
from mangadex_uploader.printable import printable

COMIC_INFO = "ComicInfo.xml"
MOST_BYTES = 1 << 20  # real ones have some kilobytes
ADVICE = "mend it, or take it away"

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    ("<?".encode("utf-16-le"), "utf-16-le"),
    ("<?".encode("utf-16-be"), "utf-16-be"),
)  # XML 1.0, appendix F: how an encoding is found before the declaration can be read
_DECLARED = re.compile(rb"""<\?xml[^>]{1,80}?encoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]*)["']""")
_OTHER_NAMES = {"windows-31j": "cp932"}  # by IANA's registry; Python does not know it
_FLOAT = re.compile(r"([0-9]+)\.0+")


@dataclass(frozen=True, slots=True)
class ComicInfo:
    """What the file says; None for what it does not say, by an empty field or its -1."""

    series: str | None = None
    number: str | None = None
    volume: str | None = None
    title: str | None = None
    language: str | None = None
    translator: str | None = None
    scan_information: str | None = None
    doubts: tuple[Doubt, ...] = ()


def parse(data: bytes) -> ComicInfo:
    """Read the file, in any encoding that it declares.

    Raises:
        UsageError: it is too large, not XML, not a ComicInfo, or has a document type, which may grow without end.
    """
    if len(data) > MOST_BYTES:
        raise _broken(f"it has {len(data)} bytes, and may have {MOST_BYTES}")
    fields = _fields(_text(data))
    number, about_number = _number("chapter", "Number", fields.get("Number"))
    volume, about_volume = _number("volume", "Volume", fields.get("Volume"))
    code, about_language = _language(fields.get("LanguageISO"))
    return ComicInfo(
        series=fields.get("Series"),
        number=number,
        volume=volume,
        title=fields.get("Title"),
        language=code,
        translator=fields.get("Translator"),
        scan_information=fields.get("ScanInformation"),
        doubts=(*about_number, *about_volume, *about_language),
    )


def _text(data: bytes) -> str:
    by_mark = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    declared = _DECLARED.match(data)
    encoding = by_mark or (declared[1].decode("ascii") if declared else "utf-8")
    try:
        return data.decode(_OTHER_NAMES.get(encoding.lower(), encoding)).removeprefix("\ufeff")
    except LookupError as error:
        raise _broken(f"it declares the encoding {encoding}, which is unknown") from error
    except UnicodeError as error:
        raise _broken(f"it is not in {encoding}, which it should be by what it says") from error


def _fields(text: str) -> dict[str, str]:
    """The texts of the elements below the root; of one that comes twice, the first."""
    if "<!DOCTYPE" in text:
        raise _broken("it has a document type, which no ComicInfo needs")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a document type there are no entities to expand
    except ET.ParseError as error:
        raise _broken(f"it is no XML ({error})") from error
    except ValueError as error:  # characters that cannot be encoded again
        raise _broken(f"it is no XML ({printable(str(error))})") from error
    if _local(root.tag) != "ComicInfo":
        raise _broken(f"its outermost element is {printable(_local(root.tag))}, not ComicInfo")
    fields: dict[str, str] = {}
    for element in root:
        value = (element.text or "").strip()
        if value and isinstance(element.tag, str):
            fields.setdefault(_local(element.tag), value)
    return fields


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _number(about: str, field: str, text: str | None) -> tuple[str | None, tuple[Doubt, ...]]:
    if text is None or text == "-1":
        return None, ()
    number = plain_number(text)
    if about == "volume" and is_year(number):
        text = f"{field} {number} is a year, and is not taken as the volume"
        return None, (Doubt(about, text, changes_nothing=True),)
    if whole := _FLOAT.fullmatch(number):
        return whole[1], (Doubt(about, f"{field} {printable(text)} is taken as {whole[1]}"),)
    if not NUMBER.fullmatch(number):
        return None, (Doubt(about, f"{field} {printable(text)!r} is no number of one {about}"),)
    return number, ()


def _language(text: str | None) -> tuple[str | None, tuple[Doubt, ...]]:
    if text is None:
        return None, ()
    code = language(text) if len(text) != 3 else None  # ISO 639-2 and 639-3 are not what the service takes
    return code, () if code else (Doubt("language", f"LanguageISO {printable(text)!r} is no language known here"),)


def _broken(problem: str) -> UsageError:
    return UsageError(f"{COMIC_INFO}: {problem}; {ADVICE}")
