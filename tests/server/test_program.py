"""The program as people run it: real processes, real folders, and what it says when something is wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pyvips
import trustme
from installations import are_big, blobs_of, environment_for, peek
from program import PROGRAM, Running, clean, sandbox, start
from sqlalchemy import text
from typer.testing import CliRunner

from mangadex_server.backup import backup, restore
from mangadex_server.blobs import LocalBlobs
from mangadex_server.data_folder import no_sweep
from mangadex_server.database import Database
from mangadex_server.program import program
from mangadex_server.settings import Settings
from mangadex_server.sweep import Sweep
from mangadex_server.weak_passwords import weakness

PASSWORD = "Correct-Horse-9"
SANDBOX_MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
TOKEN_PATH = "/realms/mangadex/protocol/openid-connect/token"
DOCS = Path(__file__).parents[2] / "docs" / "server.md"


def command(
    *arguments: str | Path, entered: str = "", status: int = 0, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command; what it says on stderr must fit its status."""
    done = subprocess.run(
        [PROGRAM, *map(str, arguments)],
        check=False,
        input=entered,
        capture_output=True,
        text=True,
        env=clean(arguments, environment),
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == (1 if status else 0), done.stderr
    return done


def quick(*arguments: str | Path, entered: str = "", status: int = 0) -> tuple[str, str]:
    """A command in this process, for tests of many: starting a process takes two seconds. Its stdout and stderr."""
    hidden: dict[str, str | None] = {name: None for name in os.environ if name.startswith("MANGADEX_")}
    env = hidden | environment_for(arguments)
    done = CliRunner().invoke(program, [str(item) for item in arguments], input=entered, env=env)
    assert done.exit_code == status, done.output
    assert type(done.exception) in (type(None), SystemExit)
    assert len(done.stderr.splitlines()) == (1 if status else 0), done.stderr
    return done.stdout, done.stderr


def page(number: int) -> bytes:
    image = pyvips.Image.text(f"page {number}", dpi=200).embed(20, 20, 300, 400)
    return bytes(image.write_to_buffer(".png"))


def until(holds: Callable[[], Any], within_s: float = 30) -> Any:
    deadline = time.monotonic() + within_s
    while not (result := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return result


@dataclass
class Person:
    """Somebody who uploads, over plain HTTP."""

    http: httpx2.Client
    manga: str

    def begin(self) -> str:
        answer = self.http.post("/upload/begin", json={"manga": self.manga, "groups": []})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["id"])

    def put(self, session: str, data: bytes) -> str:
        answer = self.http.post(f"/upload/{session}", files={"file": ("1.png", data)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"][0]["id"])

    def chapter(self, *pages: bytes, number: str = "1") -> str:
        session = self.begin()
        return self.commit(session, [self.put(session, data) for data in pages], number)

    def commit(self, session: str, order: list[str], number: str = "1") -> str:
        draft = {"volume": None, "chapter": number, "title": None, "translatedLanguage": "en"}
        body = {"chapterDraft": draft, "pageOrder": order, "termsAccepted": True}
        answer = self.http.post(f"/upload/{session}/commit", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["id"])

    def pages(self, chapter: str) -> list[bytes] | None:
        """The bytes in order; None while it cannot be read."""
        answer = self.http.get(f"/at-home/server/{chapter}")
        if answer.status_code == 404:
            return None
        found = answer.json()["chapter"]
        return [self.http.get(f"/data/{found['hash']}/{name}").content for name in found["data"]]


OPEN: list[httpx2.Client] = []


def connect(url: str, **given: Any) -> httpx2.Client:
    """A client that is closed when the test ends."""
    OPEN.append(httpx2.Client(base_url=url, trust_env=False, timeout=60, **given))
    return OPEN[-1]


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    while OPEN:
        OPEN.pop().close()


def person(url: str, username: str, password: str, client: str, secret: str, manga: str) -> Person:
    http = connect(url)
    form = {"grant_type": "password", "username": username, "password": password}
    answer = http.post(TOKEN_PATH, data=form | {"client_id": client, "client_secret": secret})
    assert answer.status_code == 200, answer.text
    http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
    return Person(http, manga)


def sandboxed(running: Running) -> Person:
    known = "sandbox", "sandbox-password", "personal-client-sandbox", "sandbox-secret", SANDBOX_MANGA
    return person(running.url, *known)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with sandbox(tmp_path_factory.mktemp("box") / "data") as running:
        yield running


def stored(data_dir: Path) -> dict[str, bytes]:
    blobs = blobs_of(data_dir)
    return {blob.digest: asyncio.run(blobs.read(blob.digest)) for blob in blobs.all()}


# a service of one's own


def test_from_nothing_to_a_reviewed_chapter(tmp_path: Path) -> None:
    data = "--data-dir", tmp_path / "data"
    assert command("user", "add", "ann", *data, entered=PASSWORD + "\n").stdout == ""
    with ThreadPoolExecutor() as pool:
        client = pool.submit(command, "client", "add", "ann", *data)
        manga = pool.submit(command, "manga", "add", "A Manga", *data)
        group = pool.submit(command, "group", "add", "A Group", "--locked", *data)
    quick("group", "add-member", group.result().stdout.strip(), "ann", *data)
    known = re.fullmatch(r"client id: (\S+)\nclient secret: (\S+)\n", client.result().stdout)
    assert known is not None
    assert are_big() or (tmp_path / "data" / "signing.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0

    real = {"MANGADEX_SERVER_APPROVAL": "first", "MANGADEX_SERVER_RATE_LIMITS": "false"}
    running = start("--port", "0", "--data-dir", str(tmp_path / "data"), **real)
    try:
        ann = person(running.url, "ann", PASSWORD, known[1], known[2], manga.result().stdout.strip())
        token = command("token", "ann", *data).stdout.strip()
        answer = ann.http.get("/user/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.json()["data"]["attributes"]["username"] == "ann"

        first = ann.chapter(page(1), page(2))
        listed = until(lambda: quick("review", "list", *data)[0])
        assert listed == f"{first}  A Manga  volume - chapter 1 (en)  2 pages  by ann\n"
        digests = [file.rpartition("/")[2] for file in command("review", "show", first, *data).stdout.split()]
        assert [stored(tmp_path / "data")[digest] for digest in digests] == [page(1), page(2)]
        assert ann.pages(first) is None

        command("review", "reject", first, "--reason", "upside down", *data)
        why = "not published: rejected by a moderator: upside down"
        assert quick("review", "list", *data)[0] == f"{listed.rstrip()}  {why}\n"
        refused = quick("review", "reject", first, *data, status=2)[1]
        assert "does not wait any more: rejected by a moderator: upside down" in refused
        assert ann.pages(first) is None
        assert ann.http.get(f"/chapter/{first}").status_code == 200, "the uploader still has it"

        session = ann.http.post(f"/upload/begin/{first}", json={"version": 1}).json()["data"]["id"]
        assert ann.commit(session, [ann.put(session, page(2)), ann.put(session, page(1))]) == first
        assert until(lambda: quick("review", "list", *data)[0]) == listed, "the edited chapter waits again"
        command("review", "approve", first, *data)
        assert ann.pages(first) == [page(2), page(1)]
        assert "is approved already" in quick("review", "approve", first, *data, status=2)[1]
        second = ann.chapter(page(3), number="2")
        assert until(lambda: ann.pages(second)) == [page(3)], "only the first one waits"
    finally:
        assert running.stop() == 0


# settings


def test_settings_and_where_they_came_from(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('port = 9000\nhost = "127.0.0.2"\nsession_idle_days = 3\nformats = ["jpeg"]\n')
    url = "postgresql+psycopg://service:very-secret@127.0.0.1/archive?password=also-secret"
    flags = "--config", file, "--data-dir", tmp_path, "--host", "127.0.0.3"
    shown = command("settings", *flags, MANGADEX_SERVER_DATABASE_URL=url, MANGADEX_SERVER_PORT="9001").stdout
    assert "secret" not in shown
    rows = dict(line.split(" = ", 1) for line in shown.splitlines())
    assert set(rows) == set(Settings.model_fields)
    assert rows["data_dir"] == f"{json.dumps(str(tmp_path))}  (flag --data-dir)"
    assert rows["host"] == '"127.0.0.3"  (flag --host)'
    assert rows["port"] == "9001  (environment MANGADEX_SERVER_PORT)"
    assert rows["session_idle_days"] == f"3.0  (file {file})"
    assert rows["formats"] == f'["jpeg"]  (file {file})'
    assert rows["approval"] == '"none"  (default)'
    assert rows["database_url"].startswith('"postgresql+psycopg://service:***@127.0.0.1/archive')


def test_the_file_holds_for_other_commands(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(f'data_dir = "{tmp_path / "elsewhere"}"\n')
    command("manga", "add", "A Manga", MANGADEX_SERVER_CONFIG=str(file))
    assert (tmp_path / "elsewhere" / "database.sqlite3").exists()


# what is wrong is said in one sentence


def say(*cases: tuple[str, str, tuple[str | Path, ...]]) -> None:
    """The sentence, what is entered, and the command that says it."""
    for sentence, entered, arguments in cases:
        out, error = quick(*arguments, entered=entered, status=2)
        assert out == ""
        assert sentence in error


def test_one_sentence_for_what_is_wrong(tmp_path: Path) -> None:
    data, plain = tmp_path / "data", tmp_path / "file"
    quick("user", "add", "ann", "--data-dir", data, entered=PASSWORD)
    plain.write_text("")
    files = {"unknown": 'colour = "red"', "torn": "port = ", "wrong": "port = 70000", "tls": f'tls_key = "{plain}"'}
    for name, content in files.items():
        (tmp_path / f"{name}.toml").write_text(content)
    say(
        ("There is a user ann already.", PASSWORD, ("user", "add", "ann", "--data-dir", data)),
        ("too short", "short", ("user", "add", "bob", "--data-dir", data)),
        ("too short", "", ("user", "add", "bob", "--data-dir", data)),
        ("There is no user bob.", "", ("client", "add", "bob", "--data-dir", data)),
        ("There is no user bob.", "", ("token", "bob", "--data-dir", data)),
        ("Not a directory", "", ("manga", "add", "A", "--data-dir", plain / "inside")),
        ("Not a directory", "", ("run", "--port", "0", "--data-dir", plain / "inside")),
        ("there is no setting colour.", "", ("sweep", "--config", tmp_path / "unknown.toml")),
        ("is no TOML", "", ("run", "--config", tmp_path / "torn.toml")),
        ("Input should be less than", "", ("run", "--config", tmp_path / "wrong.toml")),
        ("tls_certificate and tls_key belong together", "", ("run", "--config", tmp_path / "tls.toml")),
        ("Cannot read the settings file", "", ("run", "--config", tmp_path / "nowhere.toml")),
        ("listens on this machine only", "", ("run", "--sandbox", "--host", "192.0.2.1")),
        ("Cannot listen on port 8080 of 192.0.2.1", "", ("run", "--host", "192.0.2.1", "--data-dir", data)),
        ("There is no chapter x.", "", ("review", "approve", "x", "--data-dir", data)),
    )


@pytest.mark.embedded(reason="it is about the files of a data folder")
def test_one_sentence_for_what_is_wrong_with_a_data_folder(tmp_path: Path) -> None:
    data, damaged, strange, newer = (tmp_path / name for name in ("data", "damaged", "strange", "newer"))
    quick("user", "add", "ann", "--data-dir", data, entered=PASSWORD)
    for folder in (damaged, strange, newer):
        folder.mkdir()
    (damaged / "signing.key").write_bytes(b"short")
    (damaged / "signing.key").chmod(0o600)
    (strange / "database.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with peek(newer) as database:
        database.execute(text("CREATE TABLE alembic_version (version_num TEXT)"))
        database.execute(text("INSERT INTO alembic_version VALUES (9999)"))
    say(
        ("signing.key is damaged.", "", ("token", "ann", "--data-dir", damaged)),
        ("signing.key is damaged.", "", ("run", "--port", "0", "--data-dir", damaged)),
        ("The database cannot be used: file is not a database.", "", ("token", "ann", "--data-dir", strange)),
        ("The database is not of this version of the program", "", ("token", "ann", "--data-dir", newer)),
        ("The database is not of this version of the program", "", ("run", "--port", "0", "--data-dir", newer)),
        ("There is no database at", "", ("backup", tmp_path / "b", "--data-dir", tmp_path / "nothing")),
        ("is not empty.", "", ("backup", tmp_path, "--data-dir", data)),
        ("is no complete backup", "", ("restore", data, "--data-dir", tmp_path / "nothing")),
    )


def test_passwords_that_are_guessed_first() -> None:
    assert weakness("ann", PASSWORD) is None
    assert weakness("sandbox", "sandbox-password") is None
    for weak in ("Password1", "aaaaaaaaaaaa", "abababababab", "jo-anne1", "1234567", "qwertyuiop"):
        assert weakness("jo-anne", weak), weak


def test_a_port_in_use(box: Running, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = taken.getsockname()[1], int(box.url.rpartition(":")[2])
        folders = tmp_path / "a", tmp_path / "b"
        first, second = [("run", "--port", str(p), "--data-dir", f) for p, f in zip(ports, folders, strict=True)]
        said = command(*first, status=2).stderr, quick(*second, status=2)[1]
    for port, sentence in zip(ports, said, strict=True):
        assert sentence == f"Another program listens on port {port} of 127.0.0.1. Choose another --port.\n"


def test_a_folder_in_use(tmp_path: Path) -> None:
    with sandbox(tmp_path / "data"):
        said = command("run", "--port", "0", "--data-dir", tmp_path / "data", status=2).stderr
        assert said.startswith("Another mangadex-server is running on")
        quick("manga", "add", "Beside it", "--data-dir", tmp_path / "data")


# backup and restore


@pytest.mark.embedded(reason="a backup is of a data folder")
def test_backup_under_load_and_restore(tmp_path: Path) -> None:
    data, copy, back = tmp_path / "data", tmp_path / "copy", tmp_path / "back"
    ended = threading.Event()
    with sandbox(data) as running:
        somebody = sandboxed(running)
        kept = somebody.chapter(page(1), page(2))
        until(lambda: somebody.pages(kept))

        def upload() -> int:
            session = somebody.begin()
            count = 0
            while not ended.is_set():
                count += 1
                somebody.put(session, page(count + 10))
            return count

        with ThreadPoolExecutor() as pool:
            uploaded = pool.submit(upload)
            said = command("backup", copy, "--data-dir", data).stdout
            ended.set()
        assert uploaded.result() > 3
    named = stored(copy)
    assert said == f"Copied to {copy}: the database and {len(named)} blobs, each with its right hash.\n"
    assert all(hashlib.sha256(blob).hexdigest() == name for name, blob in named.items())
    assert (copy / "signing.key").read_bytes() == (data / "signing.key").read_bytes()

    assert "is not empty" in quick("restore", copy, "--data-dir", data, status=2)[1]
    command("restore", copy, "--data-dir", back)
    assert stored(back) == named
    with sandbox(back) as running:
        again = Person(connect(running.url, headers=somebody.http.headers), "")
        assert again.pages(kept) == [page(1), page(2)]
        session = again.http.get("/upload", params={"includes[]": "upload_session_file"}).json()["data"]
        hashes = [item["attributes"]["fileHash"] for item in session["relationships"] if item["type"].endswith("file")]
        assert set(hashes) <= set(named), "the token is good, and the open session goes on"


@pytest.mark.embedded(reason="a backup is of a data folder")
def test_damaged_blobs_are_named(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", sandbox=True)
    with sandbox(settings.data_dir) as running:
        somebody = sandboxed(running)
        chapter = somebody.chapter(page(1))
        until(lambda: somebody.pages(chapter))
    digest = hashlib.sha256(page(1)).hexdigest()
    LocalBlobs(settings.data_dir / "blobs").path(digest).write_bytes(b"rotten")
    copied = backup(settings, tmp_path / "copy")
    assert copied.lost == [digest]
    assert copied.blobs == 1, "the data-saver variant"
    LocalBlobs(tmp_path / "copy" / "blobs").path(next(iter(stored(tmp_path / "copy")))).unlink()
    restored = restore(Settings(data_dir=tmp_path / "back"), tmp_path / "copy")
    assert (restored.blobs, len(restored.lost)) == (0, 2)


@pytest.mark.embedded(reason="a backup is of a data folder")
def test_no_sweep_during_a_backup(tmp_path: Path) -> None:
    blobs = LocalBlobs(tmp_path / "blobs")
    quick("manga", "add", "A", "--data-dir", tmp_path)
    blobs.make_folders()
    orphan = blobs.path(blobs.store(b"nobody's"))
    os.utime(orphan, (0, 0))

    async def sweep() -> int:
        database = Database(Settings(data_dir=tmp_path).database)
        try:
            return await Sweep(database, blobs, tmp_path).run()
        finally:
            await database.close()

    with no_sweep(tmp_path):
        assert asyncio.run(sweep()) == 0
        said = quick("sweep", "--data-dir", tmp_path, status=2)[1]
        assert said == "A backup is running, and needs all blobs. Sweep when it has ended.\n"
        assert orphan.exists()
    assert command("sweep", "--data-dir", tmp_path).stdout == "1\n"
    assert not orphan.exists()


# a worker of its own


def test_a_worker_beside_and_after_a_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start("--sandbox", "--port", "0", "--data-dir", str(data), MANGADEX_SERVER_JOB_LEASE_S="0.5")
    worker = subprocess.Popen(
        [PROGRAM, "worker", "--data-dir", data],
        stdout=subprocess.PIPE,
        text=True,
        env=clean(("--data-dir", data), {"MANGADEX_SERVER_JOB_LEASE_S": "0.5"}),
    )
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "mangadex-server worker is ready\n"
        somebody = sandboxed(running)
        chapters = [somebody.chapter(page(1), page(2), number=str(number)) for number in range(3)]
        for chapter in chapters:
            assert until(lambda chapter=chapter: somebody.pages(chapter)) == [page(1), page(2)]  # type: ignore[misc]
        somebody.chapter(*(page(number) for number in range(5)))
        running.kill()
        unreadable = text("SELECT count(*) FROM chapters WHERE readable_at IS NULL")
        with peek(data) as database:
            until(lambda: database.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 0)
            assert database.execute(unreadable).scalar_one() == 0
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        running.process.kill()
        running.process.wait()
        worker.kill()
        worker.communicate()


# stopping


def test_sigterm_with_an_upload_in_flight(tmp_path: Path) -> None:
    data = tmp_path / "data"
    arrived, go_on = threading.Event(), threading.Event()
    running = start("--sandbox", "--port", "0", "--data-dir", str(data))
    somebody = sandboxed(running)
    session = somebody.begin()
    somebody.put(session, page(1))
    request = somebody.http.build_request("POST", f"/upload/{session}", files={"file": ("2.png", page(2))})
    body = request.read()

    def slowly() -> Iterator[bytes]:
        yield body[: len(body) // 2]
        arrived.set()
        assert go_on.wait(30)
        yield body[len(body) // 2 :]

    def send() -> int:
        headers = {"Content-Type": request.headers["Content-Type"], "Content-Length": str(len(body))}
        try:
            return somebody.http.post(f"/upload/{session}", content=slowly(), headers=headers).status_code
        except httpx2.TransportError:
            return 0

    with ThreadPoolExecutor() as pool:
        sent = pool.submit(send)
        assert arrived.wait(30)
        running.process.send_signal(signal.SIGTERM)
        until(lambda: _refuses_connections(running))
        go_on.set()
        assert running.process.wait(30) == 0
    running.stop()
    assert not list((data / "blobs" / "incoming").iterdir())
    with sandbox(data) as again:
        answer = sandboxed(again).http.get("/upload", params={"includes[]": "upload_session_file"}).json()["data"]
        files = [item["attributes"] for item in answer["relationships"] if item["type"] == "upload_session_file"]
    names = [file["originalFileName"] for file in files]
    assert names == (["1.png", "2.png"] if sent.result() == 200 else ["1.png"])
    assert {file["fileHash"] for file in files} <= set(stored(data))


def _refuses_connections(running: Running) -> bool:
    host, _, port = running.url.removeprefix("http://").partition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError:
        return True
    return False


# the sandbox's switches


def test_sandbox_switches(tmp_path: Path) -> None:
    includes = {"includes[]": "upload_session_file"}

    def files(session: Any) -> list[tuple[str, str]]:
        listed = [item["attributes"] for item in session["relationships"] if item["type"] == "upload_session_file"]
        return [(file["originalFileName"], file["fileHash"]) for file in listed]

    with sandbox(tmp_path / "names", MANGADEX_SERVER_SANDBOX_REMOTE_NAMES="false") as running:
        somebody = sandboxed(running)
        chapter = somebody.chapter(page(1))
        until(lambda: somebody.pages(chapter))
        edit = somebody.http.post(f"/upload/begin/{chapter}", json={"version": 1}, params=includes).json()["data"]
        somebody.put(edit["id"], page(2))
        assert files(edit) == [("", "")]
        session = somebody.http.get("/upload", params=includes).json()["data"]
        assert files(session) == [("", ""), ("1.png", hashlib.sha256(page(2)).hexdigest())]
    with sandbox(tmp_path / "list", MANGADEX_SERVER_SANDBOX_FILE_LIST="none") as running:
        somebody = sandboxed(running)
        somebody.put(somebody.begin(), page(1))
        assert files(somebody.http.get("/upload", params=includes).json()["data"]) == []


# TLS


def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    certificate, key, other = tmp_path / "certificate.pem", tmp_path / "key.pem", tmp_path / "other.pem"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(key))
    authority.issue_cert("127.0.0.1").private_key_pem.write_to_path(str(other))
    given = {"MANGADEX_SERVER_TLS_CERTIFICATE": str(certificate), "MANGADEX_SERVER_TLS_KEY": str(key)}
    with sandbox(tmp_path / "data", **given) as running:
        assert running.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context()
        authority.configure_trust(trust)
        assert connect(running.url, verify=trust).get("/healthz").status_code == 200
    given["MANGADEX_SERVER_TLS_KEY"] = str(other)
    said = command("run", "--port", "0", "--data-dir", tmp_path / "data", status=2, **given).stderr
    assert "Cannot use the certificate" in said


# the page for people who run it


def test_every_setting_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", DOCS.read_text(), re.MULTILINE)
    assert [name for name, _ in rows] == list(Settings.model_fields)
    for name, default in rows:
        field = Settings.model_fields[name]
        expected = json.dumps(field.get_default(), default=str)
        assert default in (f"`{expected}`", "none" if field.default is None else ""), name


def test_every_command_is_documented() -> None:
    text = DOCS.read_text()
    for name in ("run", "user add", "client add", "manga add", "group add", "group add-member", "token", "review list"):
        assert f"mangadex-server {name}" in text
    for name in ("user list", "user password", "user roles", "user sign-out", "rotate-key", "jobs list", "jobs retry"):
        assert f"mangadex-server {name}" in text
    for name in ("review show", "review approve", "review reject", "sweep", "worker", "settings", "backup", "restore"):
        assert f"mangadex-server {name}" in text
