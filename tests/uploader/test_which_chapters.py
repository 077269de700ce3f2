"""Which chapters the given paths mean: the same for `upload` and `watch`, and what is no longer there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, Rig, rig
from rig import Chapter as Drawn
from user import Ended, User

from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import UsageError
from mangadex_uploader.expanding import expanded, expanded_inside, holds_nothing

IDS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing", "--json"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def user(service: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> User:
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    return User(tmp_path / "home", service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})


def chapter(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    for name, data in draw_chapter(count, width=160, height=220).items():
        (folder / name).write_bytes(data)
    return folder


def endings(done: Ended) -> dict[str, str]:
    (summary,) = [it for it in done.objects if it["event"] == "summary"]
    return {Path(it["path"]).name: it["outcome"] for it in summary["chapters"]}


def is_there(service: Rig, number: str) -> bool:
    return bool(service.published(Drawn(Path(), [], number)))


def test_a_folder_of_volumes_is_the_chapters_in_them(tmp_path: Path) -> None:
    for name in ("Vol2/c3", "Vol1/c10", "Vol1/c9", "c12"):
        chapter(tmp_path / "all" / name)
    (tmp_path / "all" / "Vol2" / "c4.cbz").write_bytes(b"")
    names = ["c12", "Vol1/c9", "Vol1/c10", "Vol2/c3", "Vol2/c4.cbz"]
    assert [str(it.relative_to(tmp_path / "all")) for it in expanded(tmp_path / "all")] == names
    assert expanded_inside(tmp_path / "all" / "Vol1") == expanded(tmp_path / "all" / "Vol1")


def test_folders_in_a_chapter_are_no_chapters(tmp_path: Path) -> None:
    for name in ("c12/1", "c12/2", "c13"):
        chapter(tmp_path / "all" / name)
    assert [it.name for it in expanded(tmp_path / "all")] == ["c12", "c13"]
    assert [it.name for it in expanded_inside(tmp_path / "all" / "c12")] == ["c12"]


def test_what_is_wrong_with_one_folder_stops_that_one(tmp_path: Path) -> None:
    chapter(tmp_path / "all" / "c1")
    (chapter(tmp_path / "all" / "mixed") / "c2.cbz").write_bytes(b"")
    told: list[tuple[Path, UsageError]] = []
    found = expanded(tmp_path / "all", lambda path, error: told.append((path, error)))
    assert [it.name for it in found] == ["c1"]
    ((path, error),) = told
    assert path == tmp_path / "all" / "mixed"
    assert "neither one chapter nor a folder of chapters" in error.problem
    with pytest.raises(UsageError, match="neither one chapter nor a folder of chapters"):
        expanded(tmp_path / "all")


def test_a_link_back_is_not_followed(tmp_path: Path) -> None:
    chapter(tmp_path / "all" / "c1")
    chapter(tmp_path / "all" / "Vol1" / "c2")
    for link in ("all/again", "all/Vol1/again"):
        (tmp_path / link).symlink_to(tmp_path / "all")
    names = [str(it.relative_to(tmp_path / "all")) for it in expanded(tmp_path / "all")]
    assert sorted(names) == ["Vol1/again", "Vol1/c2", "again", "c1"]


def test_an_emptied_folder_holds_nothing(tmp_path: Path) -> None:
    path = chapter(tmp_path / "Vol1" / "c1").parent
    (path / "chapters.toml").write_text("")
    assert not holds_nothing(path)
    shutil.rmtree(path / "c1")
    assert holds_nothing(path)
    (path / "c2.rar").write_bytes(b"")
    assert not holds_nothing(path)


@pytest.mark.parametrize(
    "words",
    [["upload", ""], ["upload", "c1", ""], ["check", ""], ["watch", ""], ["upload", "c1", "--move-done", ""]],
)
def test_an_empty_path_is_not_the_current_folder(user: User, service: Rig, words: list[str]) -> None:
    chapter(Path("c1"))
    options = [it for it in IDS if words[0] != "check" or it != "--accept-terms"]
    done = user.invoke(*words, *options)
    assert (done.status, done.output) == (2, "")
    assert "an empty path names nothing" in done.errors
    assert [it.name for it in Path().iterdir()] == ["c1"]
    assert not is_there(service, "1")


def test_a_number_is_for_one_chapter_also_where_the_others_are_wrong(user: User, service: Rig) -> None:
    chapter(Path("c2"))
    (chapter(Path("mixed")) / "c3.cbz").write_bytes(b"")
    done = user.invoke("upload", "c2", "mixed", *IDS, "--chapter", "77")
    assert done.status == 2
    assert "--chapter is one chapter's, and 2 paths are given" in done.errors
    assert not is_there(service, "77")


def test_one_chapter_by_two_ways_is_one(user: User) -> None:
    chapter(Path("c4"))
    Path("link").symlink_to(".")
    done = user.invoke("upload", "c4", "link/../here/c4", "link/c4", *IDS)
    assert done.status == 0, done.errors
    assert [it["path"] for it in done.objects if it["event"] == "result"] == ["c4"]


def test_volumes_go_up_and_what_was_moved_away_is_finished(user: User, service: Rig) -> None:
    for name in ("Vol1/c11", "Vol1/c12", "Vol2/c13"):
        chapter(Path("all", name))
    done = user.invoke("upload", "all", *IDS, "--move-done", "done")
    assert (done.status, endings(done)) == (0, dict.fromkeys(("c11", "c12", "c13"), "published"))
    (by_number,) = service.published(Drawn(Path(), [], "12"))
    for dry in ([], ["--dry-run"]):
        again = user.invoke("upload", "all/Vol1/c12", *IDS, *dry)
        result = again.objects[-1]
        assert (again.status, result["event"], result["chapter_id"]) == (0, "result", by_number)
        assert (result["already_done"], result["sent_bytes"]) == (True, 0)
        again = user.invoke("upload", "all", *IDS, "--move-done", "done", *dry)
        assert (again.status, endings(again)) == (0, {"Vol1": "finished", "Vol2": "finished"})
        assert "all/Vol1: nothing is left in it; what was there is published (2)" in again.errors
    chapter(Path("all", "Vol1", "c14"))
    again = user.invoke("upload", "all", *IDS, "--move-done", "done")
    assert (again.status, endings(again)) == (0, {"c14": "published", "Vol2": "finished"})


def test_what_never_was_there_or_failed_is_still_an_error(user: User) -> None:
    bad = chapter(Path("all", "c21"))
    min(bad.iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    assert user.invoke("upload", "all", *IDS).status == 7
    shutil.rmtree(bad)
    for path in ("all/c21", "all", "all/c22"):
        assert user.invoke("upload", path, *IDS).status == 2


def test_after_a_missing_value_fail_fast_leaves_the_others_waiting_in_table_and_queue(
    user: User, service: Rig, tmp_path: Path
) -> None:
    for name in ("c31", "no number", "c32"):
        chapter(Path("all", name))
    for dry in (["--dry-run"], []):
        done = user.invoke("upload", "all", *IDS, "--fail-fast", *dry)
        assert done.status == 2
        assert endings(done) == {"no number": "failed", "c31": "waiting", "c32": "waiting"}
    listed = {Path(it["path"]).name: it["state"] for it in user.invoke("queue", "--json").objects}
    assert {name: state for name, state in listed.items() if name != "no number"} == {
        "c31": "waiting",
        "c32": "waiting",
    }
    assert not is_there(service, "31")


def test_the_table_names_the_bad_pages_and_stays_one_line_each() -> None:
    problem = "c1: nothing was sent, because of these pages:\n" + "\n".join(f"  {at}.png: broken" for at in range(5))
    line = Ending(Path("a\nb/c1"), What.FAILED, 7, problem).line()
    pages = "0.png: broken; 1.png: broken; 2.png: broken; and 2 more"
    assert line == rf"  a\nb/c1: failed: c1: nothing was sent, because of these pages: {pages}"
    assert Ending(Path("c1"), What.PUBLISHED).line() == "  c1: published"


def test_names_with_line_ends_break_no_line(user: User) -> None:
    chapter(Path("all", "a\nError: c41"))
    chapter(Path("all", "c42"))
    options = [it for it in IDS if it != "--json"]
    done = user.invoke("upload", "all", *options, "--dry-run")
    assert done.status == 0, done.errors
    lines = done.errors.splitlines()
    assert r"a\nError: c41: would be published; it needs no approval" in lines
    assert r"  all/a\nError: c41: would be published" in lines
