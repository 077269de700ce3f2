"""Where a chapter's values come from, which go first, and what is said where sources disagree or are not clear."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import pytest

from mangadex_uploader import chapter_names
from mangadex_uploader.chapters_file import KEYS, ChaptersFile, read_chapters
from mangadex_uploader.comic_info import ComicInfo, parse
from mangadex_uploader.doubts import Doubt
from mangadex_uploader.errors import UsageError
from mangadex_uploader.metadata import Gathered, Value, gathered
from mangadex_uploader.name_parts import ChapterName

NOTHING = ChapterName()


def taken(
    *, flags: Any = None, file: Any = None, info: ComicInfo | None = None, name: ChapterName = NOTHING
) -> Gathered:
    return gathered(flags or {}, file or {}, info, name)


FLAGS = {
    "manga": "m0",
    "groups": ("g0",),
    "language": "de",
    "chapter": "10",
    "volume": "20",
    "title": "t0",
    "publish_at": "2026-01-01T00:00Z",
    "time_zone": "UTC",
}
FILE = {key: ("g1",) if key == "groups" else f"{value}1" for key, value in FLAGS.items()}
INFO = ComicInfo("m2", "12", "22", "t2", "fr", "g2", "scan")
NAME = ChapterName("m3", "it", "13", "23", "t3", "2026-01-03T00:00:00", ("g3",))

ORIGINS = [
    ("manga", "--manga", "m0", "m2", "m3"),
    ("groups", "--group", ("g0",), ("g2",), ("g3",)),
    ("language", "--language", "de", "fr", "it"),
    ("chapter", "--chapter", "10", "12", "13"),
    ("volume", "--volume", "20", "22", "23"),
    ("title", "--title", "t0", "t2", "t3"),
]


@pytest.mark.parametrize(("key", "flag", "given", "info", "name"), ORIGINS)
def test_each_value_comes_from_the_first_that_has_it(key: str, flag: str, given: Any, info: Any, name: Any) -> None:
    assert taken(flags=FLAGS, file=FILE, info=INFO, name=NAME).values[key] == Value(given, flag)
    assert taken(file=FILE, info=INFO, name=NAME).values[key] == Value(FILE[key], "chapters.toml")
    assert taken(info=INFO, name=NAME).values[key] == Value(info, "ComicInfo.xml")
    assert taken(name=NAME).values[key] == Value(name, "the name")


def test_the_time_is_not_in_comic_info() -> None:
    assert taken(flags=FLAGS, file=FILE, name=NAME).values["publish_at"].origin == "--publish-at"
    assert taken(flags=FLAGS, file=FILE, name=NAME).values["time_zone"].origin == "--time-zone"
    assert taken(info=INFO, name=NAME).values["publish_at"] == Value("2026-01-03T00:00:00", "the name")
    assert "time_zone" not in taken(info=INFO, name=NAME).values


def test_values_may_come_from_all_over() -> None:
    found = taken(flags={"title": "T"}, file={"groups": ("G",)}, info=ComicInfo(number="7"), name=ChapterName("M"))
    assert found.values == {
        "manga": Value("M", "the name"),
        "groups": Value(("G",), "chapters.toml"),
        "language": Value("en", "default"),
        "chapter": Value("7", "ComicInfo.xml"),
        "title": Value("T", "--title"),
    }
    assert (found.text("title"), found.text("volume"), found.groups) == ("T", None, ("G",))
    assert (found.conflicts, found.doubts) == ((), ())


def test_a_flag_that_was_not_given_is_no_value() -> None:
    found = taken(flags={"chapter": None, "groups": ()}, name=NAME)
    assert found.values["chapter"].origin == found.values["groups"].origin == "the name"


def test_an_empty_text_says_that_there_is_none() -> None:
    assert taken(flags={"volume": ""}, info=INFO, name=NAME).values["volume"] == Value("", "--volume")
    assert taken(file={"title": ""}, info=INFO, name=NAME).values["title"] == Value("", "chapters.toml")


def test_english_is_told_to_be_the_default() -> None:
    assert taken().values == {"language": Value("en", "default")}
    assert (taken().text("language"), taken().groups) == ("en", ())


def test_a_oneshot_in_the_name_is_a_value() -> None:
    assert taken(name=chapter_names.parse("T - 000 [G]")).values["chapter"] == Value("oneshot", "the name")


CONFLICTS: list[tuple[ComicInfo, ChapterName, str | None]] = [
    (
        ComicInfo(number="12"),
        ChapterName(chapter="13"),
        "chapter: ComicInfo.xml says 12, the name says 13; 12 is taken, --chapter decides",
    ),
    (ComicInfo(number="1"), ChapterName(chapter="oneshot"), "ComicInfo.xml says 1, the name says oneshot"),
    (ComicInfo(volume="1"), ChapterName(volume="2"), "volume: ComicInfo.xml says 1, the name says 2"),
    (ComicInfo(series="A"), ChapterName("B"), "manga: ComicInfo.xml says A, the name says B; A is taken"),
    (ComicInfo(language="en"), ChapterName(language="es"), "language: ComicInfo.xml says en, the name says es"),
    (ComicInfo(title="A"), ChapterName(title="B"), "title: ComicInfo.xml says A"),
    (
        ComicInfo(translator="A"),
        ChapterName(groups=("B", "C")),
        "groups: ComicInfo.xml says A, the name says B, C; A is taken, --group decides",
    ),
    (ComicInfo(title="\x1b[2J"), ChapterName(title="B"), r"ComicInfo.xml says \x1b[2J"),
    (ComicInfo(number="12"), ChapterName(chapter="12"), None),
    (ComicInfo(number="12"), ChapterName(), None),
    (ComicInfo(), ChapterName(chapter="12"), None),
    (ComicInfo(series="TITLE"), ChapterName("Title"), None),
    (ComicInfo(series="\uff21"), ChapterName("A"), None),
    (ComicInfo(translator="a"), ChapterName(groups=("A",)), None),
]


@pytest.mark.parametrize(("info", "name", "said"), CONFLICTS)
def test_where_comic_info_and_the_name_disagree_both_are_named(
    info: ComicInfo, name: ChapterName, said: str | None
) -> None:
    conflicts = taken(info=info, name=name).conflicts
    assert [said in one for one in conflicts if said] == ([] if said is None else [True])
    assert bool(conflicts) == bool(said)


@pytest.mark.parametrize("decided", [{"flags": {"chapter": "14"}}, {"file": {"chapter": "14"}}])
def test_there_is_no_conflict_where_somebody_decided(decided: Any) -> None:
    assert taken(**decided, info=ComicInfo(number="12"), name=ChapterName(chapter="13")).conflicts == ()


CHAPTER = (Doubt("chapter", "which?"),)


def texts(found: Gathered) -> tuple[str, ...]:
    return tuple(str(doubt) for doubt in found.doubts)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Title - c012 (Digital)", "(Digital) is left out"),
        ("Title - c012 [Digital]", "[Digital] is left out"),
        ("Title (2014) c012", "(2014) is left out"),
        ("[Group] Title [Digital] c012", "[Digital] is left out"),
        ("Title c012 {v2}", "{v2} is left out"),
    ],
)
def test_what_is_left_out_and_is_no_value_is_no_doubt(name: str, told: str) -> None:
    found = taken(name=chapter_names.parse(name))
    assert found.doubts == ()
    assert [told in text for text in found.left_out] == [True]


def test_a_year_in_place_of_the_volume_is_no_doubt() -> None:
    info = parse(b"<ComicInfo><Volume>2014</Volume></ComicInfo>")
    assert taken(info=info).doubts == ()
    assert "2014 is a year" in taken(info=info).left_out[0]
    assert taken(info=info, flags={"volume": "3"}).left_out == ()


@pytest.mark.parametrize("name", ["Title c012 (12)", "Title c012 {soon}", "Title c012 [en]", "Title [X] c012 [G]"])
def test_what_may_be_a_value_is_a_doubt(name: str) -> None:
    found = taken(name=chapter_names.parse(name))
    assert (len(found.doubts), found.left_out) == (1, ())


def test_no_groups_in_the_file_are_an_answer() -> None:
    found = taken(file={"groups": ()}, name=NAME)
    assert (found.values["groups"], found.groups) == (Value((), "chapters.toml"), ())
    assert taken(flags={"groups": ("",)}, name=NAME).groups == ()


def test_doubts_say_where_they_come_from() -> None:
    info, name = ComicInfo(volume=None, doubts=(Doubt("volume", "a year"),)), ChapterName(chapter="12", doubts=CHAPTER)
    assert texts(taken(info=info, name=name)) == ("ComicInfo.xml: a year", "the name: which?")


@pytest.mark.parametrize(
    "known",
    [{"flags": {"chapter": "1"}}, {"file": {"chapter": "1"}}, {"info": ComicInfo(number="1")}],
)
def test_a_doubt_ends_where_a_better_source_knows(known: Any) -> None:
    assert taken(**known, name=ChapterName(doubts=CHAPTER)).doubts == ()


def test_a_doubt_of_comic_info_ends_where_the_name_knows() -> None:
    info = ComicInfo(doubts=(Doubt("volume", "a year"),))
    assert taken(info=info, name=ChapterName(volume="3")).doubts == ()


def test_a_doubt_about_the_language_does_not_end_with_the_default() -> None:
    assert texts(taken(info=ComicInfo(doubts=(Doubt("language", "jpn?"),)))) == ("ComicInfo.xml: jpn?",)


CREDITED: list[tuple[ComicInfo, tuple[str, ...], tuple[str, ...]]] = [
    (ComicInfo(translator="A"), ("A",), ()),
    (ComicInfo(translator="A", scan_information="B"), ("A",), ()),
    (ComicInfo(scan_information="B"), ("B",), ("ComicInfo.xml: ScanInformation 'B' is taken as the group",)),
    (ComicInfo(translator="A, B"), ("A", "B"), ("ComicInfo.xml: 'A, B' is taken as 2 groups",)),
    (ComicInfo(translator="A & B"), ("A", "B"), ("ComicInfo.xml: 'A & B' is taken as 2 groups",)),
]


@pytest.mark.parametrize(("info", "groups", "doubts"), CREDITED)
def test_groups_of_comic_info(info: ComicInfo, groups: tuple[str, ...], doubts: tuple[str, ...]) -> None:
    found = taken(info=info)
    assert (found.groups, texts(found)) == (groups, doubts)


FULL = """
[defaults]
manga = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
groups = ["A", "B"]
time_zone = "Europe/Berlin"
["Title c012.cbz"]
chapter = "12"
volume = "3"
title = "T"
language = "pt-br"
groups = "C"
publish_at = 2026-12-24T18:00:00+01:00
["Title c013"]
publish_at = 2026-12-25T18:00:00
["が"]
publish_at = "2026-12-26 18:00"
title = ""
"""


def test_a_chapters_file() -> None:
    decomposed = unicodedata.normalize("NFD", "が")
    file = read_chapters("\ufeff" + FULL, ["Title c012.cbz", "Title c013", decomposed, "other"])
    common = {
        "manga": "f9c33607-9180-4ba6-b85c-e4b5faee7192",
        "groups": ("A", "B"),
        "time_zone": "Europe/Berlin",
    }
    assert file.of("other") == common
    assert file.of("Title c012.cbz") == common | {
        "chapter": "12",
        "volume": "3",
        "title": "T",
        "language": "pt-br",
        "groups": ("C",),
        "publish_at": "2026-12-24T18:00:00+01:00",
    }
    assert file.of("Title c013") == common | {"publish_at": "2026-12-25T18:00:00"}
    assert file.of(decomposed) == common | {"publish_at": "2026-12-26 18:00", "title": ""}


def test_no_chapters_file_says_nothing() -> None:
    assert ChaptersFile().of("a") == read_chapters("", ["a"]).of("a") == {}


WRONG: list[tuple[str, str]] = [
    ("[a]\nchapter = ", "is no TOML (Invalid value (at end of document)); correct it"),
    ("[a\n", "is no TOML"),
    ('chapter = "1"', "chapter is in no table; write it below [defaults] or a chapter's name"),
    ("[b]", "[b] names no folder or archive beside it"),
    ('["Tilte c01"]', "[Tilte c01] names no folder or archive beside it; did you mean Title c01?"),
    ("[default]", "[default] names no folder or archive beside it"),
    ('[a]\nchaptr = "1"', "[a] chaptr: there is no such key; did you mean chapter?; there are " + ", ".join(KEYS)),
    ("[defaults]\nzzz = 1", "[defaults] zzz: there is no such key; there are manga, groups"),
    ("[a]\nchapter = 12", '[a] chapter: must be a text in quotes, such as "12"'),
    ("[a]\nchapter = 12.5", '[a] chapter: must be a text in quotes, such as "12.5"'),
    ("[a]\nvolume = true", "[a] volume: must be a text in quotes"),
    ("[a]\ntitle = [1]", "[a] title: must be a text in quotes"),
    ("[a]\ngroups = 1", '[a] groups: must be a list of texts, such as ["a", "b"]'),
    ('[a]\ngroups = ["x", 1]', "[a] groups: must be a list of texts"),
    ("[a]\ntitle = 2026-12-24", "[a] title: must be a text in quotes"),
    ("[a]\npublish_at = 18:00:00", "[a] publish_at: must be a text in quotes"),
    ("[[a]]", "a is in no table"),
    ('["\\u001b[2J"]', r"[\x1b[2J] names no folder"),
    ('["が"]\n["か\u3099"]', "[か\u3099] is there twice; write it once"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_in_a_chapters_file_is_named(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(f"chapters.toml: {said}")) as refusal:
        read_chapters(text, ["a", "Title c01", "が"])
    assert str(refusal.value).isprintable()
