"""The SQLite file that the journal is in: several processes may share it, and any file name may stand in it."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypeAlias

from mangadex_uploader.errors import UsageError

Row: TypeAlias = dict[str, Any]
Values: TypeAlias = Sequence[Any] | Mapping[str, Any]

VERSION = 2
_SCHEMA = """
CREATE TABLE uploads (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    identity TEXT NOT NULL,
    pages_digest TEXT NOT NULL,
    path TEXT NOT NULL,
    manga TEXT NOT NULL,
    language TEXT NOT NULL,
    chapter TEXT,
    volume TEXT,
    page_names TEXT NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT,
    user_id TEXT,
    chapter_id TEXT,
    problem TEXT,
    intended_at REAL NOT NULL,
    begun_at REAL,
    updated_at REAL NOT NULL
);
CREATE INDEX uploads_by_identity ON uploads (host, account, identity);
CREATE INDEX uploads_by_session ON uploads (host, account, session_id);
CREATE TABLE files (
    session_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (session_id, file_id)
);
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    hashes_are_sha256 INTEGER NOT NULL DEFAULT 0,
    lists_files INTEGER NOT NULL DEFAULT 0
);
"""
_STEPS = (_SCHEMA, "ALTER TABLE uploads ADD COLUMN is_ours INTEGER NOT NULL DEFAULT 0")
"""What leads from each version to the next."""


class JournalFile:
    """The file, of this user alone. What is written is on disk when the call returns.

    Names that are no valid text, as a file system may have them, are kept as their bytes.

    Raises:
        UsageError: the file is of a newer version of this program, or cannot be used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._writing = Lock()  # a thread's transaction is no part of what is written beside it
        self.folder = path.parent
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._database.text_factory = os.fsdecode  # an older version wrote names as they were
            self._database.row_factory = _row
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"The journal {path} cannot be used: {error}. Mend or move it, then try again.") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def now(self) -> float:
        """The time by its clock, in unix seconds."""
        return self._clock()

    def execute(self, statement: str, values: Values = ()) -> list[Row]:
        """Do one statement."""
        with self._writing:
            return self._do(statement, values)

    @contextmanager
    def transaction(self) -> Iterator[Callable[[str, Values], list[Row]]]:
        """Statements that count all or not at all, and that no other process interrupts."""
        with self._writing, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            yield self._do

    def _do(self, statement: str, values: Values) -> list[Row]:
        return self._database.execute(statement, _bound(values)).fetchall()

    def _prepare(self, path: Path) -> None:
        for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL"):
            self._database.execute(f"PRAGMA {pragma}")
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            version: int = self._database.execute("PRAGMA user_version").fetchone()["user_version"]
            if version < VERSION:
                for statement in ";".join(_STEPS[version:]).split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version = {VERSION}")
        if version > VERSION:
            raise UsageError(f"The journal {path} is of a newer version of this program. Use that one.")


def _row(cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> Row:
    names = (column[0] for column in cursor.description)
    return {name: os.fsdecode(it) if isinstance(it, bytes) else it for name, it in zip(names, values, strict=True)}


def _bound(values: Values) -> Values:
    if isinstance(values, Mapping):
        return {name: _storable(value) for name, value in values.items()}
    return [_storable(value) for value in values]


def _storable(value: Any) -> Any:
    if not isinstance(value, str) or value.isascii():
        return value
    try:
        value.encode()
    except UnicodeEncodeError:
        return _as_bytes(value)
    return value


def _as_bytes(text: str) -> bytes:
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # no name from a disk: a text of the service's
        return text.encode(errors="backslashreplace")
