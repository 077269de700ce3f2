"""`mangadex queue`: what was given to `upload`, how far each is, and what is done about it."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from link import Cut, Link
from pages import draw_chapter
from rig import CREDENTIALS, GROUP, MANGA, Rig, link, rig
from rig import Chapter as Drawn
from user import Ended, User

from mangadex_uploader.chapter import Chapter
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.failures import report
from mangadex_uploader.journal import Journal
from mangadex_uploader.output import Output
from mangadex_uploader.queue_journal import Queue, Waits
from mangadex_uploader.queue_place import Place

IDS = ["--manga", MANGA, "--group", GROUP, "--accept-terms", "--no-pacing", "--json"]
PUT, COMMIT = r"/upload/[0-9a-f-]{36}", r"/upload/[0-9a-f-]{36}/commit"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


@pytest.fixture
def user(service: Rig, network: Link, tmp_path: Path) -> User:
    (tmp_path / "home").mkdir()
    auth_url = f"{service.service.url}/realms/mangadex/protocol/openid-connect"
    return User(tmp_path / "home", network.url, CREDENTIALS | {"MANGADEX_AUTH_URL": auth_url})


def several(folder: Path, numbers: list[int]) -> list[Path]:
    paths = [folder / f"c{number}" for number in numbers]
    for path in paths:
        path.mkdir(parents=True)
        for name, data in draw_chapter(2, width=160, height=220).items():
            (path / name).write_bytes(data)
    return paths


def drawn(path: Path) -> Drawn:
    return Drawn(path, [it.read_bytes() for it in sorted(path.iterdir())], path.name.removeprefix("c"))


def states(user: User) -> dict[str, str]:
    return {Path(it["path"]).name: it["state"] for it in user.invoke("queue", "--json").objects}


def test_before_anything_was_given_it_is_empty(user: User) -> None:
    done = user.invoke("queue")
    assert (done.status, done.output) == (0, "")
    assert not user.files()


def test_what_was_not_reached_waits_and_survives_a_kill(
    user: User, service: Rig, network: Link, tmp_path: Path
) -> None:
    paths = several(tmp_path / "all", [1, 2, 3])
    process = user.start("upload", str(tmp_path / "all"), *IDS)
    seen = []

    def killed() -> None:
        seen.append(states(user))
        process.kill()

    network.fail(Cut.AFTER, "POST", PUT, after=1, then=killed)
    process.communicate()
    assert seen == [{"c1": "done", "c2": "running", "c3": "waiting"}]
    assert states(user) == {"c1": "done", "c2": "waiting", "c3": "waiting"}
    done = user.invoke("queue", "run", "--no-pacing", "--json")
    assert done.status == 0, done.errors
    assert states(user) == dict.fromkeys(["c1", "c2", "c3"], "done")
    for path in paths:
        service.assert_published_once(drawn(path))


def test_what_failed_is_listed_with_its_reason_and_tried_again_as_it_was_given(
    user: User, service: Rig, tmp_path: Path
) -> None:
    good, bad, worse = several(tmp_path / "all", [11, 12, 13])
    page = min(bad.iterdir())
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    min(worse.iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--volume", "").status == 2
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 7
    assert states(user) == {"c11": "done", "c12": "failed", "c13": "failed"}
    listed = user.invoke("queue").output.splitlines()
    assert page.name in listed[1]
    assert listed[0].split("\t")[1:3] == ["done", str(good)]
    page.write_bytes(whole)
    assert user.invoke("queue", "retry", str(bad), "--no-pacing").status == 0
    service.assert_published_once(drawn(bad))
    assert states(user) == {"c11": "done", "c12": "done", "c13": "failed"}
    assert user.invoke("queue", "retry", "--no-pacing").status == 7
    number = user.invoke("queue").output.splitlines()[2].split("\t")[0]
    assert user.invoke("queue", "forget", number).status == 0
    assert user.invoke("queue", "forget", str(good)).status == 0
    assert states(user) == {"c12": "done"}
    assert worse.exists()


def test_one_that_is_not_there_is_an_error(user: User, tmp_path: Path) -> None:
    several(tmp_path / "all", [21])
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    for words in (["retry", "1"], ["forget", "x"]):
        done = user.invoke("queue", *words)
        assert done.status == 2
        assert f"{words[1]}: there is none of this id or path" in done.errors
    nothing = user.invoke("queue", "run")
    assert (nothing.status, nothing.errors) == (0, "There is nothing to upload.\n")


def test_fail_fast_leaves_the_rest_waiting(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [31, 32])
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast").status == 7
    assert states(user) == {"c31": "failed", "c32": "waiting"}
    assert service.session() is not None
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    for path in paths:
        service.assert_published_once(drawn(path))


def outcomes(done: Ended) -> dict[str, str]:
    (summary,) = [it for it in done.objects if it["event"] == "summary"]
    return {Path(it["path"]).name: it["outcome"] for it in summary["chapters"]}


def journal_file(user: User) -> Path:
    (found,) = [it for it in user.files() if it.name == "journal.sqlite3"]
    return found


def test_a_name_that_is_no_valid_text_is_published_and_listed(user: User, service: Rig, tmp_path: Path) -> None:
    several(tmp_path / "all", [41, 42])
    folder = (tmp_path / "all").rename(os.fsdecode(os.fsencode(tmp_path) + b"/all \xff"))
    done = user.run("upload", str(folder), *IDS)
    assert (done.status, set(outcomes(done).values())) == (0, {"published"}), done.errors
    for text in (done.output, user.invoke("queue", "--json").output, user.invoke("status", "--json").output):
        for line in map(json.loads, text.splitlines()):
            str(line).encode()
            assert "\\udcff" in str(line)
    for name in ("c41", "c42"):
        service.assert_published_once(drawn(folder / name))
    assert user.run("queue", "forget", str(folder / "c41")).status == 0
    assert states(user) == {"c42": "done"}


def test_a_title_that_is_no_valid_text_stops_its_chapter_alone(user: User, service: Rig, tmp_path: Path) -> None:
    odd, _ = several(tmp_path / "all", [43, 44])
    odd = odd.rename(os.fsdecode(os.fsencode(tmp_path / "all") + b"/c43 \xff"))
    for options in (["--dry-run"], []):
        done = user.run("upload", str(tmp_path / "all"), *IDS, *options)
        assert (done.status, outcomes(done)["c43 \\udcff"]) == (2, "failed"), done.errors
        assert "title \\udcff: it is no valid text" in done.errors
    assert states(user) == {"c43 \\udcff": "failed", "c44": "done"}
    assert user.run("upload", str(odd), *IDS, "--title", "").status == 0
    service.assert_published_once(Drawn(odd, drawn(odd).pages, "43"))


def test_rows_of_another_version_are_named_and_can_be_forgotten(user: User, service: Rig, tmp_path: Path) -> None:
    several(tmp_path / "all", [45, 46, 47])
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    with closing(sqlite3.connect(journal_file(user), isolation_level=None)) as database:
        database.execute("UPDATE queue SET chapter = json_set(chapter, '$.colour', 1) WHERE path LIKE '%c45'")
        database.execute("UPDATE queue SET path = CAST(? AS TEXT) WHERE path LIKE '%c46'", (b"/x/c46 \xed\xb3\xbf",))
    listed = user.invoke("queue", "--json")
    assert [it["path"].rpartition("/")[2][:3] for it in listed.objects] == ["c46", "c47"]
    assert "c45: cannot be read in the queue" in listed.errors
    number = re.findall(r"queue forget (\d+)", listed.errors)[0]
    assert user.invoke("queue", "forget", number).status == 0
    assert user.invoke("queue", "forget", str(listed.objects[0]["id"])).status == 0
    assert states(user) == {"c47": "done"}
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0


def test_what_is_done_stays_done_when_a_rerun_is_stopped(user: User, service: Rig, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [51, 52])
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    before = user.invoke("queue", "--json").objects
    (bad,) = several(tmp_path / "all", [53])
    min(bad.iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    for page in paths[0].iterdir():
        os.utime(page, ns=(1, 1))
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast").status == 7
    assert user.invoke("queue", "--json").objects[:2] == before
    assert states(user) == {"c51": "done", "c52": "done", "c53": "failed"}
    (paths[1] / "002.png").write_bytes(drawn(paths[0]).pages[0])
    assert user.invoke("upload", str(paths[1]), *IDS).status == 6
    assert states(user)["c52"] == "failed"


def test_a_place_has_another_chapter_once_its_number_is_another(user: User, service: Rig, tmp_path: Path) -> None:
    (path,) = several(tmp_path / "all", [54])
    chapter = Chapter(path=path, manga=MANGA, groups=(GROUP,), chapter="54")
    with closing(Journal(tmp_path / "journal.sqlite3")) as journal:
        queue = Queue(journal)
        queue.add("h", "me", [(chapter, "s")])
        queue.move_to("h", "me", path, Waits.DONE, "s", chapter_id="id")
        queue.move_to("h", "me", path, Waits.FAILED, "s", problem="of another command")
        queue.move_to("h", "me", path, Waits.RUNNING, "")
        queue.add("h", "me", [(replace(chapter, title="A title"), "touched")])
        (kept,) = queue.all()
        assert (kept.state, kept.chapter_id, kept.signature) == (Waits.DONE, "id", "s")
        queue.add("h", "me", [(replace(chapter, chapter="55"), "s")])
        (other,) = queue.all()
        assert (other.state, other.chapter_id) == (Waits.WAITING, None)


def test_what_may_be_committed_is_neither_done_nor_lost(user: User, service: Rig, tmp_path: Path) -> None:
    """Without its commit ever having arrived; the program's own half minute of looking is in the proof below."""
    (path,) = several(tmp_path / "all", [61])
    assert user.invoke("upload", str(path), *IDS, "--chapter", "x y z").status == 2
    page = min(path.iterdir())
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    assert user.invoke("upload", str(path), *IDS).status == 7
    page.write_bytes(whole)
    with closing(sqlite3.connect(journal_file(user), isolation_level=None)) as database:
        database.execute("UPDATE queue SET state = 'unconfirmed'")
    assert states(user) == {"c61": "unconfirmed"}
    assert user.invoke("queue", "run", "--no-pacing").errors == "There is nothing to upload.\n"
    assert user.invoke("queue", "retry", "1", "--no-pacing").status == 0
    assert states(user) == {"c61": "done"}
    service.assert_published_once(drawn(path))


