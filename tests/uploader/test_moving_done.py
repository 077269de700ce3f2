"""Where finished chapters go: nothing is lost, nothing overwritten, nothing there twice, whatever fails on the way."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mangadex_uploader.copying import remove_wholly
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.moving_done import check_away, move_into

OTHER_FILE_SYSTEM = Path("/dev/shm")
PAGES = {"1.png": b"one", "2.png": b"two", "extra/3.png": b"three"}


@pytest.fixture(params=["same file system", "another file system"])
def done(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    if request.param == "same file system":
        yield tmp_path / "done"
        return
    assert OTHER_FILE_SYSTEM.stat().st_dev != tmp_path.stat().st_dev
    with tempfile.TemporaryDirectory(dir=OTHER_FILE_SYSTEM) as folder:
        yield Path(folder) / "done"


def folder(path: Path) -> Path:
    for name, data in PAGES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def archive(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"an archive" * 1000)
    return path


def contents(path: Path) -> dict[str, bytes | str]:
    """All that is below it."""
    return {
        str(it.relative_to(path)): str(it.readlink()) if it.is_symlink() else it.read_bytes()
        for it in sorted(path.rglob("*"))
        if it.is_symlink() or it.is_file()
    }


def test_folders_and_archives_arrive_wholly(tmp_path: Path, done: Path) -> None:
    for path in (folder(tmp_path / "all" / "c1"), archive(tmp_path / "all" / "c2.cbz")):
        move_into(done, path)
    assert contents(done) == {f"c1/{name}": data for name, data in PAGES.items()} | {"c2.cbz": b"an archive" * 1000}
    assert list((tmp_path / "all").iterdir()) == []
    assert [it.name for it in done.iterdir() if it.name.startswith(".")] == []


AS_NOBODY = """
import os, sys
from pathlib import Path
from mangadex_uploader.errors import UploadError
from mangadex_uploader.moving_done import move_into
if os.geteuid() == 0:
    os.seteuid(65534)
for path in sys.argv[2:]:
    try:
        print("moved to", move_into(Path(sys.argv[1]), Path(path)))
    except UploadError as error:
        print(error.problem)
