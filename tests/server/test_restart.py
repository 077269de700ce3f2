"""A server that is killed while people upload, and started again at once on the same port and folder."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
from alembic.config import Config
from alembic.script import ScriptDirectory
from installations import are_big, blobs_of, database_url, settings_of
from program import Running, start
from test_program import until
from uploading import PASSWORD, Caller, png

from mangadex_server.database import Database
from mangadex_server.listening import free_port
from mangadex_server.migrate import MIGRATIONS, is_current, migrate, newest
from mangadex_server.parts import Parts
from mangadex_server.settings import Settings
from mangadex_server.sweep import Sweep

ROUNDS = 3
UPLOADERS = 3
PAGE_BYTES = 200_000
PAGES_OF_A_CHAPTER = 3
LANES = 4
CYCLES = 3 if are_big() else 12
OLD_S = 3.0 if are_big() else 86_400.0


def tokens_of(settings: Settings, *names: str) -> list[str]:
    """Users of these names and a token of each, which outlives the server."""

    async def add() -> list[str]:
        parts = Parts(settings)
        try:
            for name in names:
                await parts.accounts.add_user(name, PASSWORD)
            return [await parts.accounts.access_token_for(name) for name in names]
        finally:
            await parts.database.close()

    settings.data_dir.mkdir()
    migrate(settings.database)
    return asyncio.run(add())


def begin(settings: Settings) -> Running:
    given = {"MANGADEX_SERVER_JOB_LEASE_S": "0.5"}
    return start("--sandbox", "--port", str(settings.port), "--data-dir", str(settings.data_dir), **given)


class Uploads:
    """What two people upload, as far as it was acknowledged."""

    def __init__(self, url: str, tokens: list[str]) -> None:
        self.alice, self.mallory = (Caller(url, token) for token in tokens)
        self.session = self.alice.session()
        self.files: dict[str, str] = {}
        self.chapters: dict[str, list[bytes]] = {}
        self._numbers = itertools.count()

    def next_page(self) -> bytes:
        return png(next(self._numbers), PAGE_BYTES)

    def upload(self) -> None:
        """Page after page, until the server is gone."""
        while True:
            page = self.next_page()
            try:
                answer = self.alice.put(self.session, ("page", page))
            except httpx2.TransportError:
                return
            self.files[answer.json()["data"][0]["id"]] = hashlib.sha256(page).hexdigest()

    def publish(self) -> None:
        """Chapter after chapter, until the server is gone."""
        while True:
            pages = [self.next_page() for _ in range(PAGES_OF_A_CHAPTER)]
            try:
                chapter = self.mallory.chapter(*pages)
            except httpx2.TransportError:
                return
            self.chapters[chapter["id"]] = pages

    @contextmanager
    def going_on(self) -> Iterator[None]:
        with ThreadPoolExecutor() as pool:
            busy: list[Future[None]] = [pool.submit(self.upload) for _ in range(UPLOADERS)]
            busy.append(pool.submit(self.publish))
            yield
        for done in busy:
            done.result()

    def close(self) -> None:
        self.alice.http.close()
        self.mallory.http.close()


def test_killed_during_uploads_and_restarted_at_once(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data", port=free_port("127.0.0.1"), sandbox=True)
    tokens = tokens_of(settings, "alice", "mallory")
    running = begin(settings)
    uploads = Uploads(settings.own_url, tokens)
    moments = random.Random(4)
    try:
        for _ in range(ROUNDS):
            enough = len(uploads.files) + moments.randrange(3, 12)
            chapters = len(uploads.chapters) + 1
            with uploads.going_on():
                until(lambda: len(uploads.files) >= enough and len(uploads.chapters) >= chapters)  # noqa: B023
                running.kill()
            running = begin(settings)
            assert not list((settings.data_dir / "blobs" / "incoming").iterdir())
            _all_is_there(uploads, settings)
        for chapter, pages in uploads.chapters.items():
            assert until(lambda chapter=chapter: _read(uploads.mallory.http, chapter)) == pages  # type: ignore[misc]
    finally:
        uploads.close()
        running.stop()


def test_a_kill_of_the_program_ends_all_of_its_processes(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data", port=free_port("127.0.0.1"), sandbox=True)
    [token] = tokens_of(settings, "alice")
    running = begin(settings)
    alice = Caller(running.url, token)
    try:
        chapter = alice.chapter(png(1))["id"]
        until(lambda: _read(alice.http, chapter))  # now there is a page process as well
        descendants = _descendants(running.process.pid)
        assert len(descendants) == 2
    finally:
        alice.http.close()
        running.kill()
    until(lambda: not any(map(_lives, descendants)))


def _descendants(pid: int) -> list[int]:
    children = [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return children + [below for child in children for below in _descendants(child)]


def _lives(pid: int) -> bool:
    """Dead ones that nobody has waited for do not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _all_is_there(uploads: Uploads, settings: Settings) -> None:
    listed = {file["id"]: file["attributes"]["fileHash"] for file in uploads.alice.files()}
    assert uploads.files.items() <= listed.items(), "each acknowledged page"
    are_whole(settings, *listed.values())  # and no torn one of those whose answer was lost
    for chapter in uploads.chapters:
        uploads.mallory.http.get(f"/chapter/{chapter}").raise_for_status()
    found = uploads.mallory.http.get("/chapter", params={"limit": 100}).json()["data"]
    assert {chapter["attributes"]["pages"] for chapter in found} <= {0, PAGES_OF_A_CHAPTER}, "whole, or not processed"


