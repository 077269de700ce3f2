"""ComicInfo.xml as downloaders and taggers write it: which values, which doubts, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_uploader.comic_info import MOST_BYTES, ComicInfo, parse
from mangadex_uploader.errors import UsageError


def info(inside: str, encoding: str = "utf-8") -> bytes:
    return f'<?xml version="1.0" encoding="{encoding}"?>\n<ComicInfo>{inside}</ComicInfo>'.encode(encoding)


READ: list[tuple[str, dict[str, Any]]] = [
    ("", {}),
    ("<Series>Title</Series>", {"series": "Title"}),
    ("<Series>  Title\n</Series>", {"series": "Title"}),
    ("<Series></Series><Number/>", {}),
    ("<Series>A &amp; B &lt;3 &#233;</Series>", {"series": "A & B <3 é"}),
    ("<Series><![CDATA[A & B]]></Series>", {"series": "A & B"}),
    ("<Number>12</Number>", {"number": "12"}),
    ("<Number>012</Number>", {"number": "12"}),
    ("<Number>12.5</Number>", {"number": "12.5"}),
    ("<Number>7A</Number>", {"number": "7a"}),
    ("<Number>0</Number>", {"number": "0"}),
    ("<Number>000</Number>", {"number": "0"}),
    ("<Number>\uff11\uff12</Number>", {"number": "12"}),
    ("<Number>-1</Number>", {}),
    ("<Number> </Number>", {}),
    ("<Number>2014</Number>", {"number": "2014"}),
    ("<Volume>3</Volume>", {"volume": "3"}),
    ("<Volume>03</Volume>", {"volume": "3"}),
    ("<Volume>-1</Volume>", {}),
    ("<Title>The Start</Title>", {"title": "The Start"}),
    ("<Translator>Group</Translator>", {"translator": "Group"}),
    ("<ScanInformation>Group</ScanInformation>", {"scan_information": "Group"}),
    ("<LanguageISO>en</LanguageISO>", {"language": "en"}),
    ("<LanguageISO>EN</LanguageISO>", {"language": "en"}),
    ("<LanguageISO>en-US</LanguageISO>", {"language": "en"}),
    ("<LanguageISO>en_GB</LanguageISO>", {"language": "en"}),
    ("<LanguageISO>pt-BR</LanguageISO>", {"language": "pt-br"}),
    ("<LanguageISO>pt-PT</LanguageISO>", {"language": "pt"}),
    ("<LanguageISO>es-419</LanguageISO>", {"language": "es-la"}),
    ("<LanguageISO>zh-Hant</LanguageISO>", {"language": "zh-hk"}),
    ("<LanguageISO>zh-CN</LanguageISO>", {"language": "zh"}),
    ("<LanguageISO>ja-JP</LanguageISO>", {"language": "ja"}),
    ("<Count>20</Count><Year>2014</Year><Web>x</Web><Pages><Page Image='0'/></Pages>", {}),
    ("<!-- <Number>1</Number> --><Number>2</Number>", {"number": "2"}),
    ("<Number>1</Number><Number>2</Number>", {"number": "1"}),
    ("<Number></Number><Number>2</Number>", {"number": "2"}),
    ("<Pages><Number>9</Number></Pages>", {}),
    (
        """<Series>T</Series><Number>12</Number><Volume>3</Volume><Title>S</Title><LanguageISO>en</LanguageISO>
        <Translator>A, B</Translator><ScanInformation>C</ScanInformation>""",
        {
            "series": "T",
            "number": "12",
            "volume": "3",
            "title": "S",
            "language": "en",
            "translator": "A, B",
            "scan_information": "C",
        },
    ),
]

DOUBTFUL: list[tuple[str, dict[str, Any], str, str]] = [
    ("<Volume>2014</Volume>", {}, "volume", "Volume 2014 is a year, and is not taken as the volume"),
    ("<Volume>1900</Volume>", {}, "volume", "is a year"),
    ("<Volume>2099</Volume>", {}, "volume", "is a year"),
    ("<Volume>one</Volume>", {}, "volume", "Volume 'one' is no number of one volume"),
    ("<Number>12-13</Number>", {}, "chapter", "Number '12-13' is no number of one chapter"),
    ("<Number>Extra</Number>", {}, "chapter", "'Extra' is no number"),
    ("<Number>-3</Number>", {}, "chapter", "'-3' is no number"),
    ("<Number>½</Number>", {}, "chapter", "'½' is no number"),
    ("<Number>12.0</Number>", {"number": "12"}, "chapter", "Number 12.0 is taken as 12"),
    ("<LanguageISO>jpn</LanguageISO>", {}, "language", "LanguageISO 'jpn' is no language known here"),
    ("<LanguageISO>xx</LanguageISO>", {}, "language", "'xx' is no language"),
    ("<LanguageISO>english, german</LanguageISO>", {}, "language", "is no language"),
]


@pytest.mark.parametrize(("inside", "values"), READ)
def test_it_says_this_and_leaves_no_doubt(inside: str, values: dict[str, Any]) -> None:
    assert parse(info(inside)) == ComicInfo(**values)


@pytest.mark.parametrize(("inside", "values", "about", "said"), DOUBTFUL)
def test_what_is_doubtful_is_told(inside: str, values: dict[str, Any], about: str, said: str) -> None:
    read = parse(info(inside))
    assert [(doubt.about, said in doubt.text) for doubt in read.doubts] == [(about, True)]
    assert read == ComicInfo(**values, doubts=read.doubts)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "shift_jis", "euc-jp", "gb18030", "big5"]
)
def test_it_is_read_in_any_encoding_that_it_declares(encoding: str) -> None:
    assert parse(info("<Series>第一</Series>", encoding)).series == "第一"


def test_an_encoding_by_the_name_that_java_has_for_it() -> None:
    assert parse(info("<Series>①漫画</Series>", "cp932").replace(b"cp932", b"Windows-31J")).series == "①漫画"


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark(encoding: str) -> None:
    assert parse(info("<Series>漫画</Series>", encoding)).series == "漫画"


def test_latin_letters_in_their_old_encoding() -> None:
    assert parse(info("<Series>Pokémon</Series>", "iso-8859-1")).series == "Pokémon"


def test_a_namespace_and_no_declaration() -> None:
    assert (
        parse(b'<ComicInfo xmlns="https://example.org/c" xmlns:x="urn:y"><Number>3</Number></ComicInfo>').number == "3"
    )


LAUGHS = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
BROKEN: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is no XML"),
    "text": (b"Series: Title", "is no XML"),
    "cut off": (info("<Series>Title</Series>")[:-5], "is no XML"),
    "not closed": (info("<Series>Title"), "is no XML .*mismatched tag"),
    "unknown entity": (info("<Series>&x;</Series>"), "is no XML .*undefined entity"),
    "a NUL": (info("<Series>a\0b</Series>"), "is no XML"),
    "another root": (b"<html/>", "its outermost element is html, not ComicInfo"),
    "an image": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "it is not in utf-8"),
    "not in its encoding": (
        info("<Series>\xe9</Series>", "latin-1").replace(b"latin-1", b"utf-8"),
        "it is not in utf-8",
    ),
    "unknown encoding": (info("").replace(b"utf-8", b"klingon"), "the encoding klingon, which is unknown"),
    "no text encoding": (info("").replace(b"utf-8", b"hex"), "the encoding hex, which is unknown"),
    "too large": (info(" " * MOST_BYTES), "it has 10486.. bytes, and may have 1048576"),
    "a billion laughs": (
        f'<!DOCTYPE ComicInfo [<!ENTITY a0 "ha">{LAUGHS}]><ComicInfo><Series>&a11;</Series></ComicInfo>'.encode(),
        "it has a document type",
    ),
    "a billion laughs in UTF-16": (
        f'<!DOCTYPE ComicInfo [<!ENTITY a0 "ha">{LAUGHS}]><ComicInfo><Series>&a11;</Series></ComicInfo>'.encode(
            "utf-16"
        ),
        "it has a document type",
    ),
    "a file of this machine": (
        b'<!DOCTYPE c [<!ENTITY f SYSTEM "file:///etc/hostname">]><ComicInfo><Series>&f;</Series></ComicInfo>',
        "it has a document type",
    ),
}


@pytest.mark.parametrize(("data", "said"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_with_the_reason(data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=rf"^ComicInfo\.xml: .*{said}.*; mend it, or take it away$") as refusal:
        parse(data)
    assert str(refusal.value).isprintable()


def test_the_largest_that_is_read() -> None:
    data = info("<Number>3</Number>")
    assert parse(data + b" " * (MOST_BYTES - len(data))).number == "3"


def test_elements_within_elements() -> None:
    depth = 50_000
    assert parse(info("<a>" * depth + "</a>" * depth + "<Number>3</Number>")).number == "3"


@given(st.binary() | st.text().map(str.encode) | st.text().map(lambda text: info(f"<Number>{text}</Number>", "utf-16")))
def test_anything_else_is_read_or_refused(data: bytes) -> None:
    try:
        parse(data)
    except UsageError:
        return
