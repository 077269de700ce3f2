"""`mangadex watch`: what appears in a folder is uploaded once it has stopped growing, and only once."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from link import Cut
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, Rig, link, rig
from rig import Chapter as Drawn
from user import WITHIN_S, User

from mangadex_uploader.signatures import signature
from mangadex_uploader.watching import Watching

OPTIONS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing", "--json", "--settle", "0.2"]
A, B = Path("a"), Path("b")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def user(service: Rig, tmp_path: Path) -> Iterator[User]:
    for name in ("home", "watched"):
        (tmp_path / name).mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    yield User(tmp_path / "home", service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})
    service.no_faults()
    service.abandon()


def chapter(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in draw_chapter(2, width=160, height=220).items():
        (folder / name).write_bytes(data)
    return folder


def drawn(path: Path) -> Drawn:
    return Drawn(path, [it.read_bytes() for it in sorted(path.iterdir())], path.name.removeprefix("c"))


class Watch:
    """A running `mangadex watch`."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def until(self, event: str, name: str) -> list[dict[str, Any]]:
        """Read to this event about a path of this name."""
        assert self._process.stdout is not None
        read = []
        for line in self._process.stdout:
            read.append(json.loads(line))
            if read[-1]["event"] == event and Path(read[-1].get("path") or "").name == name:
                return read
        raise AssertionError(f"it ended without {event} of {name}: {read}")

    def until_event(self, event: str) -> list[dict[str, Any]]:
        """Read to this event, which is about no path."""
        return self.until(event, "")

    def stop(self) -> tuple[int, list[dict[str, Any]], str]:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        output, errors = self._process.communicate(timeout=60)
        return self._process.returncode, [json.loads(line) for line in output.splitlines()], errors


SOONER = """
from mangadex_uploader import program, run_watch
run_watch.RETRY_S = 0.5
program.main()
"""
"""The program, which tries again after half a second."""


@contextmanager
def watch(user: User, folder: Path, *more: str, **variables: str) -> Iterator[Watch]:
    words = [sys.executable, "-c", SOONER, "watch", str(folder), *OPTIONS, *more]
    pipe = subprocess.PIPE
    process = subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, env=user.environment(**variables))
    made, limit = Watch(process), threading.Timer(WITHIN_S, process.kill)
    limit.start()
    try:
        made.until("watching", folder.name)
        yield made
    finally:
        limit.cancel()
        process.kill()
        process.communicate()


