"""`mangadex watch`: what appears in a folder is uploaded once it has stopped growing, and only once."""

from __future__ import annotations

import json
import signal
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, Rig, rig
from rig import Chapter as Drawn
from user import User

from mangadex_uploader.signatures import signature
from mangadex_uploader.watching import Watching

OPTIONS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing", "--json", "--settle", "0.2"]
A, B = Path("a"), Path("b")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def user(service: Rig, tmp_path: Path) -> User:
    for name in ("home", "watched"):
        (tmp_path / name).mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    return User(tmp_path / "home", service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})


def chapter(folder: Path) -> Path:
    folder.mkdir()
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

    def stop(self) -> tuple[int, list[dict[str, Any]], str]:
        """Press Ctrl-C."""
        self._process.send_signal(signal.SIGINT)
        output, errors = self._process.communicate(timeout=60)
        return self._process.returncode, [json.loads(line) for line in output.splitlines()], errors


@contextmanager
def watch(user: User, folder: Path) -> Iterator[Watch]:
    process = user.start("watch", str(folder), *OPTIONS)
    made = Watch(process)
    try:
        made.until("watching", folder.name)
        yield made
    finally:
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
    ],
)
def test_what_cannot_be_watched(user: User, tmp_path: Path, words: list[str], said: str) -> None:
    words = [str(tmp_path / word) if word in ("nothing", "watched") else word for word in words]
    done = user.invoke("watch", *words, *OPTIONS)
    assert done.status == 2
    assert said in done.errors


def test_what_still_grows_is_not_ready() -> None:
    watching = Watching(5, 300, {})
    assert watching.ready({A: "1", B: "1"}, 0) == []
    assert watching.ready({A: "2", B: "1"}, 4) == []
    assert watching.ready({A: "2", B: "1"}, 5) == [B]
    watching.handled([B])
    assert watching.ready({A: "2", B: "1"}, 9) == [A]
    watching.handled([A])
    assert watching.ready({A: "2", B: "1"}, 100) == []


def test_what_was_handled_counts_again_when_it_changed_and_settled() -> None:
    watching = Watching(5, 300, {A: "1"})
    watching.ready({A: "1"}, 0)
    assert watching.ready({A: "1"}, 5) == []
    assert watching.ready({A: "2"}, 6) == []
    assert watching.ready({A: "2"}, 11) == [A]


def test_what_may_pass_is_tried_again_later() -> None:
    watching = Watching(5, 300, {})
    watching.ready({A: "1"}, 0)
    assert watching.ready({A: "1"}, 5) == [A]
    watching.postpone([A], 5)
    assert watching.ready({A: "1"}, 304) == []
    assert watching.ready({A: "1"}, 305) == [A]


def test_what_went_away_and_came_back_settles_anew() -> None:
    watching = Watching(5, 300, {})
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
