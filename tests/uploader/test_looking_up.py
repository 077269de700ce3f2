"""Manga and groups by name, against the real service: taken where it is certain, else asked or refused."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import draw_chapter
from program import PROGRAM
from rig import GROUP, MANGA, Rig, rig
from user import User


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def user(service: Rig, tmp_path_factory: pytest.TempPathFactory) -> User:
    made = User(tmp_path_factory.mktemp("home"), service.service.url)
    assert made.login().status == 0
    return made


def added(service: Rig, kind: str, *names: str) -> list[str]:
    """The ids of new manga or groups."""
    where = ["--data-dir", str(service.folder / "data")]
    add = [[PROGRAM, kind, "add", name, *where] for name in names]
    return [subprocess.run(it, capture_output=True, text=True, check=True).stdout.strip() for it in add]


def chapter(folder: Path) -> str:
    folder.mkdir()
    for name, data in draw_chapter(2, width=160, height=220).items():
        (folder / name).write_bytes(data)
    return str(folder)


def test_one_match_is_taken_and_told(user: User, tmp_path: Path) -> None:
    path = chapter(tmp_path / "official {quote}TEST{quote} manga - c012 [Sandbox Group]")
    done = user.invoke("check", path, "--json")
    assert done.status == 0, done.errors
    assert done.objects[0]["values"] == {
        "manga": {"value": 'official "TEST" manga', "origin": "the name", "id": MANGA},
        "groups": {"value": ["Sandbox Group"], "origin": "the name", "ids": [GROUP]},
        "chapter": {"value": "12", "origin": "the name"},
        "language": {"value": "en", "origin": "default"},
    }
    assert (done.objects[1]["manga"], done.objects[1]["groups"]) == (MANGA, [GROUP])
    assert f"""manga 'official "TEST" manga' is Official "Test" Manga ({MANGA})""" in done.errors
    assert f"group Sandbox Group (the name) = {GROUP}" in done.errors


def test_what_is_longer_does_not_make_a_name_uncertain(user: User, service: Rig, tmp_path: Path) -> None:
    one, _ = added(service, "manga", "Rain", "Rainy Days")
    done = user.invoke("check", chapter(tmp_path / "c1"), "--manga", " rain ", "--json")
    assert (done.status, done.objects[1]["manga"]) == (0, one)


def test_several_of_a_name_are_never_guessed(user: User, service: Rig, tmp_path: Path) -> None:
    ids = added(service, "group", *["Twin!"] * 4, *["twin"] * 2)
    added(service, "group", "Twin Peaks")
    refused = user.invoke("check", chapter(tmp_path / "c1"), "--manga", MANGA, "--group", "Twin")
    assert (refused.status, refused.output) == (2, "")
    assert "Group 'Twin': 6 are called so:" in refused.errors
    shown = [line for line in refused.errors.splitlines() if line.startswith("  ")]
    assert len([line for line in shown if any(it in line for it in ids)]) == 5
    assert "  and 2 more" in shown
    assert "Give the right one's id with --group, or write it down:" in refused.errors
    assert '"Twin" = "..." below [groups] in ' in refused.errors


def test_similar_ones_are_shown(user: User, service: Rig, tmp_path: Path) -> None:
    (similar,) = added(service, "manga", "The Long Way Home")
    done = user.invoke("check", chapter(tmp_path / "The Long Way - c012"))
    assert done.status == 2
    assert "Manga 'The Long Way': none is called so, but there are similar ones:" in done.errors
    assert f"  1  The Long Way Home ({similar})" in done.errors


def test_none_of_a_name_stops_its_chapters_only(user: User, tmp_path: Path) -> None:
    paths = [chapter(tmp_path / name) for name in ("Unheard Of - c961", "c962", "Unheard Of - c963")]
    named = chapter(tmp_path / "Official {quote}Test{quote} Manga - c964")
    done = user.invoke("check", *paths, named, "--group", GROUP, "--json")
    errors = [it for it in done.objects if it["event"] == "error"]
    assert [it["path"] for it in errors] == [paths[1], paths[0], paths[2]]
    assert f"{paths[0]}: Manga 'Unheard Of': the service finds none of this name." in errors[1]["problem"]
    assert [it["path"] for it in done.objects if it["event"] == "checked"] == [named]
    assert done.status == 2


def test_an_answer_is_asked_once_and_the_line_to_keep_it_told(user: User, service: Rig, tmp_path: Path) -> None:
    ids = added(service, "manga", "Echo", "Echo")
    paths = [chapter(tmp_path / f"Echo - c{number}") for number in (971, 972)]
    terminal = user.terminal("check", *paths, "--group", GROUP)
    terminal.until("2 are called so")
    terminal.until("  2  Echo (")
    terminal.answer("empty for none: ", "7")
    terminal.until("'7' is none of these")
    terminal.answer("empty for none: ", f"https://mangadex.org/group/{GROUP}")
    terminal.until("is no address like")
    terminal.answer("empty for none: ", "2")
    terminal.until('To be known next time: "Echo" = "')
    terminal.until("c972: manga Echo (the name) = ")
    assert terminal.end() == 0
    chosen = [it for it in ids if f'"Echo" = "{it}" below [manga] in ' in terminal.text]
    assert len(chosen) == 1
    assert f"  2  Echo ({chosen[0]})" in terminal.text
    assert terminal.text.count("2 are called so") == 1


def test_a_name_that_is_not_found_can_be_answered_with_an_id(user: User, tmp_path: Path) -> None:
    terminal = user.terminal("check", chapter(tmp_path / "Nobody Knows - c1"), "--group", GROUP)
    terminal.until("the service finds none of this name")
    terminal.answer("empty for none: ", f"https://mangadex.org/title/{MANGA}/x")
    terminal.until(f"manga Nobody Knows (the name) = {MANGA}")
    assert terminal.end() == 0

    terminal = user.terminal("check", chapter(tmp_path / "Nobody Cares - c1"), "--group", GROUP)
    terminal.answer("empty for none: ", "")
    terminal.until("none was chosen")
    assert terminal.end() == 2


def test_the_tables_of_the_settings_file_go_before_the_service(user: User, service: Rig, tmp_path: Path) -> None:
    ids = added(service, "manga", "Shade", "Shade")
    config = tmp_path / "config.toml"
    config.write_text(f'[manga]\n"SHADE" = "{ids[1]}"\n[groups]\n"My Friends" = "https://mangadex.org/group/{GROUP}"\n')
    path = chapter(tmp_path / "Shade - c012 [My Friends]")
    done = user.invoke("check", path, "--config", str(config), "--json")
    assert done.status == 0, done.errors
    assert (done.objects[1]["manga"], done.objects[1]["groups"]) == (ids[1], [GROUP])
    assert "is Shade" not in done.errors


def test_a_service_that_cannot_be_asked(tmp_path: Path) -> None:
    away = User(tmp_path, "http://127.0.0.1:1")
    path = chapter(tmp_path / "Shade - c012")
    done = away.invoke("check", path, "--group", GROUP, MANGADEX_ACCESS_TOKEN="x")
    assert (done.status, "try again" in done.errors) == (5, True)


def test_names_are_looked_up_only_by_those_who_are_signed_in(service: Rig, tmp_path: Path) -> None:
    unsigned = User(tmp_path, service.service.url)
    done = unsigned.invoke("check", chapter(tmp_path / "Shade - c012"))
    assert (done.status, "run `mangadex login`" in done.errors) == (4, True)
