"""Names of chapters as people have them: what they say, and what of them is doubtful.

Each case has the values that are expected, and what the doubts are about; what is not mentioned has to be absent.
"""

# ruff: noqa: RUF001 - full-width characters are what is tested

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_uploader.chapter_names import ChapterName, format, parse  # noqa: A004 - as it is called there
from mangadex_uploader.errors import UsageError

MANGA = "efb4278c-a761-406b-9d69-19603c5e4c8b"
GROUP = "00e03853-1b96-4f41-9542-c71b8692033b"

STRICT: list[tuple[str, dict[str, Any]]] = [
    ("hyakkano - c025 (v04) [XuN].cbz", {"manga": "hyakkano", "chapter": "25", "volume": "4", "groups": ("XuN",)}),
    (
        f"{MANGA} [es] - 000 (Momi-san) [XuN+{GROUP}]",
        {"manga": MANGA, "language": "es", "chapter": "oneshot", "title": "Momi-san", "groups": ("XuN", GROUP)},
    ),
    ("Title - c012", {"manga": "Title", "chapter": "12"}),
    ("Title - c012.zip", {"manga": "Title", "chapter": "12"}),
    ("Title - c012.CBZ", {"manga": "Title", "chapter": "12"}),
    ("Title - c012.cbr", {"manga": "Title", "chapter": "12"}),
    ("Title - c012.5", {"manga": "Title", "chapter": "12.5"}),
    ("Title - c012.5.zip", {"manga": "Title", "chapter": "12.5"}),
    ("Title - c000", {"manga": "Title", "chapter": "0"}),
    ("Title - c000 (Prologue)", {"manga": "Title", "chapter": "0", "title": "Prologue"}),
    ("Title - c007a", {"manga": "Title", "chapter": "7a"}),
    ("Title - C012", {"manga": "Title", "chapter": "12"}),
    ("Title - c1000", {"manga": "Title", "chapter": "1000"}),
    ("Title - c2012", {"manga": "Title", "chapter": "2012"}),
    ("Title - c012 (v00)", {"manga": "Title", "chapter": "12", "volume": "0"}),
    ("Title - c012 (v1.5)", {"manga": "Title", "chapter": "12", "volume": "1.5"}),
    ("Title [pt-br] - c012", {"manga": "Title", "language": "pt-br", "chapter": "12"}),
    ("Title [ja] - c012 [A]", {"manga": "Title", "language": "ja", "chapter": "12", "groups": ("A",)}),
    ("Title - c012 (The Start)", {"manga": "Title", "chapter": "12", "title": "The Start"}),
    ("Title - c012 (v03) (The Start)", {"manga": "Title", "chapter": "12", "volume": "3", "title": "The Start"}),
    ("Title - c012 (Start (again))", {"manga": "Title", "chapter": "12", "title": "Start (again)"}),
    ("Title - c012 (A [b] c)", {"manga": "Title", "chapter": "12", "title": "A [b] c"}),
    ("Title - c012 (A - c013)", {"manga": "Title", "chapter": "12", "title": "A - c013"}),
    ("Title - c012 (What{question_mark})", {"manga": "Title", "chapter": "12", "title": "What?"}),
    ("Title - c012 (What<question_mark>)", {"manga": "Title", "chapter": "12", "title": "What?"}),
    (
        "Re{colon}Zero - c012 ({asterisk}{backslash}{slash}{greater_than}{less_than}{quote}{pipe})",
        {"manga": "Re:Zero", "chapter": "12", "title": '*\\/><"|'},
    ),
    ("Title - c012 (何？)", {"manga": "Title", "chapter": "12", "title": "何？"}),
    ("Title - c012 [A + B]", {"manga": "Title", "chapter": "12", "groups": ("A", "B")}),
    (f"Title - c012 [{GROUP}]", {"manga": "Title", "chapter": "12", "groups": (GROUP,)}),
    (
        "Title - c012 {2026-12-24T18-00-00}",
        {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24T18:00:00"},
    ),
    (
        "Title - c012 {2026-12-24T18-00-00+0100} [A]",
        {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24T18:00:00+01:00", "groups": ("A",)},
    ),
    (
        "Title - c012 {2026-12-24T18-00-00Z}",
        {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24T18:00:00+00:00"},
    ),
    ("Title - c012 {2026-12-24 18:00}", {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24T18:00:00"}),
    ("Title - c012 {2026-12-24}", {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24"}),
    (
        "A - B [fr] - c012 (v03) (T) {2026-12-24T18-00-00} [G]",
        {
            "manga": "A - B",
            "language": "fr",
            "chapter": "12",
            "volume": "3",
            "title": "T",
            "publish_at": "2026-12-24T18:00:00",
            "groups": ("G",),
        },
    ),
    ("Area 88 - c012", {"manga": "Area 88", "chapter": "12"}),
    ("86 - c012", {"manga": "86", "chapter": "12"}),
    ("20th Century Boys - c012", {"manga": "20th Century Boys", "chapter": "12"}),
    ("X-Men '97 - c012", {"manga": "X-Men '97", "chapter": "12"}),
    ("進撃の巨人 - c012 (v03) [組]", {"manga": "進撃の巨人", "chapter": "12", "volume": "3", "groups": ("組",)}),
    (unicodedata.normalize("NFD", "が - c012"), {"manga": "が", "chapter": "12"}),
]

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("Title Ch.012", {"manga": "Title", "chapter": "12"}),
    ("Title ch 12", {"manga": "Title", "chapter": "12"}),
    ("Title Chapter 12.5", {"manga": "Title", "chapter": "12.5"}),
    ("Title - Chapter 012", {"manga": "Title", "chapter": "12"}),
    ("Title, Chapter 12", {"manga": "Title", "chapter": "12"}),
    ("Chapter 12", {"chapter": "12"}),
    ("chapter-12", {"chapter": "12"}),
    ("ch012", {"chapter": "12"}),
    ("c012.cbz", {"chapter": "12"}),
    ("012", {"chapter": "12"}),
    ("12.5", {"chapter": "12.5"}),
    ("012 [Group]", {"chapter": "12", "groups": ("Group",)}),
    ("#12", {"chapter": "12"}),
    ("Title #012", {"manga": "Title", "chapter": "12"}),
    ("#1 Hero c012", {"manga": "#1 Hero", "chapter": "12"}),
    ("Ep. 12", {"chapter": "12"}),
    ("Title Episode 12", {"manga": "Title", "chapter": "12"}),
    ("Titre Chapitre 12", {"manga": "Titre", "chapter": "12"}),
    ("Título Capítulo 12", {"manga": "Título", "chapter": "12"}),
    ("Vol.03 Ch.012", {"chapter": "12", "volume": "3"}),
    ("Vol. 3 Ch. 12 - The Start", {"chapter": "12", "volume": "3", "title": "The Start"}),
    ("Title Vol.03 Ch.012", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title Volume 3 Chapter 12", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title v03 c012", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title v03c012", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title v03-c012", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title v03 - c012 [A]", {"manga": "Title", "chapter": "12", "volume": "3", "groups": ("A",)}),
    ("Title - v03 c012.5 - Extra", {"manga": "Title", "chapter": "12.5", "volume": "3", "title": "Extra"}),
    ("Title c012 (v03) [A]", {"manga": "Title", "chapter": "12", "volume": "3", "groups": ("A",)}),
    ("Title (v03) (c012)", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Title Tome 3 Chapitre 12", {"manga": "Title", "chapter": "12", "volume": "3"}),
    ("Batgirl Vol.2000 #57", {"manga": "Batgirl", "chapter": "57", "volume": "2000"}),
    ("Title_v03_c012_[Group]", {"manga": "Title", "chapter": "12", "volume": "3", "groups": ("Group",)}),
    ("Some_Long_Title_c012", {"manga": "Some Long Title", "chapter": "12"}),
    ("Some.Title.v03.c012", {"manga": "Some.Title", "chapter": "12", "volume": "3"}),
    ("[Group] Title c012", {"manga": "Title", "chapter": "12", "groups": ("Group",)}),
    ("[Group] Title - c012", {"manga": "Title", "chapter": "12", "groups": ("Group",)}),
    ("[A+B] Title v01 c002.zip", {"manga": "Title", "chapter": "2", "volume": "1", "groups": ("A", "B")}),
    ("Title c012 [A][B]", {"manga": "Title", "chapter": "12", "groups": ("A", "B")}),
    ("Title Ch.012 - The Start [A]", {"manga": "Title", "chapter": "12", "title": "The Start", "groups": ("A",)}),
    ("Title Ch.012: The Start", {"manga": "Title", "chapter": "12", "title": "The Start"}),
    ("Title Ch.012 (The Start) [A]", {"manga": "Title", "chapter": "12", "title": "The Start", "groups": ("A",)}),
    ("Title [English] c012", {"manga": "Title", "language": "en", "chapter": "12"}),
    ("Title [EN] Ch.12 [A]", {"manga": "Title", "language": "en", "chapter": "12", "groups": ("A",)}),
    ("Title c012 [pt-BR][A]", {"manga": "Title", "language": "pt-br", "chapter": "12", "groups": ("A",)}),
    (f"{MANGA} ch12", {"manga": MANGA, "chapter": "12"}),
    ("タイトル 第12話", {"manga": "タイトル", "chapter": "12"}),
    ("タイトル第１２話", {"manga": "タイトル", "chapter": "12"}),
    ("タイトル 第03巻 第12話", {"manga": "タイトル", "chapter": "12", "volume": "3"}),
    ("【組】タイトル 第12話 始まり", {"manga": "タイトル", "chapter": "12", "title": "始まり", "groups": ("組",)}),
    ("标题 第12话", {"manga": "标题", "chapter": "12"}),
    ("标题 第12回", {"manga": "标题", "chapter": "12"}),
    ("제목 제12화", {"manga": "제목", "chapter": "12"}),
    ("제목 12화", {"manga": "제목", "chapter": "12"}),
    ("Ｔｉｔｌｅ ｃ０１２", {"manga": "Ｔｉｔｌｅ", "chapter": "12"}),
    ("Title v2100 c012", {"manga": "Title", "chapter": "12", "volume": "2100"}),
    ("Title vol 2019 c012", {"manga": "Title", "chapter": "12", "volume": "2019"}),
    ("Title Volume 2019 #012", {"manga": "Title", "chapter": "12", "volume": "2019"}),
    ("Title v03 ch2019", {"manga": "Title", "chapter": "2019", "volume": "3"}),
    ("Title Chapter 2019", {"manga": "Title", "chapter": "2019"}),
    ("タイトル 第2019話", {"manga": "タイトル", "chapter": "2019"}),
    ("Title - Oneshot", {"manga": "Title", "chapter": "oneshot"}),
    ("Title One-Shot [A]", {"manga": "Title", "chapter": "oneshot", "groups": ("A",)}),
    ("タイトル 読み切り", {"manga": "タイトル", "chapter": "oneshot"}),
    ("Title c012 {2026-12-24T18-00-00}", {"manga": "Title", "chapter": "12", "publish_at": "2026-12-24T18:00:00"}),
]

DOUBTFUL: list[tuple[str, dict[str, Any], set[str]]] = [
    # numbers
    ("Title - 012", {"manga": "Title", "chapter": "12"}, {"chapter"}),
    ("Title - 2014", {"manga": "Title"}, {"chapter"}),
    ("Title 012", {"manga": "Title", "chapter": "12"}, {"chapter"}),
    ("Title 2014", {"manga": "Title 2014"}, {"chapter"}),
    ("Title 012 2014", {"manga": "Title", "chapter": "12", "title": "2014"}, {"chapter"}),
    ("2014", {"manga": "2014"}, {"chapter"}),
    ("1999.cbz", {"manga": "1999"}, {"chapter"}),
    ("012 - The Start", {"chapter": "12", "title": "The Start"}, {"chapter"}),
    ("Superman v1 024", {"manga": "Superman", "chapter": "24", "volume": "1"}, {"chapter"}),
    ("Title v03", {"manga": "Title", "volume": "3"}, {"chapter"}),
    ("Title", {"manga": "Title"}, {"chapter"}),
    ("", {}, {"chapter"}),
    ("Title c012-013", {"manga": "Title"}, {"chapter"}),
    ("Title Ch. 1-3 [A]", {"manga": "Title", "groups": ("A",)}, {"chapter"}),
    ("Title v01-03 c012", {"manga": "Title", "chapter": "12"}, {"volume"}),
    ("Title c012 c013", {"manga": "Title"}, {"chapter"}),
    ("Acony v02c15x1", {"manga": "Acony", "chapter": "15", "volume": "2"}, {"chapter"}),
    ("Title c012 v2", {"manga": "Title", "chapter": "12", "volume": "2"}, {"volume"}),
    ("Title v03 arc c012", {"manga": "Title", "chapter": "12", "volume": "3"}, {"title"}),
    ("Title c012th", {"manga": "Title c012th"}, {"chapter"}),
    # years
    ("Title - c012 (v2012)", {"manga": "Title", "chapter": "12"}, {"volume"}),
    ("Blame! v2003 #012", {"manga": "Blame!", "chapter": "12"}, {"volume"}),
    ("Title c12 v2019", {"manga": "Title", "chapter": "12"}, {"volume"}),
    ("Title c12 (v2019)", {"manga": "Title", "chapter": "12"}, {"volume"}),
    ("Title c12 V.1900 [A]", {"manga": "Title", "chapter": "12", "groups": ("A",)}, {"volume"}),
    ("Title v2019-2020 c12", {"manga": "Title", "chapter": "12"}, {"volume"}),
    ("Title v03 c12 (v2019)", {"manga": "Title", "chapter": "12", "volume": "3"}, {"volume"}),
    ("Title v2019", {"manga": "Title"}, {"volume", "chapter"}),
    ("Title c2019", {"manga": "Title"}, {"chapter"}),
    ("Title v03 c2019", {"manga": "Title", "volume": "3"}, {"chapter"}),
    # what has no number
    ("Title Extra 3", {"manga": "Title", "title": "Extra 3"}, {"chapter"}),
    ("Title - Prologue", {"manga": "Title", "title": "Prologue"}, {"chapter"}),
    ("Title - Omake [A]", {"manga": "Title", "title": "Omake", "groups": ("A",)}, {"chapter"}),
    ("タイトル 番外編", {"manga": "タイトル", "title": "番外編"}, {"chapter"}),
    # tags
    ("Title - c012 (Digital) [A]", {"manga": "Title", "chapter": "12", "groups": ("A",)}, {"title"}),
    ("Title - c012 (Color)", {"manga": "Title", "chapter": "12"}, {"title"}),
    ("Title - c012 (2014)", {"manga": "Title", "chapter": "12"}, {"title"}),
    ("Title - c012 (03)", {"manga": "Title", "chapter": "12"}, {"title"}),
    ("Title - c012 [Digital]", {"manga": "Title", "chapter": "12"}, {"groups"}),
    ("Title - c012 [A+HQ]", {"manga": "Title", "chapter": "12", "groups": ("A",)}, {"groups"}),
    ("Title (2014) c012", {"manga": "Title", "chapter": "12"}, {"manga"}),
    ("(C99) Title c012", {"manga": "Title", "chapter": "12"}, {"manga"}),
    ("Title c012 (C99)", {"manga": "Title", "chapter": "12"}, {"title"}),
    (
        "(C99) [Circle (Author)] Title (Series) [English]",
        {"manga": "Title (Series)", "language": "en", "groups": ("Circle (Author)",)},
        {"manga", "chapter"},
    ),
    (
        "(一般コミック) [作者] タイトル 第03巻",
        {"manga": "タイトル", "volume": "3", "groups": ("作者",)},
        {"manga", "chapter"},
    ),
    (
        "Assassination Classroom v01 (2014) (Digital) (Lovag-Empire).cbz",
        {"manga": "Assassination Classroom", "volume": "1"},
        {"chapter", "title"},
    ),
    (
        "Invincible 070.5 - Invincible Returns (2010) (digital) (Minutemen).cbr",
        {"manga": "Invincible", "chapter": "70.5", "title": "Invincible Returns"},
        {"chapter", "title"},
    ),
    ("Title v03 c012 [v2]", {"manga": "Title", "chapter": "12", "volume": "3"}, {"groups"}),
    ("Title c012 {v2}", {"manga": "Title", "chapter": "12"}, {"publish_at"}),
    # brackets
    ("[A] Title - c012 [B]", {"manga": "Title", "chapter": "12", "groups": ("B",)}, {"groups"}),
    ("Title [X men] c012", {"manga": "Title", "chapter": "12"}, {"groups"}),
    ("Title - c012 [es]", {"manga": "Title", "language": "es", "chapter": "12"}, {"language"}),
    ("Title c012 - One (Two)", {"manga": "Title", "chapter": "12", "title": "One"}, {"title"}),
    ("Title - c012 {tomorrow}", {"manga": "Title", "chapter": "12"}, {"publish_at"}),
]


def test_there_are_at_least_120_names() -> None:
    assert len(STRICT) + len(VARIANTS) + len(DOUBTFUL) >= 120


@pytest.mark.parametrize(("name", "values"), [*STRICT, *VARIANTS])
def test_a_name_says_this_and_leaves_no_doubt(name: str, values: dict[str, Any]) -> None:
    assert parse(name) == ChapterName(**values)


@pytest.mark.parametrize(("name", "values", "about"), DOUBTFUL)
def test_what_is_doubtful_is_told(name: str, values: dict[str, Any], about: set[str]) -> None:
    read = parse(name)
    found = {field: getattr(read, field) for field in ChapterName.__slots__ if getattr(read, field)}
    doubts = found.pop("doubts", ())
    assert found == values
    assert {doubt.about for doubt in doubts} == about


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Title 012", "012 is taken as the chapter, though nothing says so; write c012"),
        ("Title - 012", "bulk uploaders take a number without c as a oneshot; write c012"),
        ("Title 2014", "2014 may be a year"),
        ("Title v2003 #012", "v2003 is left out: it may be a year; write vol 2003 if it is the volume"),
        ("Title c2003", "c2003 is left out: it may be a year; write ch 2003 if it is the chapter"),
        ("Title - c012 (v2003)", "v2003 is left out: it may be a year; write vol 2003 if it is the volume"),
        ("Title c1-3", "c1-3: that is more than one chapter"),
        ("Title - c012 (Digital)", "(Digital) is left out: it looks like a tag"),
        ("[A] Title - c012 [B]", "[A] is left out: it may be a group, an author or a tag"),
        ("Title - c012 {\x1b2J}", r"{\x1b2J} is left out: it is no time"),
        ("Title Extra", "Extra has no chapter number; give one, or say that it is a oneshot"),
    ],
)
def test_a_doubt_names_what_it_is_about(name: str, said: str) -> None:
    assert said in str(parse(name).doubts[0])


FORMATTED: list[tuple[ChapterName, str]] = [
    (ChapterName(manga="Title", chapter="12"), "Title - c012"),
    (ChapterName(manga="Title", chapter="12.5", volume="3"), "Title - c012.5 (v03)"),
    (ChapterName(manga="Title", chapter="7a"), "Title - c007a"),
    (ChapterName(manga="Title", chapter="oneshot", title="Why?"), "Title - 000 (Why{question_mark})"),
    (
        ChapterName("A/B", "pt-br", "1000", "0", "T", "2026-12-24T18:00:00+01:00", ("G", "H")),
        "A{slash}B [pt-br] - c1000 (v00) (T) {2026-12-24T18-00-00+01-00} [G+H]",
    ),
]


@pytest.mark.parametrize(("name", "text"), FORMATTED)
def test_the_strict_form(name: ChapterName, text: str) -> None:
    assert format(name) == text
    assert parse(text + ".cbz") == name


@pytest.mark.parametrize(
    "name",
    [
        ChapterName(chapter="12"),
        ChapterName(manga="Title"),
        ChapterName(manga="Title v03", chapter="12"),
        ChapterName(manga="Title (x)", chapter="12", title="a) (b"),
        ChapterName(manga="Title", chapter="12", title="Digital"),
        ChapterName(manga="Title", chapter="12", title="a {question_mark} b"),
        ChapterName(manga="Title", chapter="012"),
        ChapterName(manga="Title", chapter="12", volume="2012"),
        ChapterName(manga="Title", chapter="12", groups=("A+B",)),
        ChapterName(manga="Title", chapter="12", groups=("en",)),
        ChapterName(manga="Title", chapter="12", publish_at="tomorrow"),
    ],
)
def test_what_the_strict_form_cannot_carry_is_refused(name: ChapterName) -> None:
    with pytest.raises(UsageError):
        format(name)


LETTERS = "aBcvé 0129第話が한-_.,:!?*/\\<>|\"'&#+~？＊"
NUMBERS = st.from_regex(re.compile(r"(0|[1-9][0-9]{0,3})(\.[0-9]{1,2})?[a-z]?"), fullmatch=True)


def words(alphabet: str) -> st.SearchStrategy[str]:
    """Texts that begin with a word, so that none is all number, tag or mark; single spaces only within."""
    return st.text(alphabet=st.sampled_from(alphabet), max_size=20).map(lambda text: f"Word{text}").map(str.strip)


def has_no_mark(manga: str) -> bool:
    return (
        not re.search(r"[cv#第話][\W_]*[0-9]|[0-9][a-z]?\W*[話第]", manga, re.IGNORECASE)
        and "<question_mark>" not in manga
    )


CARRIED = st.builds(
    ChapterName,
    manga=words(LETTERS).filter(has_no_mark),
    language=st.none() | st.sampled_from(["en", "ja", "pt-br", "zh-hk", "xx"]),
    chapter=NUMBERS | st.just("oneshot"),
    volume=st.none() | NUMBERS.filter(lambda number: not re.fullmatch("(19|20)[0-9][0-9]", number)),
    title=st.none() | words(LETTERS + "[]{}"),
    publish_at=st.none()
    | st.builds(
        lambda moment, zone: moment.replace(microsecond=0).isoformat() + zone,
        st.datetimes(),
        st.sampled_from(["", "+00:00", "-05:30"]),
    ),
    groups=st.lists(words(LETTERS.replace("+", "")), max_size=4).map(tuple),
)


@given(CARRIED)
def test_what_is_written_is_read(name: ChapterName) -> None:
    text = format(name)
    assert not set(text) & set('<>:"/\\|?*')  # which Windows forbids
    assert parse(text) == name
    assert parse(f"{text}.zip") == name


@given(
    st.builds(ChapterName, manga=st.text(), chapter=st.text(), title=st.none() | st.text(), groups=st.tuples(st.text()))
)
def test_any_value_is_written_so_that_it_is_read_or_refused(name: ChapterName) -> None:
    try:
        text = format(name)
    except UsageError:
        return
    assert parse(text) == name


@given(st.text() | st.text(alphabet=st.sampled_from("cv12 -_.[](){}#x第話巻é\u0130+１９")))
def test_any_name_can_be_read(name: str) -> None:
    read = parse(name)
    assert read.chapter is None or read.chapter == "oneshot" or read.chapter[0] in "0123456789"
    assert read.chapter or read.doubts


@pytest.mark.parametrize("part", ["(", "[", "(a", "[(", "c1 ", "1 ", "{", "第1", "- ", "v1-", "(a)", "[a]"])
def test_a_name_of_thousands_of_parts_is_read(part: str) -> None:
    read = parse(part * 2_000)
    assert read.chapter or read.doubts