def test_what_appears_is_uploaded_once_also_by_the_next_run(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    first = chapter(folder / "c1")
    with watch(user, folder) as watching:
        watching.until("result", "c1")
        second = chapter(tmp_path / "c2")
        second = second.rename(folder / "c2")
        watching.until("result", "c2")
        status, rest, errors = watching.stop()
    assert status == 130
    assert rest[-1] == {"event": "interrupted", "exit_status": 130}
    assert "Traceback" not in errors
    third = chapter(tmp_path / "c3")
    with watch(user, folder) as watching:
        third = third.rename(folder / "c3")
        read = watching.until("result", "c3")
        assert {Path(it["path"]).name for it in read} == {"c3"}
    for path in (first, second, third):
        service.assert_published_once(drawn(path))


def test_an_error_is_told_once_until_the_file_is_another(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    source = chapter(tmp_path / "c11")
    whole = tmp_path / "c11.cbz"
    with zipfile.ZipFile(whole, "w") as archive:
        for page in sorted(source.iterdir()):
            archive.write(page, page.name)
    (folder / "c11.cbz").write_bytes(whole.read_bytes()[:-300])
    with watch(user, folder) as watching:
        watching.until("error", "c11.cbz")
        chapter(tmp_path / "c12").rename(folder / "c12")
        read = watching.until("result", "c12")
        chapter(tmp_path / "c13").rename(folder / "c13")
        read += watching.until("result", "c13")
        assert [it for it in read if it["event"] == "error"] == []
        whole.replace(folder / "c11.cbz")
        read = watching.until("result", "c11.cbz")
    service.assert_published_once(Drawn(folder, drawn(source).pages, "11"))


def appear(user_made: Path, folder: Path) -> Path:
    """In one moment, as a rename does it."""
    return user_made.rename(folder / user_made.name)


def assert_each_is_there(service: Rig, *paths: Path) -> None:
    for path in paths:
        service.assert_published_once(drawn(path))


@pytest.mark.parametrize("name", ["c21", "Vol1/c22"])
def test_after_a_session_of_somebody_else_all_is_tried_again(
    user: User, service: Rig, tmp_path: Path, name: str
) -> None:
    path = chapter(tmp_path / name)
    service.begin()
    with watch(user, tmp_path / "watched") as watching:
        appear(tmp_path / name.split("/", maxsplit=1)[0], tmp_path / "watched")
        assert watching.until("error", path.name)[-1]["kind"] == "foreign_session"
        service.abandon()
        watching.until("result", path.name)
    assert_each_is_there(service, tmp_path / "watched" / name)


def test_after_a_refused_sign_in_all_is_tried_again(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    with watch(user, folder) as watching:
        service.fault(fault="401", method="POST", path="/upload/begin", times=2)
        path = appear(chapter(tmp_path / "c31"), folder)
        assert watching.until("error", "c31")[-1]["kind"] == "sign_in_needed"
        watching.until("result", "c31")
    assert_each_is_there(service, path)


def test_fail_fast_forgets_no_neighbour_of_one_without_a_number(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    path = chapter(folder / "c41")
    chapter(folder / "no number")
    with watch(user, folder, "--fail-fast") as watching:
        read = watching.until("result", "c41")
    assert [it["chapters"][1]["outcome"] for it in read if it["event"] == "summary"] == ["waiting"]
    assert [Path(it["path"]).name for it in read if it["event"] == "error"] == ["no number"]
    assert_each_is_there(service, path)


def test_without_a_network_it_goes_on(user: User, service: Rig, tmp_path: Path) -> None:
    """Whose token this is, only the service knows: it is asked before any chapter is."""
    folder = tmp_path / "watched"
    path = appear(chapter(tmp_path / "c51"), folder)
    token = service._http.headers["Authorization"].removeprefix("Bearer ")
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with watch(user, folder, MANGADEX_ACCESS_TOKEN="opaque", MANGADEX_API_URL=url) as watching:
        for _ in range(2):
            assert watching.until_event("error")[-1]["exit_status"] == 5
        assert watching.stop()[0] == 130
    with watch(user, folder, MANGADEX_ACCESS_TOKEN=token) as watching:
        watching.until("result", "c51")
    assert_each_is_there(service, path)


def test_what_cannot_be_taken_is_told_and_stops_no_other(user: User, service: Rig, tmp_path: Path) -> None:
    """A link to the folder for what is done would be taken for a chapter."""
    folder = tmp_path / "watched"
    (tmp_path / "done").mkdir()
    with watch(user, folder, "--move-done", str(tmp_path / "done")) as watching:
        new = chapter(tmp_path / "new" / "c55").parent
        (new / "archive").symlink_to(tmp_path / "done")
        for path in sorted(new.iterdir()):
            path.rename(folder / path.name)
        read = watching.until("result", "c55")
        read += watching.until_event("error") if not [it for it in read if it["event"] == "error"] else []
        assert watching.stop()[0] == 130
    (error,) = [it for it in read if it["event"] == "error"]
    assert "name a folder elsewhere" in error["problem"]
    assert_each_is_there(service, tmp_path / "done" / "c55")


def test_a_folder_that_is_away_is_waited_for(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    with watch(user, folder) as watching:
        first = appear(chapter(tmp_path / "c61"), folder)
        watching.until("result", "c61")
        away = folder.rename(tmp_path / "away")
        assert "looking again until it is back" in watching.until("note", "watched")[-1]["text"]
        appear(chapter(tmp_path / "c62"), away)
        away.rename(folder)
        read = watching.until("result", "c62")
        assert [it["text"] for it in read if it["event"] == "note"] == [f"{folder}: is back"]
        assert [it for it in read if Path(it.get("path") or "").name == "c61"] == []
        status, _, errors = watching.stop()
    assert (status, errors.count("looking again")) == (130, 1)
    assert_each_is_there(service, first, folder / "c62")


def test_what_went_away_while_its_turn_came_is_new_when_it_is_back(user: User, service: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    path, broken = chapter(folder / "c71"), tmp_path / "broken"

    def go_away() -> None:
        folder.rename(broken)

    with link(service) as network:
        network.fail(Cut.BEFORE, "GET", "/chapter", then=go_away)
        with watch(user, folder, "--verbose", MANGADEX_API_URL=network.url) as watching:
            watching.until("note", "watched")
            network.faults.clear()
            broken.rename(folder)
            watching.until("result", "c71")
    assert_each_is_there(service, path)


def test_what_is_in_a_folder_of_chapters_is_read_once_by_relative_paths_too(
    user: User, service: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("Vol1/c81", "Vol1/c82", "c83"):
        chapter(tmp_path / "watched" / name)
    with watch(user, Path("watched")) as watching:
        for name in ("c83", "c81", "c82"):
            watching.until("result", name)
        assert watching.stop()[0] == 130
    with watch(user, Path("watched")) as watching:
        appear(chapter(tmp_path / "c84"), Path("watched/Vol1"))
        read = watching.until("result", "c84")
    assert {Path(it["path"]).name for it in read} == {"c84"}
    assert_each_is_there(service, *(tmp_path / "watched" / "Vol1" / f"c{it}" for it in (81, 82, 84)))


def test_an_emptied_volume_is_no_error_and_what_was_finished_earlier_is_moved(user: User, tmp_path: Path) -> None:
    folder = tmp_path / "watched"
    for name in ("c91", "Vol1/c92"):
        chapter(folder / name)
    with watch(user, folder) as watching:
        watching.until("result", "c91")
        watching.until("result", "c92")
        assert watching.stop()[0] == 130
    with watch(user, folder, "--move-done", str(tmp_path / "done")) as watching:
        read = watching.until("moved", "c91") + watching.until("moved", "c92")
        read += watching.until("note", "Vol1")
        assert read[-1]["text"] == "nothing is left in it; what was there is published (1)"
        appear(chapter(tmp_path / "c93"), folder)
        read += watching.until("moved", "c93")
    assert [it for it in read if it["event"] == "error"] == []
    assert sorted(it.name for it in (tmp_path / "done").iterdir()) == ["c91", "c92", "c93"]


def test_one_process_watches(user: User, tmp_path: Path) -> None:
    with watch(user, tmp_path / "watched"):
        other = user.run("watch", str(tmp_path / "watched"), *OPTIONS)
    assert other.status == 2
    assert "Another `mangadex watch` of yours is running" in other.errors


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothing"], "nothing: is no folder"),
        (["watched", "--chapter", "1"], "--chapter is one chapter's"),
        (["watched", "--move-done", "watched"], "would be taken for a chapter of it"),
        (["watched", "--settle", "0"], "--settle: 0 is no time to wait"),
        (["watched", "--settle", "-1"], "--settle: -1 is no time to wait"),
        (["watched", "--settle", "nan"], "--settle: nan is no time to wait"),
        (["watched", "--settle", "inf"], "--settle: inf is no time to wait"),
    ],
)
def test_what_cannot_be_watched(user: User, tmp_path: Path, words: list[str], said: str) -> None:
    words = [str(tmp_path / word) if word in ("nothing", "watched") else word for word in words]
    options = OPTIONS[: OPTIONS.index("--settle")] if "--settle" in words else OPTIONS
    done = user.run("watch", *words, *options)
    assert done.status == 2
    assert said in done.errors


def test_what_still_grows_is_not_ready() -> None:
    watching = Watching(5, 300)
    assert watching.ready({A: "1", B: "1"}, 0) == []
    assert watching.ready({A: "2", B: "1"}, 4) == []
    assert watching.ready({A: "2", B: "1"}, 5) == [B]
    watching.handled([B])
    assert watching.ready({A: "2", B: "1"}, 9) == [A]
    watching.handled([A])
    assert watching.ready({A: "2", B: "1"}, 100) == []


def test_what_was_handled_counts_again_when_it_changed_and_settled() -> None:
    watching = Watching(5, 300)
    watching.ready({A: "1"}, 0)
    assert watching.ready({A: "1"}, 5) == [A]
    watching.handled([A])
    assert watching.ready({A: "2"}, 6) == []
    assert watching.ready({A: "2"}, 11) == [A]


def test_what_may_pass_is_tried_again_later() -> None:
    watching = Watching(5, 300)
    watching.ready({A: "1"}, 0)
    assert watching.ready({A: "1"}, 5) == [A]
    watching.postpone([A], 5)
    assert watching.ready({A: "1"}, 304) == []
    assert watching.ready({A: "1"}, 305) == [A]


def test_what_went_away_and_came_back_settles_anew() -> None:
    watching = Watching(5, 300)
    watching.ready({A: "1"}, 0)
    watching.ready({}, 4)
    assert watching.ready({A: "1"}, 5) == []
    assert watching.ready({A: "1"}, 10) == [A]


def test_an_archives_signature_tells_growth(tmp_path: Path) -> None:
    path = tmp_path / "c1.cbz"
    path.write_bytes(b"1")
    before = signature(path)
    assert signature(path) == before
    path.write_bytes(b"12")
    assert signature(path) != before
    path.unlink()
    with pytest.raises(FileNotFoundError):
        signature(path)


def test_a_signature_tells_growth_and_new_files(tmp_path: Path) -> None:
    path = chapter(tmp_path / "c1")
    seen = {signature(path)}
    page = min(path.iterdir())
    with page.open("ab") as opened:
        opened.write(b"x")
    seen.add(signature(path))
    (path / "more.png").write_bytes(b"x")
    seen.add(signature(path))
    assert len(seen) == 3
    assert signature(path) in seen
