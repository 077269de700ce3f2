"""The program as its users meet it: at a terminal, in scripts, with mistakes. Against the real service."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pages import draw_chapter
from rig import GROUP, MANGA, MANGADEX, Rig, rig
from rig import Chapter as Drawn
from user import User, wanted

from mangadex_uploader.failures import common_status, report
from mangadex_uploader.output import UNTOLD, Output

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "uploader.md"
PUT = r"/upload/[0-9a-f-]{36}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture(scope="module")
def signed_in(service: Rig, tmp_path_factory: pytest.TempPathFactory) -> User:
    user = User(tmp_path_factory.mktemp("home"), service.service.url)
    assert user.login().status == 0
    return user


@pytest.fixture
def user(signed_in: User, service: Rig) -> Iterator[User]:
    yield signed_in
    service.no_faults()
    service.abandon()


def chapter(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for name, data in draw_chapter(count, width=160, height=220).items():
        (folder / name).write_bytes(data)
    return folder


def test_an_upload_told_to_a_script(user: User, service: Rig, tmp_path: Path) -> None:
    path = chapter(tmp_path / "a", 12)
    done = user.run("upload", str(path), *wanted("11"), "--json")
    assert done.status == 0
    events = ["values", "planned", "session", "stored", "stored", "committing", "result"]
    assert [it["event"] for it in done.objects] == events
    assert {it["path"] for it in done.objects} == {str(path)}
    planned, result = done.objects[1], done.objects[-1]
    assert [page["name"] for page in planned["pages"]] == sorted(it.name for it in path.iterdir())
    assert result == {
        "event": "result",
        "path": str(path),
        "chapter_id": service.assert_published_once(
            Drawn(path, [it.read_bytes() for it in sorted(path.iterdir())], "11")
        ),
        "url": f"{user.url}/chapter/{result['chapter_id']}/read",
        "confirmed": True,
        "needs_approval": result["needs_approval"],
        "already_done": False,
        "sent_bytes": planned["bytes"],
        "exit_status": 0,
    }

    documented = DOCUMENTATION.read_text()
    assert not [key for told in done.objects for key in told if f"`{key}`" not in documented]

    again = user.invoke("upload", str(path), *wanted("11"))
    assert (again.status, again.output) == (0, f"{result['url']}\n")
    assert "nothing to do" in again.errors

    listed = user.invoke("status", "--json").objects[0]
    assert (listed["state"], listed["path"], listed["url"]) == ("done", str(path), result["url"])


def test_a_chapter_that_is_there_already(user: User, tmp_path: Path) -> None:
    first, second = chapter(tmp_path / "a"), chapter(tmp_path / "b", 4)
    assert user.invoke("upload", str(first), *wanted("12"), "--quiet").errors == ""
    options = ["--manga", MANGA, "--group", GROUP, "--chapter", "12", "--no-pacing"]
    checked = user.invoke("check", str(second), *options, "--json")
    assert (checked.status, checked.objects[-1]["kind"]) == (6, "duplicate_chapter")
    assert len(checked.objects[1]["duplicates"]) == 1
    fine = user.invoke("check", str(second), *options, "--allow-duplicate")
    assert (fine.status, fine.output.split("\t")[0]) == (0, str(second))


def test_a_failing_chapter_does_not_stop_the_rest(user: User, tmp_path: Path) -> None:
    bad, good = chapter(tmp_path / "bad"), chapter(tmp_path / "good")
    (bad / "0.png").write_bytes(b"no image at all")
    done = user.invoke("upload", str(bad), str(tmp_path / "missing"), str(good), *wanted("oneshot"), "--json")
    last = {Path(it["path"]).name: it for it in done.objects if "path" in it}
    assert {name: it["event"] for name, it in last.items()} == {"bad": "error", "missing": "error", "good": "result"}
    assert [page["name"] for page in last["bad"]["pages"]] == ["0.png"]
    assert (last["bad"]["exit_status"], last["missing"]["exit_status"], done.status) == (7, 2, 1)


def test_one_status_for_several_chapters() -> None:
    assert [common_status(them) for them in ([0, 0], [5, 0, 5], [5, 6], [])] == [0, 5, 1, 0]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["upload"], 2, "PATH"),
        (["upload", "c012", "--accept-terms", "--chapter", "1"], 2, "give --manga, or set MANGADEX_MANGA"),
        (["upload", "x", "--accept-terms", "--manga", MANGA], 2, "x: the number is missing: give --chapter"),
        (["upload", "c012", "--accept-terms"], 2, "c012: Manga (id, address or name) is missing"),
        (["upload", "y", *wanted()], 2, "y: there is nothing of this name"),
        (["check", "c012", "--manga", f"https://mangadex.org/group/{GROUP}"], 2, "c012: --manga: 'https"),
        (["upload", "x", "y", *wanted("1")], 2, "--chapter is one chapter's, and 2 paths are given"),
        (["upload", "x", *wanted(), "--adopt", "--abandon-existing"], 2, "exclude each other"),
        (["upload", "x", *wanted(), "--publish-at", "2031-01-01 10:00"], 2, "without a zone"),
        (["whoami", "--no-pacing", "--api-url", "https://api.example"], 2, "--no-pacing is for a service on this"),
        (["whoami", "--api-url", "http://api.example"], 2, "--api-url: "),
        (["session", "abandon"], 2, "give --yes if you mean it"),
        (["upload", "x", "--pasword", "p"], 2, "--pasword"),
    ],
)
def test_mistakes_are_a_sentence(
    user: User, words: list[str], status: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("x", "c012"):
        chapter(tmp_path / name, 1)
    monkeypatch.chdir(tmp_path)
    done = user.invoke(*words)
    assert (done.status, done.output) == (status, "")
    assert said in done.errors


def test_the_terms_have_to_be_accepted_once(service: Rig, tmp_path: Path) -> None:
    user = User(tmp_path, service.service.url)
    path = chapter(tmp_path / "a")
    options = [it for it in wanted("13") if it != "--accept-terms"]
    asked = user.invoke("upload", str(path), *options)
    assert asked.status == 2
    assert "https://mangadex.org/compliance" in asked.errors
    assert "--accept-terms once, or set MANGADEX_ACCEPT_TERMS=1" in asked.errors
    assert user.invoke("upload", str(path), *options, MANGADEX_ACCEPT_TERMS="1").status == 4
    remembered = json.loads(Path(user.invoke("paths", "--json").objects[0]["terms"]).read_text())
    assert list(remembered) == [user.url]
    assert remembered[user.url]["accepted_at"].endswith("+00:00")
    unsigned = user.invoke("upload", str(path), *options)
    assert (unsigned.status, "run `mangadex login`" in unsigned.errors) == (4, True)


def test_a_service_that_is_not_there(tmp_path: Path) -> None:
    done = User(tmp_path, "http://127.0.0.1:1").invoke("whoami", MANGADEX_ACCESS_TOKEN="x")
    assert (done.status, "try again" in done.errors) == (5, True)


def test_the_open_session_is_shown_and_abandoned_with_a_yes(user: User, service: Rig) -> None:
    session = service.begin()
    shown = user.invoke("session", "show", "--json").objects[0]
    assert (shown["event"], shown["session_id"], shown["manga"], shown["is_ours"]) == (
        "session_open", session, MANGA, False,
    )  # fmt: skip
    terminal = user.terminal("session", "abandon")
    terminal.answer("[y/N]", "n")
    assert terminal.end() == 2
    assert service.session() is not None
    assert user.invoke("session", "abandon", "--yes").status == 0
    assert service.session() is None
    assert "No session is open" in user.invoke("session", "show").errors


def test_everything_is_asked_at_a_terminal(service: Rig, tmp_path: Path) -> None:
    user = User(tmp_path, service.service.url)
    login = user.terminal("login")
    login.answer("User name", "sandbox")
    login.answer("Password", "sandbox-password")
    login.answer("Client id", "personal-client-sandbox")
    login.answer("Client secret", "sandbox-secret")
    assert login.end() == 0
    assert "sandbox-password" not in login.text
    assert "sandbox-secret" not in login.text

    upload = user.terminal("upload", str(chapter(tmp_path / "Extra", 12)), "--no-pacing")
    upload.answer("mangadex.org/compliance? [y/N]", "y")
    upload.answer("Manga (id, address or name)", f"https://mangadex.org/title/{MANGA}/name")
    upload.answer("Group (id, address or name; empty for none)", "sandbox group")
    upload.answer("Number of the chapter Extra (empty for a oneshot)", "14")
    assert upload.end() == 0
    assert "━" in upload.text
    assert "100 %" in upload.text
    assert "\x1b[38;5;" in upload.text
    assert "published, 12 pages" in upload.text


@pytest.mark.parametrize(
    ("variables", "has_bar", "has_colour"),
    [({"NO_COLOR": "1"}, True, False), ({"TERM": "dumb"}, False, False)],
)
def test_terminals_that_want_less(
    user: User, tmp_path: Path, variables: dict[str, str], has_bar: bool, has_colour: bool
) -> None:
    number = str(20 + sum(map(ord, str(variables))) % 1000)
    terminal = user.terminal("upload", str(chapter(tmp_path / "a")), *wanted(number), **variables)
    assert terminal.end() == 0
    assert ("━" in terminal.text, "\x1b[38" in terminal.text) == (has_bar, has_colour)


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(user: User, service: Rig, tmp_path: Path) -> None:
    path = chapter(tmp_path / "a", 30)
    service.fault(fault="stall", method="POST", path=PUT, after=1)
    terminal = user.terminal("upload", str(path), *wanted("15"))
    terminal.until("MB/s")
    terminal.type("\x03")
    terminal.until("run the same command again")
    assert terminal.end() == 130
    assert service.session() is not None

    service.fault(fault="stall", method="POST", path=PUT, times=9)
    resumed = user.terminal("upload", str(path), *wanted("15"))
    resumed.until("are there already")
    resumed.until(" %")
    resumed.type("\x03")
    assert resumed.end() == 130
    assert re.findall(r"(\d+) %", resumed.text)[0] != "0"
    service.no_faults()

    done = user.invoke("upload", str(path), *wanted("15"), "--json")
    session, result = (next(it for it in done.objects if it["event"] == name) for name in ("session", "result"))
    assert (done.status, session["resumed"], session["kept_pages"] >= 10) == (0, True, True)
    assert session["kept_bytes"] + result["sent_bytes"] == done.objects[1]["bytes"]


def test_sigterm_stops_as_cleanly(user: User, service: Rig, tmp_path: Path) -> None:
    service.fault(fault="stall", method="POST", path=PUT, times=9)
    process = user.start("upload", str(chapter(tmp_path / "a")), *wanted("18"), "--json")
    assert process.stdout is not None
    while '"session"' not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, json.loads(output.splitlines()[-1])["event"]) == (143, "interrupted")
    assert "run the same command again" in errors
    assert "Traceback" not in errors


HANGS_WHILE_STOPPING = """
import asyncio
from mangadex_uploader import interrupts