def are_whole(settings: Settings, *digests: str) -> None:
    blobs = blobs_of(settings.data_dir)
    for digest in digests:
        assert hashlib.sha256(asyncio.run(blobs.read(digest))).hexdigest() == digest


def _read(http: httpx2.Client, chapter: str) -> list[bytes] | None:
    answer = http.get(f"/at-home/server/{chapter}")
    if answer.status_code == 404:
        return None
    found = answer.json()["chapter"]
    with httpx2.Client(base_url=http.base_url, trust_env=False) as plain:  # pages are no JSON
        return [plain.get(f"/data/{found['hash']}/{name}").content for name in found["data"]]


# the sweep


class Lane:
    """A page that two people have in their sessions, delete, and upload again, over and over."""

    def __init__(self, number: int, people: list[Caller], sessions: list[str], folder: Path) -> None:
        self.page = png(number, PAGE_BYTES)
        self._people = list(zip(people, sessions, strict=True))
        digest = hashlib.sha256(self.page).hexdigest()
        self._path = folder / "blobs" / digest[:2] / digest

    def run(self) -> None:
        with ThreadPoolExecutor() as pool:
            for _ in range(CYCLES):
                ids = list(pool.map(self._put, self._people))
                self._grow_old()
                for (person, session), file in zip(self._people, ids, strict=True):
                    person.http.delete(f"/upload/{session}/{file}").raise_for_status()
            list(pool.map(self._put, self._people))

    def _put(self, whose: tuple[Caller, str]) -> str:
        person, session = whose
        with httpx2.Client(base_url=person.http.base_url, headers=person.http.headers, trust_env=False) as http:
            while (answer := http.post(f"/upload/{session}", files={"page": ("page", self.page)})).status_code == 503:
                assert are_big(), "in a folder nothing comes between the look at a page and its removal"
        return str(answer.raise_for_status().json()["data"][0]["id"])

    def _grow_old(self) -> None:
        """A folder is told that the page is old, a store says the time itself. The sweep may take it meanwhile."""
        if are_big():
            ends = time.time() + OLD_S + 1  # a store counts whole seconds
            until(lambda: time.time() > ends)
        else:
            until(self._age)  # it may be in the sweep's hands, which has to put it back

    def _age(self) -> bool:
        try:
            os.utime(self._path, (time.time() - 2 * OLD_S,) * 2)
        except FileNotFoundError:
            return False
        return True


def sweep_until(ended: threading.Event, settings: Settings) -> int:
    """Sweeps beside the server, one after another; how many blobs they removed."""

    async def sweep() -> int:
        database = Database(settings.database)
        blobs = blobs_of(settings.data_dir)
        removed = 0
        try:
            while not ended.is_set():
                removed += await Sweep(database, blobs, settings.data_dir).run(older_than_s=OLD_S)
        finally:
            await database.close()
        return removed

    return asyncio.run(sweep())


def test_a_sweep_during_uploads_of_pages_that_were_just_deleted(tmp_path: Path) -> None:
    settings = settings_of(tmp_path / "data", port=free_port("127.0.0.1"), sandbox=True)
    tokens = tokens_of(settings, "alice", "mallory")
    running = begin(settings)
    people = [Caller(running.url, token) for token in tokens]
    ended = threading.Event()
    try:
        sessions = [person.session() for person in people]
        with ThreadPoolExecutor() as pool:
            removed = pool.submit(sweep_until, ended, settings)
            lanes = [pool.submit(Lane(number, people, sessions, settings.data_dir).run) for number in range(LANES)]
            try:
                for lane in lanes:
                    lane.result()
            finally:
                ended.set()
        assert removed.result() > CYCLES, "or nothing was at stake"
        for person in people:
            digests = [file["attributes"]["fileHash"] for file in person.files()]
            assert len(digests) == LANES
            are_whole(settings, *digests)
    finally:
        for person in people:
            person.http.close()
        running.stop()


# the start


def test_the_schema_is_looked_at_without_alembic(tmp_path: Path) -> None:
    url = database_url(tmp_path, empty=True)
    assert not is_current(url)
    migrate(url)
    assert is_current(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()
