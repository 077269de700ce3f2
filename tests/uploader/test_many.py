"""Many chapters in one command: which they are, that all are checked first, and that each is published once."""

from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from link import Cut
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, MANGADEX, Rig, link, rig
from rig import Chapter as Drawn
from user import Ended, User

from mangadex_uploader import moving_done
from mangadex_uploader.batch_endings import Endings
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.expanding import expanded
from mangadex_uploader.locks import account_lock
from mangadex_uploader.moving_done import move_into
from mangadex_uploader.output import UNTOLD, Output
from mangadex_uploader.progress import NoProgress
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.snapshots import Snapshot

IDS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing"]
PUT, BEGIN, COMMIT = r"/upload/[0-9a-f-]{36}", "/upload/begin", r"/upload/[0-9a-f-]{36}/commit"
MISSING_MANGA = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def user(service: Rig, tmp_path: Path) -> Iterator[User]:
    home = tmp_path / "home"
    home.mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    yield User(home, service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})
    service.no_faults()
    service.abandon()


def chapter(folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    for name, data in draw_chapter(count, width=160, height=220).items():
        (folder / name).write_bytes(data)
    return folder


def packed(folder: Path) -> Path:
    archive = folder.with_name(f"{folder.name}.cbz")
    with zipfile.ZipFile(archive, "w") as opened:
        for page in folder.iterdir():
            opened.write(page, page.name)
    return archive


def in_order_of_commits(service: Rig, numbers: list[str]) -> list[str]:
    """As the service's own database has them; what it tells of times has whole seconds."""
    wanted = ", ".join("?" for _ in numbers)
    by_time = f"SELECT chapter FROM chapters WHERE chapter IN ({wanted}) ORDER BY created_at"
    with closing(sqlite3.connect(service.folder / "data" / "database.sqlite3")) as database:
        return [number for (number,) in database.execute(by_time, numbers)]


def several(folder: Path, numbers: list[int], count: int = 2) -> list[Path]:
    return [chapter(folder / f"c{number}", count) for number in numbers]


def drawn(path: Path) -> Drawn:
    return Drawn(path, [it.read_bytes() for it in sorted(path.iterdir())], path.name.removeprefix("c"))


def endings(done: Ended) -> dict[str, str]:
    """How each ended, by the summary."""
    (summary,) = [it for it in done.objects if it["event"] == "summary"]
    return {Path(it["path"]).name: it["outcome"] for it in summary["chapters"]}


def sent(network: Any) -> list[str]:
    return [path for method, path in network.requests if method == "POST" and path.startswith("/upload/")]


def test_a_folder_of_chapters_is_one_each_in_natural_order(tmp_path: Path) -> None:
    for name in ("c10", "c9", "c100"):
        chapter(tmp_path / "all" / name)
    archive = packed_at(tmp_path / "all" / "c11.CBZ")
    (tmp_path / "all" / "chapters.toml").write_text("")
    (tmp_path / "all" / ".trash").mkdir()
    refused = tmp_path / "all" / "c12.rar"
    refused.write_bytes(b"Rar!")
    names = [it.name for it in expanded(tmp_path / "all")]
    assert names == ["c9", "c10", "c11.CBZ", "c12.rar", "c100"]
    assert expanded(archive) == [archive]
    assert expanded(tmp_path / "all" / "c9") == [tmp_path / "all" / "c9"]


def packed_at(target: Path) -> Path:
    source = chapter(target.parent.parent / f"of {target.name}")
    return packed(source).rename(target)


def test_a_folder_in_a_chapters_folder_is_no_chapter_of_its_own(tmp_path: Path) -> None:
    chapter(tmp_path / "My Manga 12" / "pages")
    assert expanded(tmp_path / "My Manga 12") == [tmp_path / "My Manga 12"]
    chapter(tmp_path / "to do" / "My Manga 12")
    assert expanded(tmp_path / "to do") == [tmp_path / "to do" / "My Manga 12"]
    chapter(tmp_path / "to do 2" / "x")
    (tmp_path / "to do 2" / "ComicInfo.xml").write_text("<ComicInfo/>")
    assert expanded(tmp_path / "to do 2") == [tmp_path / "to do 2"]


def test_images_beside_chapters_are_an_error_that_says_so(tmp_path: Path) -> None:
    folder = chapter(tmp_path / "mixed")
    (folder / "drafts").mkdir()
    assert expanded(folder) == [folder]
    for page in list(folder.glob("*.png")):
        page.rename(page.with_suffix(""))
    chapter(folder / "c2")
    with pytest.raises(UsageError, match=r"mixed: has images \(.*\) beside what may be other chapters \(c2\)"):
        expanded(folder)


def test_a_number_cannot_be_that_of_a_whole_folder(user: User, tmp_path: Path) -> None:
    several(tmp_path / "all", [1, 2])
    for option in ("--chapter", "--title", "--volume"):
        refused = user.invoke("upload", str(tmp_path / "all"), *IDS, option, "1")
        assert refused.status == 2
        assert f"{option} is one chapter's, and 2 chapters are at what is given" in refused.errors


def test_all_are_checked_before_the_first_byte(user: User, service: Rig, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [11, 12, 13])
    page = sorted(paths[2].iterdir())[1]
    page.write_bytes(page.read_bytes()[:-200])
    with link(service) as network:
        done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--json", MANGADEX_API_URL=network.url)
    assert done.status == 7
    events = [(it["event"], Path(it.get("path") or "").name) for it in done.objects]
    assert events.index(("error", "c13")) < events.index(("planned", "c11"))
    assert endings(done) == {"c11": "published", "c12": "published", "c13": "failed"}
    assert done.objects[-1]["event"] == "summary"
    for path in paths[:2]:
        service.assert_published_once(drawn(path))
    assert service.published(drawn(paths[2])) == []


def test_fail_fast_sends_nothing_if_one_is_bad(user: User, service: Rig, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [21, 22])
    min(paths[1].iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    with link(service) as network:
        done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast", "--json", MANGADEX_API_URL=network.url)
        assert sent(network) == []
    assert (done.status, endings(done)) == (7, {"c21": "waiting", "c22": "failed"})


def test_two_of_one_command_are_not_the_same_chapter(user: User, service: Rig, tmp_path: Path) -> None:
    first, second = chapter(tmp_path / "all" / "c31"), chapter(tmp_path / "all" / "Again c31", 3)
    done = user.invoke("upload", str(second), str(first), *IDS, "--json")
    assert done.status == 6
    assert endings(done) == {"Again c31": "published", "c31": "failed"}
    assert "is the same chapter as" in done.errors
    assert len(service.published(drawn(first))) == 1


def test_one_that_the_service_refuses_leaves_no_session_in_the_others_way(
    user: User, service: Rig, tmp_path: Path
) -> None:
    paths = several(tmp_path / "all", [41, 42, 43])
    service.fault(fault="reject-page", method="POST", path=PUT, times=REFUSED_TIMES, page=1)
    done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--json")
    assert (done.status, endings(done)) == (7, {"c41": "failed", "c42": "published", "c43": "published"})
    assert "its session was given up" in done.errors
    assert service.published(drawn(paths[0])) == []
    assert service.session() is None
    again = user.invoke("upload", str(tmp_path / "all"), *IDS, "--json")
    assert (again.status, endings(again)) == (0, {"c41": "published", "c42": "finished", "c43": "finished"})
    for path in paths:
        service.assert_published_once(drawn(path))


REFUSED_TIMES = 4
"""A batch, and then the page alone as often as it is tried."""


def test_a_session_of_somebody_else_stops_them_all_at_once(user: User, service: Rig, tmp_path: Path) -> None:
    several(tmp_path / "all", [51, 52])
    with link(service) as network:
        service.begin()
        done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--json", MANGADEX_API_URL=network.url)
        begun = [path for path in sent(network) if path == BEGIN]
    assert len(begun) == 1
    assert (done.status, endings(done)) == (3, {"c51": "failed", "c52": "waiting"})


def test_finished_chapters_are_moved_and_overwrite_nothing(user: User, service: Rig, tmp_path: Path) -> None:
    one, other = several(tmp_path / "all", [61, 62])
    done_folder = tmp_path / "done"
    (done_folder / "c61").mkdir(parents=True)
    (done_folder / "c61" / "precious").write_text("mine")
    done = user.invoke("upload", str(one), str(other), *IDS, "--move-done", str(done_folder), "--json")
    assert done.status == 0, done.errors
    moved = {Path(it["path"]).name: Path(it["to"]).name for it in done.objects if it["event"] == "moved"}
    assert moved == {"c61": "c61 (2)", "c62": "c62"}
    assert (done_folder / "c61" / "precious").read_text() == "mine"
    assert sorted(it.name for it in (tmp_path / "all").iterdir()) == []
    service.assert_published_once(Drawn(one, drawn(done_folder / "c61 (2)").pages, "61"))


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_move_takes_a_free_name_and_keeps_the_bytes(tmp_path: Path, kind: str) -> None:
    made = chapter(tmp_path / "c1")
    path = packed(made) if kind == "file" else made
    before = path.read_bytes() if kind == "file" else drawn(path).pages
    done = tmp_path / "done"
    done.mkdir()
    (done / path.name).write_text("taken")
    target = move_into(done, path)
    assert target.name == ("c1 (2).zip" if path.suffix == ".zip" else f"{path.stem} (2){path.suffix}")
    assert (target.read_bytes() if kind == "file" else drawn(target).pages) == before
    assert (done / path.name).read_text() == "taken"
    assert not os.path.lexists(path)


def test_what_cannot_be_moved_stays(tmp_path: Path) -> None:
    path = chapter(tmp_path / "c1")
    (tmp_path / "done").write_text("a file")
    with pytest.raises(UploadError, match="is finished, but cannot be moved"):
        move_into(tmp_path / "done", path)
    assert len(list(path.iterdir())) == 2


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_across_file_systems_it_is_copied_compared_and_removed(tmp_path: Path, kind: str) -> None:
    made = chapter(tmp_path / "c1")
    path = packed(made) if kind == "file" else made
    before = path.read_bytes() if kind == "file" else drawn(path).pages
    target = tmp_path / f"there{path.suffix}"
    assert moving_done._moved_by_copying(path, target)
    assert (target.read_bytes() if kind == "file" else drawn(target).pages) == before
    assert not os.path.lexists(path)
    assert [it.name for it in tmp_path.iterdir() if it.name.startswith(".")] == []


TROUBLE: list[dict[str, Any]] = [
    {"fault": "429", "method": "POST", "path": PUT, "wait_s": 1},
    {"fault": "429-without-time", "method": "POST", "path": PUT},
    {"fault": "500", "method": "POST", "path": PUT},
    {"fault": "500-after", "method": "POST", "path": PUT},
    {"fault": "503", "method": "POST", "path": PUT},
    {"fault": "drop-before", "method": "POST", "path": PUT},
    {"fault": "drop-in-request", "method": "POST", "path": PUT, "at_byte": 900},
    {"fault": "drop-after", "method": "POST", "path": PUT},
    {"fault": "drop-in-answer", "method": "POST", "path": PUT, "at_byte": 50},
    {"fault": "401", "method": "POST", "path": PUT},
    {"fault": "reject-page", "method": "POST", "path": PUT, "page": 1},
    {"fault": "drop-after", "method": "POST", "path": BEGIN},
    {"fault": "500-after", "method": "POST", "path": BEGIN},
    {"fault": "429", "method": "POST", "path": BEGIN, "wait_s": 1},
    {"fault": "drop-after", "method": "POST", "path": COMMIT},
    {"fault": "503-after", "method": "POST", "path": COMMIT},
    {"fault": "429", "method": "POST", "path": COMMIT, "wait_s": 1},
    {"fault": "503", "method": "GET", "path": "/upload"},
    {"fault": "stall", "method": "POST", "path": PUT, "wait_s": 1},
    {"fault": "stall-after", "method": "POST", "path": PUT, "wait_s": 1},
    {"fault": "stall-after", "method": "POST", "path": COMMIT, "wait_s": 1},
    {"fault": "late", "method": "POST", "path": PUT, "wait_s": 1},
    {"fault": "late", "method": "POST", "path": BEGIN, "wait_s": 1},
    {"fault": "late", "method": "POST", "path": COMMIT, "wait_s": 1},
]


def publish_in_trouble(user: User, service: Rig, folder: Path, numbers: list[int], every: int, pages: int) -> None:
    """Each kind of fault at about one in `every` of the requests that it can meet; one chapter that cannot succeed."""
    paths = several(folder, numbers, pages)
    hopeless = paths[len(paths) // 2]
    chance = random.Random(7)
    for fault in TROUBLE:
        for _ in range(max(1, len(numbers) // every)):
            service.fault(**fault, after=chance.randrange(len(numbers) - 2) if fault["method"] == "POST" else 0)
    options = ["--group", GROUP, "--accept-terms", "--no-pacing", "--json"]
    (folder / "chapters.toml").write_text(
        f'[defaults]\nmanga = "{MANGA}"\n["{hopeless.name}"]\nmanga = "{MISSING_MANGA}"\n'
    )
    for _ in range(5):
        done = user.invoke("upload", str(folder), *options)
        ended = endings(done)
        if {name for name, how in ended.items() if how in ("published", "finished")} >= {
            it.name for it in paths if it != hopeless
        }:
            break
    unmet = service._http.get("/sandbox/faults").json()["open"]
    assert unmet <= len(TROUBLE) // 6  # a commit that is found by looking is not sent again to meet the next fault
    good = [it for it in paths if it != hopeless]
    assert [name for name, how in ended.items() if how == "failed"] == [hopeless.name]
    for path in good:
        service.assert_published_once(drawn(path))
    published = [drawn(path).number for path in good]
    assert in_order_of_commits(service, published) == published


def test_with_faults_of_every_kind_each_is_published_once_and_in_order(
    user: User, service: Rig, tmp_path: Path
) -> None:
    publish_in_trouble(user, service, tmp_path / "all", list(range(100, 106)), 20, 12)


@pytest.mark.proof
def test_sixty_chapters_with_faults_of_every_kind(user: User, service: Rig, tmp_path: Path) -> None:
    publish_in_trouble(user, service, tmp_path / "all", list(range(200, 260)), 20, 12)


def kill_and_go_on(user: User, service: Rig, folder: Path, numbers: list[int], kills: int) -> None:
    paths = several(folder, numbers, 6)
    chance, killed = random.Random(3), 0
    command = ["upload", str(folder), *IDS, "--json"]
    with link(service, bytes_per_s=2e6, rtt_s=0.01) as network:
        for kill in range(kills):
            where, cut = chance.choice(
                [(PUT, Cut.IN_REQUEST), (PUT, Cut.AFTER), (COMMIT, Cut.AFTER), (BEGIN, Cut.AFTER)]
            )
            process = user.start(*command, MANGADEX_API_URL=network.url)
            network.fail(cut, "POST", where, after=chance.randrange(2), then=process.kill)
            _, errors = process.communicate()
            killed += process.returncode == -9
            assert process.returncode in (-9, 0), f"kill {kill}: {errors}"
            network.faults.clear()
        done = user.run(*command, MANGADEX_API_URL=network.url)
    assert killed > kills // 2
    assert done.status == 0, done.errors
    assert set(endings(done).values()) <= {"published", "finished"}
    for path in paths:
        service.assert_published_once(drawn(path))


def test_killed_in_the_queue_and_run_again_nothing_is_there_twice(user: User, service: Rig, tmp_path: Path) -> None:
    kill_and_go_on(user, service, tmp_path / "all", [301, 302, 303], 4)


@pytest.mark.proof
def test_killed_thirty_times(user: User, service: Rig, tmp_path: Path) -> None:
    kill_and_go_on(user, service, tmp_path / "all", list(range(310, 330)), 30)


def upload_within_limits(folder: Path, numbers: list[int], pages: int) -> str:
    """Publish them where the limits are on, and say what the program told of its requests."""
    with rig(folder / "limited", MANGADEX_SERVER_RATE_LIMITS="true") as service:
        several(folder / "all", numbers, pages)
        auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
        user = User(folder, service.service.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})
        options = [it for it in IDS if it != "--no-pacing"]
        process = user.start("upload", str(folder / "all"), *options, "--json", MANGADEX_DEBUG="1")
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        assert [it["event"] for it in map(json.loads, output.splitlines())].count("result") == len(numbers)
        counted = service._http.get("/metrics").raise_for_status().text
        assert re.findall(r'^(mangadex_requests.*status="429".*)$', counted, re.MULTILINE) == []
        assert f'operation="POST /upload/{{uploadSessionId}}/commit",status="200"}} {len(numbers)}.0' in counted, (
            counted
        )
    return errors


def test_the_service_never_says_too_fast(tmp_path: Path) -> None:
    upload_within_limits(tmp_path, [401, 402], 40)


@pytest.mark.proof
def test_no_chapter_is_refused_for_haste(tmp_path: Path) -> None:
    """Twelve commits do not fit into a minute."""
    told = upload_within_limits(tmp_path, list(range(400, 412)), 2)
    assert "'x-ratelimit-limit': '10'" in told


def test_a_folder_of_pages_without_suffixes_is_a_chapter(tmp_path: Path) -> None:
    """Beside another folder with images it is neither one chapter nor several, whatever the names look like."""
    page = next(iter(draw_chapter(1, width=400, height=600).values()))
    (tmp_path / "Vol.1 Ch.2 - 001").write_bytes(page)
    assert expanded(tmp_path) == [tmp_path]
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "Vol.1 Ch.2 - 002").write_bytes(page)
    with pytest.raises(UsageError, match="neither one chapter nor a folder of chapters"):
        expanded(tmp_path)


def add_page(folder: Path) -> None:
    """A page that is like no other of its chapter."""
    (folder / "009.png").write_bytes(draw_chapter(9, width=160, height=220)["009.png"])


def until(process: subprocess.Popen[str], event: str) -> None:
    """Read what it tells up to this event."""
    assert process.stdout is not None
    assert any(json.loads(line)["event"] == event for line in process.stdout)


def lock_of(user: User) -> Any:
    folder = user.home / ".local" / "state" / "mangadex"
    folder.mkdir(parents=True)
    return account_lock(folder, user.url, CREDENTIALS["MANGADEX_USERNAME"])


def states(user: User) -> dict[str, str]:
    return {Path(it["path"]).name: it["state"] for it in user.invoke("queue", "--json").objects}


def test_a_page_that_is_added_while_others_are_checked_is_published_too(
    user: User, service: Rig, tmp_path: Path
) -> None:
    paths = several(tmp_path / "all", [501, 502])
    with lock_of(user):  # as while another command uploads
        process = user.start("upload", str(tmp_path / "all"), *IDS, "--json", "--move-done", str(tmp_path / "done"))
        until(process, "note")
        add_page(paths[0])
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert "changed since it was checked, and is checked again: 009.png added" in errors
    assert len(drawn(tmp_path / "done" / "c501").pages) == 3
    for path in paths:
        service.assert_published_once(Drawn(path, drawn(tmp_path / "done" / path.name).pages, path.name[1:]))


def test_a_page_that_is_added_while_it_is_sent_stops_its_chapter(user: User, service: Rig, tmp_path: Path) -> None:
    changed, other = several(tmp_path / "all", [503, 504])
    command = ["upload", str(tmp_path / "all"), *IDS, "--json", "--move-done", str(tmp_path / "done")]
    with link(service) as network:
        network.fail(Cut.AFTER, "POST", PUT, then=lambda: add_page(changed))
        done = user.invoke(*command, MANGADEX_API_URL=network.url)
    assert (done.status, endings(done)) == (1, {"c503": "failed", "c504": "published"})
    assert "c503: is not what it was when it was checked: 009.png added. Nothing was published" in done.errors
    assert service.published(drawn(changed)) == []
    assert (changed.exists(), other.exists()) == (True, False)
    pages = drawn(changed).pages
    assert user.invoke(*command).status == 0
    service.assert_published_once(Drawn(changed, pages, "503"))
    assert len(pages) == 3
    assert not changed.exists()


def test_what_is_added_after_the_commit_is_not_moved_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = chapter(tmp_path / "c1")
    told = Endings(Reporter(Output(), NoProgress(), "h"), Output(), tmp_path / "done")
    was = Snapshot.of(path)
    add_page(path)
    told.move(path, was)
    assert path.exists()
    assert "c1: is finished, but was changed since it was sent" in capsys.readouterr().err
    told.move(path, Snapshot.of(path))
    assert not path.exists()


def test_a_snapshot_says_what_is_another(tmp_path: Path) -> None:
    path = chapter(tmp_path / "c1")
    (path / "extra").mkdir()
    (path / "link").symlink_to(tmp_path / "nothing")
    archive = packed(chapter(tmp_path / "c2"))
    was, packed_was = Snapshot.of(path), Snapshot.of(archive)
    (path / ".DS_Store").write_text("how a folder is shown")
    (path / "extra" / "._001.png").write_text("what macOS knows of it")
    assert was.changes(Snapshot.of(path)) == ""
    (path / "002.png").unlink()
    (path / "extra" / "003.png").write_text("a page")
    os.utime(path / "001.png", ns=(1, 1))
    assert was.changes(Snapshot.of(path)) == "001.png changed, 002.png removed, extra/003.png added"
    (path / "extra" / "004.png").write_text("a page")
    assert was.changes(Snapshot.of(path)).endswith("extra/003.png added, 1 more")
    archive.write_bytes(b"")
    assert packed_was.changes(Snapshot.of(archive)) == "c2.cbz changed"
    archive.unlink()
    assert packed_was.changes(Snapshot.of(archive)) == "it is gone, or cannot be read any more"


def test_of_two_commands_at_once_neither_calls_a_published_chapter_failed(
    user: User, service: Rig, tmp_path: Path
) -> None:
    paths = several(tmp_path / "all", list(range(511, 517)))
    pages = {path: drawn(path).pages for path in paths}
    command = ["upload", str(tmp_path / "all"), *IDS, "--json", "--move-done", str(tmp_path / "done")]
    with lock_of(user):
        processes = [user.start(*command) for _ in range(2)]
        for process in processes:
            until(process, "note")
    ended = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0, 0], [errors for _, errors in ended]
    for output, errors in ended:
        assert set(endings(Ended(0, output, errors)).values()) <= {"published", "finished"}
    assert states(user) == {path.name: "done" for path in paths}
    assert sorted(it.name for it in (tmp_path / "done").iterdir()) == [path.name for path in paths]
    for path in paths:
        service.assert_published_once(Drawn(path, pages[path], path.name[1:]))


def test_a_chapter_that_is_forgotten_while_it_waits_alone_is_told(user: User, service: Rig, tmp_path: Path) -> None:
    (path,) = several(tmp_path, [517])
    with lock_of(user):
        process = user.start("upload", str(path), *IDS, "--json")
        until(process, "note")
        assert user.invoke("queue", "forget", str(path)).status == 0
    output, errors = process.communicate()
    (told,) = [json.loads(line) for line in output.splitlines()]
    assert (process.returncode, told["event"], told["path"]) == (0, "left_out", str(path))
    assert told["problem"] in errors
    assert service.published(drawn(path)) == []


@pytest.mark.parametrize("option", ["--json", "--quiet"])
def test_results_that_cannot_be_written_are_no_failures(user: User, service: Rig, tmp_path: Path, option: str) -> None:
    paths = several(tmp_path / "all", [521, 522] if option == "--json" else [523, 524])
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [MANGADEX, "upload", str(tmp_path / "all"), *IDS, option],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=user.environment(),
            check=False,
        )
        listed = subprocess.run([MANGADEX, "queue"], stdout=full, env=user.environment(), check=False)
    assert (done.returncode, listed.returncode) == (UNTOLD, UNTOLD)
    assert done.stderr.count("Standard output cannot be written (No space left on device)") == 1
    assert "failed" not in done.stderr
    assert states(user) == {path.name: "done" for path in paths}
    for path in paths:
        service.assert_published_once(drawn(path))