async def work():
    print("begun", flush=True)
    try:
        await asyncio.sleep(600)
    finally:
        print("stopping", flush=True)
        await asyncio.sleep(600)

interrupts.run(work(), lambda: None)
"""


def test_the_second_ctrl_c_ends_at_once() -> None:
    process = subprocess.Popen([sys.executable, "-c", HANGS_WHILE_STOPPING], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in ("begun\n", "stopping\n"):
        assert process.stdout.readline() == line
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


@pytest.mark.parametrize("words", [["paths"], ["--help"], ["paths", "--json"]])
def test_a_reader_that_goes_away(tmp_path: Path, words: list[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    user = User(tmp_path, "")
    done = subprocess.run(
        [MANGADEX, *words], stdout=write, stderr=subprocess.PIPE, text=True, env=user.environment(), check=False
    )
    os.close(write)
    assert done.stderr == ""


def test_closed_streams(tmp_path: Path) -> None:
    environment = User(tmp_path, "").environment()
    done = subprocess.run(
        f"{MANGADEX} paths >&- 2>&-; {MANGADEX} whoami 2>&-", shell=True, env=environment, check=False
    )
    assert done.returncode == 4


def test_a_command_whose_results_cannot_be_written_is_no_success(tmp_path: Path) -> None:
    words = [MANGADEX, "names", "A Manga c012 (A title) [A group]", "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, stdout=full, stderr=subprocess.PIPE, env=User(tmp_path, "").environment(), check=False
        )
    assert done.returncode == UNTOLD
    assert b"Standard output cannot be written" in done.stderr


def test_an_upload_goes_on_when_nobody_reads(user: User, service: Rig, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    words = ["upload", str(chapter(tmp_path / "a")), *wanted("16"), "--json"]
    done = subprocess.run(
        [MANGADEX, *words], stdout=write, stderr=subprocess.PIPE, text=True, env=user.environment(), check=False
    )
    os.close(write)
    assert (done.returncode, "published" in done.stderr) == (0, True)


def test_names_from_disk_cannot_drive_the_terminal(user: User, tmp_path: Path) -> None:
    path = chapter(tmp_path / "red \x1b[31m\x07")
    done = user.invoke("upload", str(path), *wanted("17"))
    assert done.status == 0
    assert "\x1b" not in done.errors + done.output
    assert "red \\x1b[31m\\x07: published" in done.errors
    assert "\x1b" not in user.invoke("status").output


def test_an_error_of_the_program_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.delenv("MANGADEX_DEBUG", raising=False)
    unexpected = ZeroDivisionError("of ours")
    assert report(Output(), unexpected) == 1
    said = capsys.readouterr().err
    (log,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert said.count("\n") == 1
    assert str(log) in said
    assert "MANGADEX_DEBUG=1" in said
    assert "ZeroDivisionError: of ours" in log.read_text()

    monkeypatch.setenv("MANGADEX_DEBUG", "1")
    report(Output(), unexpected)
    assert "ZeroDivisionError: of ours" in capsys.readouterr().err.splitlines()[-1]


def test_completion_is_offered(tmp_path: Path) -> None:
    user = User(tmp_path, "")
    offered = user.run(_MANGADEX_COMPLETE="complete_bash", COMP_WORDS="mangadex se", COMP_CWORD="1")
    assert offered.output.split() == ["session"]
