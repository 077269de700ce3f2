"""Names in zip archives that do not say their encoding: found for all names of an archive together. Pure."""

from __future__ import annotations

import re
import struct
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from mangadex_uploader.errors import UsageError
from mangadex_uploader.printable import printable

UNICODE_PATH = 0x7075  # APPNOTE 4.6.9
LEAST_LEAD = 4.0  # points; a name of two usual characters has them, one character does not
LEAST_UTF8_BYTES = 3  # two are one letter with an accent, or one Chinese character in GBK
HISTORICAL = "cp437"  # APPNOTE D.1
KANA, HANGUL, USUAL, KNOWN, RARE, STRANGE = 3.0, 2.5, 2.0, 0.5, -1.0, -2.0
COMMON = {  # what names of chapters and pages are made of
    "cp932": frozenset("第話巻章編集回の上中下表紙画像漫作者特別"),
    "gbk": frozenset("第话卷章集回的上中下封面图页画作者番外汉化组"),
    "cp949": frozenset("제화권장회편의상중하표지외전만번역특별"),
    "big5": frozenset("第話卷章集回的上中下封面圖頁畫作者番外漢化組"),
}
VOICED = 1.5  # for a half-width mark that stands where it may: few Chinese and Korean bytes do
LEAST_KANA = 3  # two are as well one Chinese character in GBK, such as 中 or 猫
_HALF_WIDTH = re.compile(  # ASCII, or katakana that is voiced or small behind what it is written behind; ｰ, ｯ, ﾝ later
    "(?:[\\x00-\\x7f･]|[ｱ-ﾜｦ](?:(?<=[ｳｶ-ﾄﾊ-ﾎ])ﾞ|(?<=[ﾊ-ﾎ])ﾟ)?(?:[ｧ-ｫ](?<=[ｳﾌﾃﾄｼﾁﾂｸﾞ].)|[ｬ-ｮ](?<=[ｷｼﾁﾆﾋﾐﾘﾞﾟ].))?[ｰｯﾝ]*)*"
)
_LETTERS_437 = re.compile(r"[A-Za-z]?[\u00c0-\u00ff]+[A-Za-z]?")


@dataclass(frozen=True, slots=True)
class Detected:
    """The encoding of an archive's names, as Python calls it; None where all are ASCII. `is_certain`: no other fits."""

    encoding: str | None
    is_certain: bool


def decoded(raw: bytes, encoding: str | None) -> str:
    """A name as text; by the zip format's own encoding where none is given.

    Raises:
        UsageError: there is no such encoding, or the name is not written in it.
    """
    try:
        return raw.decode(encoding or HISTORICAL)
    except (LookupError, ValueError) as error:
        if isinstance(error, UnicodeError):
            shown = printable(raw.decode("ascii", "backslashreplace"))
            raise UsageError(f"{shown}: the name is not in {encoding}; give another zip encoding") from error
        raise UsageError(
            f"zip encoding {encoding!r}: there is none of this name; give one such as cp932, gbk, cp949, big5 or cp437"
        ) from error


def detect(raws: Sequence[bytes]) -> Detected:
    """Decide by all names of an archive: what they can be at all, and which characters would be usual in them."""
    names = [raw for raw in raws if not raw.isascii()]
    if not names:
        return Detected(None, is_certain=True)
    if all(_as_text(raw, "utf-8") is not None for raw in names):
        return Detected("utf-8", is_certain=sum(byte > 0x7F for raw in names for byte in raw) >= LEAST_UTF8_BYTES)
    scores = {HISTORICAL: _western(names)}
    for encoding in COMMON:
        if (score := _score(names, encoding)) is not None:
            scores[encoding] = score
    if (points := _half_width_kana(names)) and points > max(scores.values()):
        return Detected("cp932", is_certain=False)
    best, *others = sorted(scores, key=lambda encoding: -scores[encoding])
    lead = scores[best] - max([0.0, *(scores[other] for other in others)])
    return Detected(best, is_certain=best != HISTORICAL and lead >= LEAST_LEAD)


