"""A copy of an installation that can be restored: the database, then the blobs that its rows name, then the key.

The order makes it consistent: a blob is always there before its row is, and none is removed meanwhile. The manifest
is written last, so a copy without one is not complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from mangadex_server.blobs import LocalBlobs
from mangadex_server.data_folder import locked, make, no_sweep, restoring, sync
from mangadex_server.settings import Settings

DATABASE = "database.sqlite3"
KEY = "signing.key"
MANIFEST = "backup.json"
DIGESTS = """
    SELECT blob FROM upload_session_files UNION SELECT blob FROM pages
    UNION SELECT saver_blob FROM pages WHERE saver_blob IS NOT NULL
"""
NEW_DIGESTS = "UNION SELECT blob FROM new_pages"
"""With those where this table is: a copy may be of an older version of the program."""


class BackupError(Exception):
    """There can be no copy; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Copied:
    """What came over. `lost` are digests of which there are no good bytes."""

    blobs: int
    lost: list[str]


def backup(settings: Settings, target: Path) -> Copied:
    """Copy an installation into an empty folder. A server may be running. Blocks.

    Raises:
        BackupError: there is nothing to copy, or the folder is in use.
    """
    source = _sqlite(settings)
    if not source.exists():
        raise BackupError(f"There is no database at {source}. Name the folder of the service with --data-dir.")
    _refuse_unless_empty(target)
    make(target)
    with no_sweep(settings.data_dir):
        _copy_database(source, target / DATABASE)
        copied = _copy_blobs(_digests(target / DATABASE), settings.data_dir / "blobs", target / "blobs")
        _copy_key(settings.data_dir, target)
    manifest = {"format": 1, "made_at": time.time(), "blobs": copied.blobs, "lost": copied.lost}
    _write(target / MANIFEST, json.dumps(manifest).encode())
    return copied


def restore(settings: Settings, source: Path) -> Copied:
    """Make an installation from a copy, in a data folder that is empty or not there. Blocks.

    Raises:
        BackupError: this is no complete copy, or the data folder is in use.
        HalfRestoredError: an earlier restore to the folder did not end.
    """
    database = _sqlite(settings)
    if not (source / MANIFEST).is_file():
        raise BackupError(f"{source} is no complete backup: it has no {MANIFEST}. Choose another one.")
    make(settings.data_dir)
    _refuse_unless_empty(settings.data_dir)
    if database.exists():
        raise BackupError(f"There is a database at {database}. Move it away first.")
    with locked(settings.data_dir), restoring(settings.data_dir):
        arriving = database.with_name(f".{database.name}.arriving")
        _copy_database(source / DATABASE, arriving)
        copied = _copy_blobs(_digests(arriving), source / "blobs", settings.data_dir / "blobs")
        _copy_key(source, settings.data_dir)
        arriving.rename(database)
        sync(database.parent)
    return copied


def _sqlite(settings: Settings) -> Path:
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise BackupError("Only SQLite is copied. Use the tools of the other database, then copy the folder of blobs.")
    return Path(url.database)


def _refuse_unless_empty(folder: Path) -> None:
    if folder.exists() and next(folder.iterdir(), None) is not None:
        raise BackupError(f"{folder} is not empty. Choose an empty folder, or one that is not there.")


def _copy_database(source: Path, target: Path) -> None:
    """In one step: the source's writers go on meanwhile, and a copy in parts would begin anew at each of theirs."""
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as read,
            closing(sqlite3.connect(target)) as written,
        ):
            target.chmod(0o600)
            read.backup(written, pages=-1)
            written.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
            [found] = written.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise BackupError(f"The database {source} cannot be copied: {error}. Restore an earlier backup.") from error
    if found != "ok":
        raise BackupError(f"The database {source} is damaged: {found}. Restore an earlier backup.")
    sync(target)


def _digests(database: Path) -> list[str]:
    try:
        with closing(sqlite3.connect(database)) as connection:
            has_new = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'new_pages'").fetchone()
            return [digest for (digest,) in connection.execute(DIGESTS + NEW_DIGESTS if has_new else DIGESTS)]
    except sqlite3.Error as error:
        raise BackupError(f"{database} is no database of this service: {error}.") from error


def _copy_blobs(digests: Iterable[str], source: Path, target: Path) -> Copied:
    present, copy = LocalBlobs(source), LocalBlobs(target)
    copy.make_folders()
    blobs, lost = 0, []
    for digest in digests:
        try:
            data = present.path(digest).read_bytes()
        except FileNotFoundError:
            data = b""
        if hashlib.sha256(data).hexdigest() == digest:
            copy.store(data)
            blobs += 1
        else:
            lost.append(digest)
    sync(target)
    return Copied(blobs, lost)


def _copy_key(source: Path, target: Path) -> None:
    if (source / KEY).exists():
        descriptor = os.open(target / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write((source / KEY).read_bytes())
        sync(target / KEY)


def _write(path: Path, data: bytes) -> None:
    arriving = path.with_name(f".{path.name}.arriving")
    arriving.write_bytes(data)
    sync(arriving)
    arriving.rename(path)
    sync(path.parent)
