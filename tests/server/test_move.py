"""A data folder is moved to PostgreSQL and an S3 store, and goes on there."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from program import PROGRAM, start
from sqlalchemy import create_engine, text
from test_program import until
from uploading import Caller, png, service

from engines import BUCKET, Engines, running
from mangadex_server.blobs import LocalBlobs

pytestmark = pytest.mark.embedded(reason="it starts from a data folder, and has engines of its own")

PAGES = [png(number, 100_000) for number in range(4)]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with running(tmp_path_factory.mktemp("engines")) as started:
        yield started


class Installation:
    """A data folder with a chapter and an open session, and the settings file of where it shall go."""

    def __init__(self, folder: Path, engines: Engines) -> None:
        self.name = f"moved_{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}"
        self.data = folder / "data"
        self.engines = engines
        engines.create_database(self.name)
        self.target = folder / "new.toml"
        self.new_data = folder / "node"
        lines = {
            "data_dir": str(self.new_data),
            "database_url": engines.database_url(self.name),
            "blobs_url": f"s3://{BUCKET}/{self.name}",
        }
        self.target.write_text("".join(f"{name} = {json.dumps(value)}\n" for name, value in lines.items()))
        with service(self.data) as served:
            self.token = served.alice.token
            self.chapter = served.alice.chapter(*PAGES[:3])["id"]
            until(lambda: served.alice.http.get(f"/at-home/server/{self.chapter}").status_code == 200)
            self.session = served.mallory.session()
            self.mallory = served.mallory.token
            served.mallory.put(self.session, ("waiting.png", PAGES[3])).raise_for_status()

    def move(self) -> subprocess.CompletedProcess[str]:
        command = [PROGRAM, "move", "--data-dir", str(self.data), "--to", str(self.target)]
        return subprocess.run(
            command, env=os.environ | self.engines.store_environment, capture_output=True, text=True, check=False
        )

    def blobs(self) -> int:
        """Of pages and their small variants, all of them named by rows."""
        return len(list(LocalBlobs(self.data / "blobs").all()))

    def rows(self, table: str) -> int:
        engine = create_engine(self.engines.database_url(self.name))
        try:
            with engine.connect() as connection:
                return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
        finally:
            engine.dispose()


@pytest.fixture
def installation(tmp_path: Path, engines: Engines) -> Installation:
    return Installation(tmp_path, engines)


def test_everything_is_there_and_goes_on(installation: Installation) -> None:
    moved = installation.move()
    assert moved.returncode == 0, moved.stderr
    blobs = installation.blobs()
    assert f"{blobs} pages, each compared; {blobs} pages were sent now" in moved.stdout
    node = start(
        "--sandbox", "--port", "0", "--config", str(installation.target), **installation.engines.store_environment
    )
    alice, mallory = Caller(node.url, installation.token), Caller(node.url, installation.mallory)
    try:
        place = alice.http.get(f"/at-home/server/{installation.chapter}").raise_for_status().json()["chapter"]
        with httpx2.Client(base_url=node.url, trust_env=False) as reader:
            read = [reader.get(f"/data/{place['hash']}/{name}").raise_for_status().content for name in place["data"]]
        assert read == PAGES[:3]
        [file] = mallory.files()
        chapter = mallory.commit(installation.session, [file["id"]]).raise_for_status().json()["data"]["id"]
        until(lambda: mallory.http.get(f"/at-home/server/{chapter}").status_code == 200)
    finally:
        alice.http.close()
        mallory.http.close()
        node.stop()


def test_a_move_that_was_cut_off_goes_on(installation: Installation) -> None:
    """The page that is damaged in the old folder stops nothing; the store that is away stops it before any row."""
    installation.engines.store.kill()
    try:
        failed = installation.move()
    finally:
        installation.engines.store.start()
    assert failed.returncode == 2
    assert "Traceback" not in failed.stderr
    assert installation.rows("users") == 0
    first = installation.move()
    assert first.returncode == 0, first.stderr
    engine = create_engine(installation.engines.database_url(installation.name))
    with engine.begin() as connection:  # as if it had been cut off after the pages
        connection.execute(text("TRUNCATE users, manga, scanlation_groups, signing_keys CASCADE"))
    engine.dispose()
    again = installation.move()
    assert again.returncode == 0, again.stderr
    assert f"{installation.blobs()} pages, each compared; 0 pages were sent now" in again.stdout
    assert installation.rows("pages") == 3
    assert installation.rows("upload_session_files") == 1


def test_a_lost_page_is_named_and_the_rest_comes_over(installation: Installation) -> None:
    digest = hashlib.sha256(PAGES[3]).hexdigest()
    LocalBlobs(installation.data / "blobs").path(digest).write_bytes(b"rotten")
    moved = installation.move()
    assert moved.returncode == 2
    assert digest in moved.stderr
    assert f" {installation.blobs() - 1} pages, each compared" in moved.stdout
    assert installation.rows("pages") == 3


def test_a_mistyped_folder_is_not_made(installation: Installation) -> None:
    installation.data = installation.data.with_name("dta")
    moved = installation.move()
    assert moved.returncode == 2
    assert "There is no installation in" in moved.stderr
    assert not installation.data.exists()
    assert installation.rows("signing_keys") == 0


def test_it_takes_no_target_that_has_accounts_and_no_folder_that_is_served(installation: Installation) -> None:
    assert installation.move().returncode == 0
    again = installation.move()
    assert again.returncode == 2
    assert "has accounts already" in again.stderr
    with service(installation.data.parent / "other") as served:
        installation.data = served.data_dir
        held = installation.move()
    assert held.returncode == 2
    assert "Another mangadex-server is running" in held.stderr