"""


def without_rights(done: Path, *paths: Path) -> list[str]:
    """Move as somebody who is not root, whom no permission would stop."""
    words = [sys.executable, "-c", AS_NOBODY, str(done), *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()


@pytest.fixture
def readable() -> Iterator[Path]:
    """A place that others than root may enter, as they may not that of pytest."""
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        place.chmod(0o755)
        (place / "all").mkdir()
        yield place
        for it in (place, *place.rglob("*")):
            if it.is_dir():
                it.chmod(0o700)


def given_away(*paths: Path) -> None:
    for path in paths:
        for it in (path, *path.rglob("*")):
            if os.geteuid() == 0:
                os.chown(it, 65534, 65534)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_from_a_folder_that_is_not_writable_nothing_is_moved_and_nothing_copied(
    readable: Path, *, elsewhere: bool
) -> None:
    paths = [archive(readable / "all" / "c1.cbz"), folder(readable / "all" / "c2")]
    before = contents(readable / "all")
    with tempfile.TemporaryDirectory(dir=OTHER_FILE_SYSTEM if elsewhere else None) as made:
        done = Path(made)
        given_away(*paths, done)
        (readable / "all").chmod(0o555)
        for _ in range(2):
            said = without_rights(done, *paths)
            assert [it.split(": ")[1].split(" to ")[0] for it in said] == ["is finished, but cannot be moved"] * 2
        assert list(done.iterdir()) == []
    assert contents(readable / "all") == before


def test_what_cannot_be_removed_wholly_is_not_copied(readable: Path) -> None:
    path = folder(readable / "all" / "c1")
    before = contents(readable)
    with tempfile.TemporaryDirectory(dir=OTHER_FILE_SYSTEM) as made:
        done = Path(made)
        given_away(readable / "all", done)
        (path / "extra").chmod(0o555)
        (said,) = without_rights(done, path)
        assert "cannot be moved" in said
        assert "nothing can be removed from its folder extra" in said
        assert list(done.iterdir()) == []
    assert contents(readable) == before


def test_a_removal_that_fails_halfway_says_where_both_are(readable: Path) -> None:
    path, copy = folder(readable / "all" / "c1"), folder(readable / "done" / "c1")
    given_away(readable / "all", readable / "done")
    (path / "extra").chmod(0o555)
    (said,) = without_rights(readable / "done", path)
    assert f"is in {copy} now, wholly; but the old one cannot be removed" in said
    (left,) = (readable / "all").glob(".mangadex-*/c1")
    assert f"what is left of it is in {left}" in said
    assert contents(copy) == PAGES


@pytest.mark.parametrize("made", [folder, archive])
def test_a_move_that_was_cut_off_after_the_copy_is_ended_and_not_begun_anew(
    tmp_path: Path, done: Path, made: Callable[[Path], Path]
) -> None:
    path, _ = made(tmp_path / "all" / "c1.cbz"), made(done / "c1.cbz")
    before = contents(done)
    assert move_into(done, path) == done / "c1.cbz"
    assert contents(done) == before
    assert list((tmp_path / "all").iterdir()) == []


def test_what_differs_in_one_byte_gets_a_number(tmp_path: Path, done: Path) -> None:
    path = folder(tmp_path / "all" / "c1")
    (folder(done / "c1") / "2.png").write_bytes(b"tw0")
    assert move_into(done, path) == done / "c1 (2)"
    assert contents(done / "c1 (2)") == PAGES
    assert contents(done / "c1")["2.png"] == b"tw0"


def test_what_changed_since_it_was_copied_is_not_removed(tmp_path: Path) -> None:
    path, copy = folder(tmp_path / "all" / "c1"), folder(tmp_path / "done" / "c1")
    (path / "4.png").write_bytes(b"four")
    with pytest.raises(OSError, match="it was changed meanwhile"):
        remove_wholly(path, copy)
    assert contents(path) == PAGES | {"4.png": b"four"}
    assert [it.name for it in path.parent.iterdir()] == ["c1"]


def test_a_link_leads_where_it_led(tmp_path: Path, done: Path) -> None:
    folder(tmp_path / "store" / "c1")
    archive(tmp_path / "store" / "c2.cbz")
    (tmp_path / "all").mkdir()
    for name, leads_to in {"c1": "../store/c1", "c2.cbz": str(tmp_path / "store" / "c2.cbz")}.items():
        link = tmp_path / "all" / name
        link.symlink_to(leads_to)
        moved = move_into(done / "deep", link)
        assert moved.is_symlink()
        assert moved.resolve() == (tmp_path / "store" / name).resolve()
        assert not os.path.lexists(link)
    assert contents(tmp_path / "store" / "c1") == PAGES


def test_links_inside_that_would_break_are_told_and_the_chapter_stays(tmp_path: Path, done: Path) -> None:
    path = folder(tmp_path / "all" / "c1")
    (path / "same.png").symlink_to("extra/3.png")
    (path / "outside.png").symlink_to(archive(tmp_path / "store" / "4.png"))
    assert contents(move_into(done, path))["same.png"] == "extra/3.png"
    for name, leads_to in {"relative": "../../store/4.png", "absolute": str(tmp_path / "all" / "c2" / "1.png")}.items():
        second = folder(tmp_path / "all" / "c2")
        (second / name).symlink_to(leads_to)
        with pytest.raises(UploadError, match=rf"the link {name} in it would lead elsewhere"):
            move_into(done, second)
        (second / name).unlink()
    assert not (done / "c2").exists()


def test_where_it_is_already_nothing_is_done(tmp_path: Path) -> None:
    path = folder(tmp_path / "all" / "c1")
    (tmp_path / "link").symlink_to("all")
    for place in (tmp_path / "all", tmp_path / "link"):
        with pytest.raises(UploadError, match="it is there already"):
            move_into(place, path)
    assert contents(path) == PAGES


@pytest.mark.parametrize(
    ("given", "place", "said"),
    [
        ("all", "all", "is in all, and would be taken for a chapter of it"),
        ("all", "all/done", "is in all, and would be taken for a chapter of it"),
        ("link", "all/done", "is in link, and would be taken for a chapter of it"),
        ("all", "link/done", "is in all, and would be taken for a chapter of it"),
        ("all/c1", "all/c1/done", "is in all/c1, and would be taken for a chapter of it"),
        ("all/c1", "all", "all/c1 is in all already"),
        ("all/c1", "link", "all/c1 is in link already"),
        ("all/c1", "all/../all", "already"),
        ("all", "a file", "a file is no folder"),
        ("all", "all/../done", None),
        ("all", "all of them", None),
        ("all/c1", "all/done", None),
    ],
)
def test_the_place_is_outside_of_what_is_uploaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, place: str, said: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "all" / "c1")
    (tmp_path / "link").symlink_to("all")
    (tmp_path / "a file").write_text("")
    if said is None:
        check_away(Path(place), [Path(given)])
    else:
        with pytest.raises(UsageError, match=said):
            check_away(Path(place), [Path(given)])


def test_the_current_folder_moves_beside_its_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder(tmp_path / "all" / "c1"))
    check_away(Path("../../done"), [Path()])
    with pytest.raises(UsageError, match="already"):
        check_away(Path(".."), [Path()])
    move_into(tmp_path / "done", Path())
    assert contents(tmp_path / "done" / "c1") == PAGES


@contextmanager
def one_descriptor_left() -> Iterator[None]:
    """Of this process: two files cannot be opened at once."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_what_cannot_be_compared_is_where_it_was(tmp_path: Path) -> None:
    old, its_copy = archive(tmp_path / "all" / "c1.cbz"), archive(tmp_path / "done" / "c1.cbz")
    with one_descriptor_left(), pytest.raises(OSError, match="Too many open files"):
        remove_wholly(old, its_copy)
    assert contents(tmp_path / "all") == contents(tmp_path / "done") == {"c1.cbz": b"an archive" * 1000}