@pytest.mark.proof
def test_a_commit_that_never_arrived_is_no_success(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    lost, _ = several(tmp_path / "all", [63, 64])
    network.fail(Cut.BEFORE, "POST", COMMIT, then=service.abandon)
    for _ in range(2):
        done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--move-done", str(tmp_path / "done"))
        assert done.status == 5
        assert "c63: may be committed" in done.errors
        assert states(user) == {"c63": "unconfirmed", "c64": "done"}
    assert lost.exists()
    assert user.invoke("upload", str(lost), *IDS, "--allow-duplicate").status == 0
    assert states(user) == {"c63": "done", "c64": "done"}
    service.assert_published_once(drawn(lost))


def test_a_session_that_was_adopted_is_not_given_up(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [71, 72])
    session_id = service.begin(GROUP)
    service.put(session_id, "mine.png", draw_chapter(1, width=80, height=80)["001.png"])
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    done = user.invoke("upload", str(tmp_path / "all"), *IDS, "--adopt")
    assert (done.status, outcomes(done)) == (7, {"c71": "failed", "c72": "waiting"})
    session = service.session()
    assert session is not None
    assert session["id"] == session_id
    assert "this program did not begin it" in done.errors
    assert user.invoke("upload", str(tmp_path / "all"), *IDS).status == 0
    for path in paths:
        service.assert_published_once(drawn(path))


def test_what_is_told_of_a_session_that_was_given_up_is_so(user: User, service: Rig, tmp_path: Path) -> None:
    several(tmp_path / "all", [73, 74])
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    done = user.invoke("upload", str(tmp_path / "all"), *IDS)
    assert outcomes(done) == {"c73": "failed", "c74": "published"}
    assert "its session was given up" in done.errors


def test_what_waits_for_another_account_is_left_to_it(user: User, service: Rig, tmp_path: Path) -> None:
    paths = several(tmp_path / "all", [81, 82])
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast").status == 7
    token = service._other["Authorization"].removeprefix("Bearer ")
    for command in (["run"], ["retry"], ["retry", str(paths[0])]):
        done = user.invoke("queue", *command, "--no-pacing", MANGADEX_ACCESS_TOKEN=token)
        assert done.status == 0
        assert "Left out: 1 chapters of sandbox at" in done.errors
    assert [service.published(drawn(path)) for path in paths] == [[], []]
    assert states(user) == {"c81": "failed", "c82": "waiting"}
    service.abandon()


def test_after_a_folder_was_renamed_its_session_goes_on(
    user: User, service: Rig, network: Link, tmp_path: Path
) -> None:
    mended, _ = several(tmp_path / "all", [91, 92])
    page = min(mended.iterdir())
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    process = user.start("upload", str(tmp_path / "all"), *IDS)
    network.fail(Cut.AFTER, "POST", PUT, then=process.kill)
    process.communicate()
    page.write_bytes(whole)
    moved = (tmp_path / "all").rename(tmp_path / "all 2")
    (moved / "c92" / "003.png").write_bytes(whole)  # also its pages are others by now
    refused = user.invoke("upload", str(moved / "c91"), *IDS)
    assert refused.status == 3
    for text in ("your upload of chapter 92", "where nothing is any more", "mangadex session show", "session abandon"):
        assert text in refused.errors
    done = user.invoke("upload", str(moved), *IDS)
    assert (done.status, outcomes(done)) == (0, {"c92": "published", "c91": "published"}), done.errors
    assert [it["resumed"] for it in done.objects if it["event"] == "session"] == [True, False]
    for name in ("c91", "c92"):
        service.assert_published_once(drawn(moved / name))


def test_our_own_session_can_be_abandoned_for_another_chapter(
    user: User, service: Rig, network: Link, tmp_path: Path
) -> None:
    left, other = several(tmp_path / "all", [93, 94])
    process = user.start("upload", str(left), *IDS)
    network.fail(Cut.AFTER, "POST", PUT, then=process.kill)
    process.communicate()
    assert user.invoke("upload", str(other), *IDS).status == 3
    done = user.invoke("upload", str(other), *IDS, "--abandon-existing")
    assert done.status == 0
    assert "was abandoned, as told" in done.errors
    assert user.invoke("upload", str(left), *IDS).status == 0
    for path in (left, other):
        service.assert_published_once(drawn(path))


def test_what_is_forgotten_while_it_waits_is_left_out(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    first, second, third = several(tmp_path / "all", [101, 102, 103])
    told: list[Ended] = []
    process = user.start("upload", str(tmp_path / "all"), *IDS)
    network.fail(
        Cut.AFTER,
        "POST",
        PUT,
        then=lambda: told.extend(user.invoke("queue", "forget", str(path)) for path in (first, second)),
    )
    output, errors = process.communicate()
    assert [it.status for it in told] == [2, 0]
    assert "is being uploaded" in told[0].errors
    assert process.returncode == 0
    done = Ended(process.returncode, output, errors)
    assert outcomes(done) == {"c101": "published", "c102": "waiting", "c103": "published"}
    assert "c102: was taken off the list meanwhile" in errors
    assert service.published(drawn(second)) == []
    assert states(user) == {"c101": "done", "c103": "done"}
    service.assert_published_once(drawn(third))


def test_one_place_is_one_chapter_however_it_is_typed(user: User, service: Rig, tmp_path: Path) -> None:
    (path,) = several(tmp_path, [111])
    (tmp_path / "x").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "x")
    typed = [tmp_path / "x" / ".." / "c111", tmp_path / "link" / ".." / "c111", path]
    page = min(path.iterdir())
    whole = page.read_bytes()
    page.write_bytes(whole[:-100])
    for each in typed:
        assert user.invoke("upload", str(each), *IDS).status == 7
    assert len(user.invoke("queue").output.splitlines()) == 1
    page.write_bytes(whole)
    assert user.invoke("queue", "retry", str(typed[0]), "--no-pacing").status == 0
    assert user.invoke("queue", "forget", str(typed[1])).status == 0
    service.assert_published_once(drawn(path))


def test_one_whose_values_are_not_known_is_listed_with_its_reason(user: User, tmp_path: Path) -> None:
    (path,) = several(tmp_path / "all", [121])
    (good,) = several(tmp_path / "other", [122])
    assert user.invoke("upload", str(good), *IDS).status == 0
    host, account = next((it["host"], it["account"]) for it in user.invoke("queue", "--json").objects)
    with closing(Journal(journal_file(user))) as journal:
        place = Place(Queue(journal), host, account)
        place.add_failed([Ending(path, What.FAILED, 2, "no number"), Ending(good, What.FAILED, 2, "no number")])
    assert states(user) == {"c122": "done", "c121": "failed"}
    assert "no number" in user.invoke("queue").output
    done = user.invoke("queue", "retry", "--no-pacing")
    assert (done.status, "give it to `mangadex upload` again" in done.errors) == (2, True)


def test_what_waits_is_uploaded_although_a_later_command_forgot_its_manga(
    user: User, service: Rig, tmp_path: Path
) -> None:
    bad, good = several(tmp_path / "all", [123, 124])
    min(bad.iterdir()).write_bytes(b"\x89PNG\r\n\x1a\n")
    assert user.invoke("upload", str(tmp_path / "all"), *IDS, "--fail-fast").status == 7
    done = user.invoke("upload", str(tmp_path / "all"), "--accept-terms", "--no-pacing")
    assert (done.status, "--manga" in done.errors) == (2, True)
    assert states(user) == {"c123": "failed", "c124": "waiting"}
    assert user.invoke("queue", "run", "--no-pacing").status == 0
    assert user.invoke("queue", "retry", "--no-pacing").status == 7  # with its values, although they were forgotten
    assert states(user) == {"c123": "failed", "c124": "done"}
    service.assert_published_once(drawn(good))


@pytest.mark.parametrize("state", Waits)
def test_nothing_of_a_row_is_lost_by_a_command_without_values(tmp_path: Path, state: Waits) -> None:
    chapter = Chapter(path=tmp_path / "c1", manga=MANGA, groups=(GROUP,), chapter="1")
    with closing(Journal(tmp_path / "journal.sqlite3")) as journal:
        queue = Queue(journal)
        queue.add("h", "me", [(chapter, "s")])
        queue.move_to("h", "me", chapter.path, state, "s", chapter_id="id", problem="as it was")
        (before,) = queue.all()
        queue.add_failed("h", "me", chapter.path, "files with one more", "no manga")
        (after,) = queue.all()
    problem = "no manga" if state is Waits.FAILED else "as it was"
    assert after == replace(before, problem=problem, updated_at=after.updated_at)


def test_a_folder_that_was_put_right_is_no_failed_chapter(user: User, service: Rig, tmp_path: Path) -> None:
    folder, inner = tmp_path / "mixed", tmp_path / "mixed" / "Vol1"
    one, other = *several(folder, [125]), *several(inner, [126])
    loose = [Path(shutil.copy(min(one.iterdir()), it / "001.png")) for it in (folder, inner)]
    assert user.invoke("upload", str(folder), *IDS).status == 2
    assert states(user) == {"mixed": "failed"}
    loose[0].unlink()
    assert user.invoke("upload", str(folder), *IDS, "--fail-fast").status == 2
    assert states(user) == {"Vol1": "failed", "c125": "waiting"}
    assert user.invoke("upload", str(other), *IDS).status == 0
    assert states(user) == {"Vol1": "failed", "c125": "waiting", "c126": "done"}
    assert user.invoke("upload", str(folder), str(other), *IDS).status == 2  # what was given says nothing of its folder
    assert states(user) == {"Vol1": "failed", "c125": "done", "c126": "done"}
    loose[1].unlink()
    assert user.invoke("upload", str(folder), *IDS).status == 0
    assert states(user) == {"c125": "done", "c126": "done"}
    assert user.invoke("queue", "retry", "--no-pacing").errors == "There is nothing to upload.\n"


def test_a_session_that_may_be_anybodys_is_not_given_up(
    user: User, service: Rig, network: Link, tmp_path: Path
) -> None:
    left, _ = several(tmp_path / "all", [127, 128])
    process = user.start("upload", str(left), *IDS)
    network.fail(Cut.BEFORE, "POST", "/upload/begin", then=process.kill)
    process.communicate()
    with closing(sqlite3.connect(journal_file(user), isolation_level=None)) as database:
        database.execute("UPDATE uploads SET intended_at = intended_at - 10")
    foreign = service.begin(GROUP)
    service.fault(fault="reject-page", method="POST", path=PUT, times=4, page=1)
    done = user.invoke("upload", str(tmp_path / "all"), *IDS)
    assert (done.status, outcomes(done)) == (3, {"c127": "failed", "c128": "waiting"}), done.errors
    session = service.session()
    assert session is not None
    assert session["id"] == foreign


def test_an_error_of_the_program_about_such_a_name_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert report(Output(is_json=True), ZeroDivisionError("in c1 \udcff")) == 1
    told = capsys.readouterr()
    assert "in c1 \\udcff" in told.err
    assert json.loads(told.out)["problem"].encode()
    (log,) = tmp_path.rglob("errors.log")
    assert "in c1 \\udcff" in log.read_text()


def test_a_journal_of_the_version_before_goes_on(user: User, service: Rig, network: Link, tmp_path: Path) -> None:
    left, other = several(tmp_path / "all", [131, 132])
    process = user.start("upload", str(left), *IDS)
    network.fail(Cut.AFTER, "POST", PUT, then=process.kill)
    process.communicate()
    with closing(sqlite3.connect(journal_file(user), isolation_level=None)) as database:
        database.execute("ALTER TABLE uploads DROP COLUMN is_ours")
        database.execute("PRAGMA user_version = 1")
    done = user.invoke("upload", str(tmp_path / "all"), *IDS)
    assert (done.status, outcomes(done)) == (0, {"c131": "published", "c132": "published"}), done.errors
    assert [it["resumed"] for it in done.objects if it["event"] == "session"] == [True, False]
    for path in (left, other):
        service.assert_published_once(drawn(path))