def unicode_path(extra: bytes, raw: bytes) -> str | None:
    """The name in an entry's Info-ZIP Unicode Path field; None where there is none, or it belongs to another name."""
    at = 0
    while at + 4 <= len(extra):
        kind, size = struct.unpack_from("<HH", extra, at)
        body = extra[at + 4 : at + 4 + size]
        if kind == UNICODE_PATH and len(body) == size > 5 and struct.unpack_from("<BL", body) == (1, zlib.crc32(raw)):
            return _as_text(body[5:], "utf-8")
        at += 4 + size
    return None


def _as_text(raw: bytes, encoding: str) -> str | None:
    try:
        text = raw.decode(encoding)
    except UnicodeError:
        return None
    return None if any(unicodedata.category(it) in {"Cc", "Co", "Cn"} for it in text) else text


def _score(names: Sequence[bytes], encoding: str) -> float | None:
    texts = [_as_text(raw, encoding) for raw in names]
    if None in texts:
        return None
    return sum(_points(it, encoding) for text in texts if text for it in text if not it.isascii())


def _half_width_kana(names: Sequence[bytes]) -> float:
    """Points for names of nothing but ASCII and what Japanese writes in half-width katakana; nought for all others.

    They are fewer than for Chinese and Korean words that are usual in names of pages, and more than for others.
    """
    texts = [_as_text(raw, "cp932") for raw in names]
    kana = sum(not it.isascii() for text in texts if text for it in text)
    if kana < LEAST_KANA or not all(text and _HALF_WIDTH.fullmatch(text) for text in texts):
        return 0.0
    together = "".join(text for text in texts if text)
    return kana * USUAL / 2 + sum(VOICED * together.count(it) for it in "ﾞﾟｰ")


def _western(names: Sequence[bytes]) -> float:
    """By the letters with accents; lines and boxes are what other encodings look like in this one."""
    together = "/".join(raw.decode(HISTORICAL) for raw in names)
    letters = sum(map(len, _LETTERS_437.findall(together)))
    return letters + RARE * sum(not it.isascii() for it in together)


def _points(character: str, encoding: str) -> float:
    if character in COMMON[encoding]:
        return 2 * USUAL
    raw = character.encode(encoding)
    if len(raw) == 1:
        return STRANGE  # half-width katakana: what Chinese and Korean names look like in cp932
    lead, trail = raw
    return {"cp932": _cp932, "gbk": _gbk, "cp949": _cp949, "big5": _big5}[encoding](lead, trail)


def _cp932(lead: int, trail: int) -> float:
    if (lead, trail) >= (0x82, 0x9F) and lead <= 0x83:
        return KANA if (lead, trail) <= (0x83, 0x96) else RARE
    if lead <= 0x82:
        return KNOWN  # signs, full-width digits and letters
    if (0x88, 0x9F) <= (lead, trail) <= (0x98, 0x72):
        return USUAL  # JIS level 1
    return KNOWN if 0x98 <= lead <= 0xEA else RARE


def _gbk(lead: int, trail: int) -> float:
    if lead <= 0xA0 or trail <= 0xA0:
        return RARE  # beyond GB 2312
    if 0xB0 <= lead <= 0xD7:
        return USUAL
    return KNOWN if lead <= 0xA3 or 0xD8 <= lead <= 0xF7 else RARE


def _cp949(lead: int, trail: int) -> float:
    if lead <= 0xA0 or trail <= 0xA0:
        return RARE  # syllables beyond KS X 1001
    if 0xB0 <= lead <= 0xC8:
        return HANGUL  # more than for Hanzi of the same bytes: few Chinese names have no byte above
    return KNOWN if lead <= 0xA3 else RARE  # Hanja: hardly written today


def _big5(lead: int, trail: int) -> float:
    if (0xA4, 0x40) <= (lead, trail) <= (0xC6, 0x7E):
        return USUAL
    return KNOWN if lead <= 0xA3 else 0.0 if lead <= 0xF9 else RARE
