"""The data folder when something happens to it half-way: a migration, a restore; and who can read it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic.command import upgrade
from alembic.config import Config
from program import sandbox
from test_program import quick

from mangadex_server.backup import DATABASE, backup, restore
from mangadex_server.blobs import LocalBlobs
from mangadex_server.data_folder import locked
from mangadex_server.migrate import MIGRATIONS, is_current, migrate
from mangadex_server.settings import Settings

pytestmark = pytest.mark.embedded(reason="it is about the files of a data folder")

MIGRATING = """
import os, signal, sys
from sqlalchemy import Engine, event
from mangadex_server.migrate import migrate

url, statement, does = sys.argv[1:]

def at(sql):
    if statement in sql:
        print("here", flush=True)
        os.kill(os.getpid(), signal.SIGKILL) if does == "die" else sys.stdin.readline()

event.listen(Engine, "connect", lambda connection, _: connection.set_trace_callback(at))
migrate(url)
"""
RESTORING = """
import os, signal, sys
from pathlib import Path
from mangadex_server.backup import restore
from mangadex_server.settings import Settings

def at(event, arguments):
    if event in ("os.rename", "os.link") and sys.argv[3] in str(arguments[1]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(at)
restore(Settings(data_dir=sys.argv[1]), Path(sys.argv[2]))
"""


def url_of(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / DATABASE}"


def older(folder: Path) -> None:
    """A database as the first version of the program made it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{folder / DATABASE}")
    upgrade(config, "0001")


def version(folder: Path) -> str:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        [(found,)] = connection.execute("SELECT version_num FROM alembic_version")
    return str(found)


def migrating(folder: Path, statement: str, does: str) -> subprocess.Popen[str]:
    """A program that does this when its migration comes to the statement."""
    return subprocess.Popen(
        [sys.executable, "-c", MIGRATING, url_of(folder), statement, does],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("statement", ["UPDATE upload_sessions", "CREATE INDEX ix_chapters_latest", "UPDATE alembic"])
def test_a_migration_that_is_killed_has_not_been(tmp_path: Path, statement: str) -> None:
    older(tmp_path)
    said, _ = migrating(tmp_path, statement, "die").communicate(timeout=30)
    assert said == "here\n"
    assert version(tmp_path) == "0001"
    migrate(url_of(tmp_path))
    assert is_current(url_of(tmp_path))


def test_the_first_migration_that_is_killed_has_not_been(tmp_path: Path) -> None:
    said, _ = migrating(tmp_path, "INSERT INTO alembic_version", "die").communicate(timeout=30)
    assert said == "here\n"
    migrate(url_of(tmp_path))
    assert is_current(url_of(tmp_path))


def test_of_two_that_migrate_at_once_one_finds_it_done(tmp_path: Path) -> None:
    older(tmp_path)
    with (
        migrating(tmp_path, "UPDATE upload_sessions", "wait") as first,
        migrating(tmp_path, "BEGIN", "go on") as second,
    ):
        assert first.stdout is not None
        assert second.stdout is not None
        assert first.stdin is not None
        assert first.stdout.readline() == "here\n"
        assert second.stdin is not None
        second.stdin.write("\n\n\n\n\n")
        second.stdin.close()
        assert second.stdout.readline() == "here\n"
        first.stdin.close()
        assert (first.wait(30), second.wait(30)) == (0, 0)
    assert is_current(url_of(tmp_path))


def test_a_command_leaves_alone_what_a_server_of_another_version_uses(tmp_path: Path) -> None:
    older(tmp_path)
    with locked(tmp_path):
        said = quick("user", "list", "--data-dir", tmp_path, status=2)[1]
    assert said == (
        "The database is not of this version of the program, and a mangadex-server is running on"
        f" {tmp_path}. Use that one's version, or stop it first.\n"
    )
    assert version(tmp_path) == "0001"
    quick("user", "list", "--data-dir", tmp_path)
    assert is_current(url_of(tmp_path))


def test_nobody_else_can_read_what_is_in_an_open_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    before = os.umask(0o022)
    try:
        with sandbox(data):
            modes = {path.name: path.stat().st_mode & 0o077 for path in data.iterdir()}
    finally:
        os.umask(before)
    assert {"database.sqlite3", "database.sqlite3-wal", "database.sqlite3-shm", "lock", "signing.key"} <= set(modes)
    assert set(modes.values()) == {0}, modes


@pytest.mark.parametrize("at", ["blobs", DATABASE])
def test_no_service_begins_on_half_a_restore(tmp_path: Path, at: str) -> None:
    source, copy, back = tmp_path / "source", tmp_path / "copy", tmp_path / "back"
    settings = Settings(data_dir=source)
    source.mkdir()
    migrate(settings.database)
    blobs = LocalBlobs(source / "blobs")
    blobs.prepare()
    digests = [blobs.store(page) for page in (b"a page", b"another")]
    with closing(sqlite3.connect(source / DATABASE)) as connection, connection:
        for table, digest in zip(("pages", "new_pages"), digests, strict=True):
            connection.execute(
                f"INSERT INTO {table} (chapter_id, position, original_file_name, blob, size_bytes, mime_type, width,"
                " height) VALUES ('c', 0, 'a', ?, 6, 'image/png', 1, 1)",
                (digest,),
            )
    assert backup(settings, copy).blobs == 2
    killed = subprocess.run([sys.executable, "-c", RESTORING, str(back), str(copy), at], check=False, timeout=30)
    assert killed.returncode == -9
    for arguments in (("run", "--port", "0"), ("user", "list"), ("restore", str(copy))):
        said = quick(*arguments, "--data-dir", back, status=2)
        assert said == ("", f"A restore to {back} did not come to its end. Delete the folder, and restore again.\n")
    assert restore(Settings(data_dir=tmp_path / "again"), copy).blobs == 2
    quick("user", "list", "--data-dir", tmp_path / "again")


def test_a_backup_of_an_older_version_is_restored_and_goes_on(tmp_path: Path) -> None:
    source, copy, back = tmp_path / "source", tmp_path / "copy", tmp_path / "back"
    source.mkdir()
    older(source)
    backup(Settings(data_dir=source), copy)
    restore(Settings(data_dir=back), copy)
    quick("user", "list", "--data-dir", back)
    assert is_current(url_of(back))
