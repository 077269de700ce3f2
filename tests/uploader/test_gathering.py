"""What is said of a chapter in and beside it: which goes first, what is asked, and what is an error where nobody is."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pages import draw_chapter
from rig import GROUP, MANGA, Rig, rig
from user import Ended, User

OTHER = "00000000-0000-4000-8000-000000000001"
IDS = ["--manga", MANGA, "--group", GROUP]
COMIC_INFO = """<ComicInfo><Series>Series</Series><Number>12</Number><Volume>4</Volume><Title>Of the file</Title>
<LanguageISO>fr</LanguageISO><Translator>Translators</Translator></ComicInfo>"""
FULL = "My Manga [de] - c013 (v05) (Of the name) {2031-05-01T18-00-00Z} [A+B]"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def user(service: Rig, tmp_path_factory: pytest.TempPathFactory) -> User:
    made = User(tmp_path_factory.mktemp("home"), service.service.url)
    assert made.login().status == 0
    return made


@pytest.fixture
def offline(tmp_path_factory: pytest.TempPathFactory) -> User:
    return User(tmp_path_factory.mktemp("home"), "http://127.0.0.1:1")


def chapter(folder: Path, *, comic_info: str | None = None, count: int = 3) -> Path:
    folder.mkdir()
    for name, data in draw_chapter(count, width=160, height=220).items():
        (folder / name).write_bytes(data)
    if comic_info is not None:
        (folder / "ComicInfo.xml").write_text(comic_info)
    return folder


def packed(folder: Path) -> Path:
    archive = folder.with_name(f"{folder.name}.cbz")
    with zipfile.ZipFile(archive, "w") as opened:
        for page in folder.iterdir():
            opened.write(page, page.name)
    return archive


def values(done: Ended) -> dict[str, Any]:
    told = done.objects[0]
    assert told["event"] == "values", done.errors
    return {key: (it["value"], it["origin"]) for key, it in told["values"].items()}


OF_NAME = {
    "manga": ("My Manga", "the name"),
    "groups": (["A", "B"], "the name"),
    "language": ("de", "the name"),
    "chapter": ("13", "the name"),
    "volume": ("5", "the name"),
    "title": ("Of the name", "the name"),
    "publish_at": ("2031-05-01T18:00:00+00:00", "the name"),
}
OF_COMIC_INFO = {
    "manga": ("Series", "ComicInfo.xml"),
    "groups": (["Translators"], "ComicInfo.xml"),
    "language": ("fr", "ComicInfo.xml"),
    "chapter": ("12", "ComicInfo.xml"),
    "volume": ("4", "ComicInfo.xml"),
    "title": ("Of the file", "ComicInfo.xml"),
}
TABLE = f"""
["{FULL}"]
manga = "{MANGA}"
groups = ["{GROUP}"]
language = "it"
chapter = "11"
volume = "3"
title = "Of the table"
publish_at = 2031-06-01T18:00:00
time_zone = "Europe/Berlin"
"""
OF_TABLE = {
    "manga": (MANGA, "chapters.toml"),
    "groups": ([GROUP], "chapters.toml"),
    "language": ("it", "chapters.toml"),
    "chapter": ("11", "chapters.toml"),
    "volume": ("3", "chapters.toml"),
    "title": ("Of the table", "chapters.toml"),
    "publish_at": ("2031-06-01T18:00:00", "chapters.toml"),
    "time_zone": ("Europe/Berlin", "chapters.toml"),
}
OF_FLAGS = {
    "manga": (MANGA, "--manga"),
    "groups": ([GROUP], "--group"),
    "language": ("en", "--language"),
    "chapter": ("10", "--chapter"),
    "volume": ("2", "--volume"),
    "title": ("Of the flag", "--title"),
    "publish_at": ("2031-07-01 18:00", "--publish-at"),
    "time_zone": ("Asia/Tokyo", "--time-zone"),
}


def test_each_source_goes_before_those_after_it(offline: User, user: User, tmp_path: Path) -> None:
    path = tmp_path / FULL
    assert values(offline.invoke("names", str(path), "--json")) == OF_NAME

    chapter(path, comic_info=COMIC_INFO)
    told = offline.invoke("names", str(path), "--json")
    assert values(told) == OF_NAME | OF_COMIC_INFO
    assert "volume: ComicInfo.xml says 4, the name says 5; 4 is taken, --volume decides" in told.objects[0]["warnings"]
    assert len(told.objects[0]["warnings"]) == len(OF_COMIC_INFO)

    (tmp_path / "chapters.toml").write_text(TABLE)
    told = offline.invoke("names", str(path), "--json")
    assert (values(told), told.objects[0]["warnings"]) == (OF_TABLE, [])
    checked = user.invoke("check", str(path), "--json")
    assert (checked.status, values(checked)) == (0, OF_TABLE)
    assert checked.objects[1]["publish_at"] == "2031-06-01T18:00:00+02:00"

    flags = [word for key, (value, flag) in OF_FLAGS.items() if key != "groups" for word in (flag, str(value))]
    checked = user.invoke("check", str(path), *flags, "--group", GROUP, "--json")
    assert (checked.status, values(checked)) == (0, OF_FLAGS)
    assert checked.objects[1]["publish_at"] == "2031-07-01T18:00:00+09:00"


def test_options_of_the_environment_and_the_settings_file_count_as_flags(user: User, tmp_path: Path) -> None:
    path = chapter(tmp_path / "c012 [de]")
    config = tmp_path / "config.toml"
    config.write_text('volume = "7"\nzip-encoding = "cp932"\nas-is = true\n')
    done = user.invoke("check", str(path), *IDS, "--json", "--config", str(config), MANGADEX_LANGUAGE="it")
    assert values(done)["volume"] == ("7", "--volume")
    assert values(done)["language"] == ("it", "--language")


def test_comic_info_in_an_archive(offline: User, tmp_path: Path) -> None:
    path = packed(chapter(tmp_path / "x", comic_info=COMIC_INFO))
    assert values(offline.invoke("names", str(path), "--json"))["chapter"] == ("12", "ComicInfo.xml")


def test_check_shows_values_with_their_origins_and_the_order_of_the_pages(user: User, tmp_path: Path) -> None:
    path = chapter(tmp_path / "c012 (Digital)", comic_info="<ComicInfo><Volume>4</Volume></ComicInfo>")
    done = user.invoke("check", str(path), *IDS)
    names = sorted(it.name for it in path.glob("*.png"))
    assert (done.status, done.output.split("\t")[0]) == (0, str(path))
    said = done.errors.splitlines()
    assert said[0] == (
        f"c012 (Digital): manga {MANGA} (--manga), chapter 12 (the name), volume 4 (ComicInfo.xml), "
        f"language en (default), group {GROUP} (--group)"
    )
    assert "(Digital) is left out" in said[1]
    assert f"c012 (Digital): pages {names[0]} to {names[-1]}, 3 of them" in said
    whole = user.invoke("check", str(path), *IDS, "--verbose")
    assert f"c012 (Digital): pages {', '.join(names)}" in whole.errors.splitlines()


def test_several_paths_without_a_terminal_by_their_names(user: User, service: Rig, tmp_path: Path) -> None:
    paths = [packed(chapter(tmp_path / f"c{number} (v02) (Title {number})")) for number in (901, 902)]
    done = user.invoke("upload", *map(str, paths), *IDS, "--accept-terms", "--no-pacing", "--json")
    assert done.status == 0, done.errors
    planned = [it for it in done.objects if it["event"] == "planned"]
    assert [(it["chapter"], it["volume"], it["title"], it["language"]) for it in planned] == [
        ("901", "2", "Title 901", "en"),
        ("902", "2", "Title 902", "en"),
    ]
    ids = [it["chapter_id"] for it in done.objects if it["event"] == "result"]
    drawn = [it.read_bytes() for it in sorted((tmp_path / "c901 (v02) (Title 901)").iterdir())]
    assert service.pages_of(ids[0]) == drawn


DOUBTFUL = [
    ("Title 12", "12 is taken as the chapter", "chapter would be 12", "--chapter", "13"),
    ("Title c012 [en]", "[en] is taken as the language", "language would be en", "--language", "de"),
    ("Title c012 {soon}", "{soon} is left out", "publish at would be none", "--publish-at", "2031-05-01T18:00Z"),
    ("Title [X] c012 [A]", "[X] is left out: it may be a group", "group would be A", "--group", GROUP),
    ("Title c012 (12)", "(12) is left out: it looks like a number", "title would be none", "--title", "12"),
]


@pytest.mark.parametrize(("name", "doubt", "would", "flag", "answer"), DOUBTFUL)
def test_a_doubt_is_an_error_until_its_flag_is_given(
    user: User, tmp_path: Path, name: str, doubt: str, would: str, flag: str, answer: str
) -> None:
    path = chapter(tmp_path / name)
    given = ["--manga", MANGA]
    refused = user.invoke("check", str(path), *given)
    assert (refused.status, refused.output, len(refused.errors.splitlines())) == (2, "", 1)
    assert refused.errors.startswith(f"{path}: the name: {doubt}")
    assert f"({would}). Decide it with {flag}, or in chapters.toml beside it." in refused.errors
    decided = user.invoke("check", str(path), *given, *(["--group", GROUP] if flag != "--group" else []), flag, answer)
    assert decided.status == 0, decided.errors


def test_a_doubt_is_asked_and_enter_accepts(user: User, tmp_path: Path) -> None:
    (tmp_path / "chapters.toml").write_text('[defaults]\nvolume = "1"\n')
    terminal = user.terminal("check", str(chapter(tmp_path / "Title 912 (12)")), *IDS)
    terminal.until("912 is taken as the chapter")
    terminal.answer("Enter for chapter 912, or the right one, or - for none: ", "")
    terminal.until("(12) is left out")
    terminal.answer("Enter for no title, or the right one: ", "Twelve")
    terminal.until("chapter 912 (the name), volume 1 (chapters.toml), title Twelve (your answer)")
    assert terminal.end() == 0


def test_a_doubtful_value_can_be_replaced_or_left_out(user: User, tmp_path: Path) -> None:
    terminal = user.terminal("check", str(chapter(tmp_path / "Title c012 v2")), "--manga", MANGA)
    terminal.answer("Group", "")
    terminal.until("it may be the release's version")
    terminal.answer("Enter for volume 2, or the right one, or - for none: ", "-")
    terminal.until("volume none (your answer)")
    assert terminal.end() == 0


def test_the_missing_number_is_asked_with_what_the_name_has(user: User, tmp_path: Path) -> None:
    terminal = user.terminal("check", str(chapter(tmp_path / "Omake")), *IDS)
    terminal.until("Omake has no chapter number")
    terminal.answer("Number of the chapter Omake (empty for a oneshot): ", "")
    terminal.until("chapter oneshot (your answer)")
    assert terminal.end() == 0


def test_manga_and_group_are_asked_once_for_all_that_lack_them(user: User, tmp_path: Path) -> None:
    paths = [str(chapter(tmp_path / f"c{number}")) for number in (921, 922)]
    terminal = user.terminal("check", *paths)
    terminal.answer("Manga (id, address or name): ", MANGA)
    terminal.answer("Group (id, address or name; empty for none): ", GROUP)
    terminal.until(f"c922: manga {MANGA} (your answer), chapter 922 (the name)")
    assert terminal.end() == 0
    assert terminal.text.count("Manga (id") == terminal.text.count("Group (id") == 1


def test_what_is_wrong_with_one_stops_that_one_only(user: User, tmp_path: Path) -> None:
    bad = chapter(tmp_path / "c931", comic_info="<ComicInfo")
    unclear = chapter(tmp_path / "Title 932")
    good = chapter(tmp_path / "c933")
    done = user.invoke("check", str(bad), str(unclear), str(good), *IDS, "--json")
    assert [(it["event"], Path(it["path"]).name) for it in done.objects] == [
        ("error", "c931"),
        ("error", "Title 932"),
        ("values", "c933"),
        ("checked", "c933"),
    ]
    assert done.objects[0]["problem"].startswith(f"{bad}: ComicInfo.xml: it is no XML")
    assert done.status == 2


WRONG_TABLES = [
    ('["c941x"]\nchapter = "1"', "[c941x] names no folder or archive beside it; did you mean c941?"),
    ('["c941"]\nnumber = "1"', "there is no such key"),
    ("chapter = ", "is no TOML"),
    (b"\xff", "it is no UTF-8"),
]


@pytest.mark.parametrize(("text", "problem"), WRONG_TABLES)
def test_a_wrong_chapters_file_stops_all_beside_it(user: User, tmp_path: Path, text: str | bytes, problem: str) -> None:
    paths = [str(chapter(tmp_path / name)) for name in ("c941", "c942")]
    (tmp_path / "chapters.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    done = user.invoke("check", *paths, *IDS, "--json")
    assert [(it["path"], it["exit_status"], problem in it["problem"]) for it in done.objects] == [
        (path, 2, True) for path in paths
    ]


def test_tables_hold_for_their_folder_alone(offline: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, language in (("a", "de"), ("b", "fr")):
        (tmp_path / folder).mkdir()
        chapter(tmp_path / folder / "c1")
        (tmp_path / folder / "chapters.toml").write_text(f'[defaults]\nlanguage = "{language}"\n[c1]\nvolume = "3"\n')
    told = offline.invoke("names", str(tmp_path / "a" / "c1"), str(tmp_path / "b" / "c1"), "--json").objects
    assert [it["values"]["language"]["value"] for it in told] == ["de", "fr"]
    monkeypatch.chdir(tmp_path / "b" / "c1")
    here = values(offline.invoke("names", ".", "--json"))
    assert (here["chapter"], here["volume"]) == (("1", "the name"), ("3", "chapters.toml"))


def test_a_name_is_explained_without_anything_being_there(offline: User) -> None:
    done = offline.invoke("names", "Title 2014 (Digital) 12 [A].cbz", "c012")
    assert done.status == 0
    rows = [line.split("\t")[1:] for line in done.output.splitlines()]
    assert rows == [
        ["manga", "Title 2014", "the name"],
        ["chapter", "12", "the name"],
        ["language", "en", "default"],
        ["groups", "A", "the name"],
        ["warning", "the name: (Digital) is left out: it looks like a tag, not like a part of the title"],
        ["doubt", "the name: 2014 may be a year, and is taken neither as volume nor as chapter"],
        ["doubt", "the name: 12 is taken as the chapter, though nothing says so; write c12"],
        ["strict", "Title 2014 - c012 [A]"],
        ["chapter", "12", "the name"],
        ["language", "en", "default"],
        ["strict", "none", "a name needs the manga and the chapter's number, or 'oneshot'; give both"],
    ]
    told = offline.invoke("names", "Title 12", "--json").objects[0]
    assert (told["path"], told["strict"], len(told["doubts"])) == ("Title 12", "Title - c012", 1)


def test_names_that_cannot_be_explained(offline: User, tmp_path: Path) -> None:
    bad = chapter(tmp_path / "c1", comic_info="<html/>")
    done = offline.invoke("names", str(bad), "c2", "--json")
    assert (done.status, [it["event"] for it in done.objects]) == (2, ["error", "values"])
    assert done.objects[0]["problem"] == (
        f"{bad}: ComicInfo.xml: its outermost element is html, not ComicInfo; mend it, or take it away"
    )


def test_as_is_and_the_encoding_reach_the_chapter(user: User, tmp_path: Path) -> None:
    folder = chapter(tmp_path / "c951")
    (folder / "0.bmp").write_bytes(b"BM no image")
    refused = user.invoke("check", str(folder), *IDS, "--as-is")
    assert (refused.status, "0.bmp" in refused.errors) == (7, True)

    archive = tmp_path / "c952.cbz"
    name = "第1話.png"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("#" * len(name.encode("cp932")), next(iter(draw_chapter(1).values())))
    raw = archive.read_bytes().replace(b"#" * len(name.encode("cp932")), name.encode("cp932"))
    archive.write_bytes(raw)
    told = user.invoke("check", str(archive), *IDS, "--json", "--zip-encoding", "cp932").objects[1]
    assert told["order"] == [name]
    wrong = user.invoke("check", str(archive), *IDS, "--zip-encoding", "nothing")
    assert (wrong.status, "zip encoding 'nothing'" in wrong.errors) == (2, True)
