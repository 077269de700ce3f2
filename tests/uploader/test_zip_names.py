"""Names of zip entries whose encoding is not said: real names, written in the encodings that people's systems use."""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_uploader.errors import UsageError
from mangadex_uploader.zip_names import Detected, decoded, detect, unicode_path

CERTAIN: list[tuple[str, list[str]]] = [
    ("utf-8", ["第1話/001.png", "第1話/002.png"]),
    ("utf-8", ["제12화.png"]),
    ("utf-8", ["Les étés.png"]),
    ("cp932", ["第1話/001.png"]),
    ("cp932", ["ページ01.png", "表紙.png"]),
    ("cp932", ["漫画"]),
    ("cp932", ["鬼滅の刃 第1巻/001.jpg"]),
    ("cp932", ["ワンピース"]),
    ("cp932", ["ひらがな.png"]),
    ("cp932", ["表示/ソ能.png"]),  # characters whose second byte is a backslash
    ("cp932", ["第１話　００１.png"]),
    ("cp932", ["(一般コミック) [作者] 題名 第03巻/01.jpg"]),
    ("gbk", ["海贼王"]),
    ("gbk", ["中国"]),
    ("gbk", ["第1话/封面.png", "第1话/第01页.png"]),
    ("gbk", ["[汉化组] 鬼灭之刃 第12话"]),
    ("gbk", ["第一话"]),  # all of its bytes are half-width katakana, too
    ("gbk", ["第01页.png", "第02页.png"]),
    ("cp949", ["제12화"]),
    ("cp949", ["나 혼자만 레벨업 01"]),
    ("cp949", ["표지.png", "1화 외전.png"]),
    ("big5", ["第12話 開始"]),
    ("big5", ["進擊的巨人"]),
    ("big5", ["海賊王 第3卷/封面.jpg"]),
]
LIKELY: list[tuple[str, list[str]]] = [
    ("cp932", ["猫.png"]),
    ("cp932", ["ﾍﾟｰｼﾞ01.png", "ﾍﾟｰｼﾞ02.png"]),
    ("cp932", ["ﾏﾝｶﾞ.png"]),
    ("cp932", ["ﾃｽﾄ"]),
    ("cp932", ["ｼﾞｮｼﾞｮ/ｳｫｯﾁ･ﾒﾝ 1.png"]),
    ("cp932", ["ﾁｪﾝｿｰﾏﾝ", "ﾌｧｲﾙ"]),
    ("gbk", ["一拳超人"]),
    ("gbk", ["大王.png"]),
    ("cp949", ["고양이"]),
    ("big5", ["貓咪"]),
    ("cp437", ["Pokémon 01.png"]),
    ("cp437", ["Café.png", "Über.png"]),
]


@pytest.mark.parametrize(("encoding", "names"), CERTAIN)
def test_the_encoding_of_usual_names_is_certain(encoding: str, names: list[str]) -> None:
    raws = [name.encode(encoding) for name in names]
    assert detect(raws) == Detected(encoding, is_certain=True)
    assert [decoded(raw, encoding) for raw in raws] == names


@pytest.mark.parametrize(("encoding", "names"), LIKELY)
def test_a_name_of_few_characters_leaves_it_uncertain(encoding: str, names: list[str]) -> None:
    assert detect([name.encode(encoding) for name in names]) == Detected(encoding, is_certain=False)


def test_all_names_decide_together() -> None:
    cat = "猫.png".encode("cp932")
    assert not detect([cat]).is_certain
    assert detect([cat, "ねこ.png".encode("cp932")]) == Detected("cp932", is_certain=True)


def test_one_chinese_character_may_look_like_a_letter_in_utf_8() -> None:
    assert "猫".encode("gbk").decode("utf-8") == "è"
    assert not detect(["猫".encode("gbk")]).is_certain


def test_ascii_needs_no_encoding() -> None:
    assert detect([b"1.png", b"2.png"]) == Detected(None, is_certain=True)
    assert detect([]) == Detected(None, is_certain=True)


def test_what_is_in_no_other_encoding_is_in_that_of_the_format() -> None:
    assert detect([b"\xff\xfe\x80.png"]) == Detected("cp437", is_certain=False)


@given(st.lists(st.binary(max_size=12), max_size=5), st.randoms())
def test_any_names_get_an_encoding_that_reads_them_all(raws: list[bytes], chance: object) -> None:
    found = detect(raws)
    assert detect(raws[::-1]) == found
    assert all(isinstance(decoded(raw, found.encoding), str) for raw in raws)


def test_without_an_encoding_it_is_that_of_the_format() -> None:
    assert decoded(b"Pok\x82mon", None) == "Pokémon"


@pytest.mark.parametrize("encoding", ["klingon", "hex", "rot13", "\0", "shift jis 9"])
def test_an_encoding_that_does_not_exist(encoding: str) -> None:
    with pytest.raises(UsageError, match="there is none of this name; give one such as cp932") as refusal:
        decoded(b"\x82", encoding)
    assert str(refusal.value).isprintable()


def test_a_name_that_is_not_in_the_given_encoding() -> None:
    with pytest.raises(UsageError, match=r"a\\xff\.png: the name is not in utf-8; give another zip encoding"):
        decoded(b"a\xff.png", "utf-8")


RAW = b"\x91\xe61\x98b.png"


def field(kind: int, body: bytes, size: int | None = None) -> bytes:
    return struct.pack("<HH", kind, len(body) if size is None else size) + body


def path_field(name: bytes, *, version: int = 1, of: bytes = RAW) -> bytes:
    return field(0x7075, struct.pack("<BL", version, zlib.crc32(of)) + name)


NAME = "第1話.png".encode()
EXTRAS: dict[str, tuple[bytes, str | None]] = {
    "there": (path_field(NAME), "第1話.png"),
    "behind another": (field(0x5455, b"\1\0\0\0\0") + path_field(NAME), "第1話.png"),
    "before another": (path_field(NAME) + field(1, b"12345678"), "第1話.png"),
    "none": (b"", None),
    "only others": (field(0x5455, b"\1\0\0\0\0"), None),
    "of a name that was changed since": (path_field(NAME, of=b"old.png"), None),
    "of another version": (path_field(NAME, version=2), None),
    "no UTF-8": (path_field(b"\xff.png"), None),
    "empty": (path_field(b""), None),
    "a control character": (path_field(b"a\x1b.png"), None),
    "cut off": (path_field(NAME)[:-3], None),
    "cut off in its head": (path_field(NAME)[:3], None),
    "longer than it is": (field(0x7075, struct.pack("<BL", 1, zlib.crc32(RAW)) + NAME, size=999), None),
    "too short": (field(0x7075, b"\1"), None),
}


@pytest.mark.parametrize(("extra", "name"), EXTRAS.values(), ids=EXTRAS)
def test_the_name_in_unicode_counts_if_it_belongs_to_this_one(extra: bytes, name: str | None) -> None:
    assert unicode_path(extra, RAW) == name


@given(st.binary(max_size=40))
def test_any_extra_data_is_read(extra: bytes) -> None:
    assert unicode_path(extra, b"") is None or extra
