"""What this program began, sent and finished, kept over its death: an SQLite file that several processes may share.

Written before the service is asked to act, so that no open session and no committed chapter is unknown to us.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any

from mangadex_uploader.chapter import Plan, PlannedPage
from mangadex_uploader.errors import UsageError

VERSION = 1
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


class State(StrEnum):
    """How far an upload is. What is written in it is true of the service, or was about to be."""

    INTENDED = "intended"  # a session may have been begun
    OPEN = "open"  # its session is known
    COMMITTING = "committing"  # the chapter may be there
    UNCONFIRMED = "unconfirmed"  # its session is gone as after a commit; the chapter was not seen yet
    DONE = "done"
    CLOSED = "closed"  # its session ended without a chapter


@dataclass(frozen=True, slots=True)
class Upload:
    """One chapter on its way. `session_id` and what follows is None until it is known.

    Times are unix seconds; `begun_at`, the session's, is by the service's clock.
    """

    id: int
    host: str
    account: str
    identity: str
    pages_digest: str
    path: str
    manga: str
    language: str
    chapter: str | None
    volume: str | None
    page_names: tuple[tuple[str, str], ...]
    state: State
    session_id: str | None
    user_id: str | None
    chapter_id: str | None
    problem: str | None
    intended_at: float
    begun_at: float | None
    updated_at: float


class Journal:
    """The uploads of this machine's user.

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
            self._database.row_factory = sqlite3.Row
            self._prepare(path)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"The journal {path} cannot be used: {error}. Mend or move it, then try again.") from error

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def intend(self, host: str, account: str, plan: Plan) -> Upload:
        """Note that a session is about to be begun for this chapter."""
        now = self._clock()
        values = {
            "host": host,
            "account": account,
            "identity": plan.identity,
            "pages_digest": plan.pages_digest,
            "path": str(plan.chapter.path.absolute()),
            "manga": plan.chapter.manga,
            "language": plan.chapter.language,
            "chapter": plan.chapter.chapter,
            "volume": plan.chapter.volume,
            "page_names": _page_names(plan),
            "state": State.INTENDED,
            "intended_at": now,
            "updated_at": now,
        }
        names = ", ".join(values)
        marks = ", ".join(f":{name}" for name in values)
        cursor = self._database.execute(f"INSERT INTO uploads ({names}) VALUES ({marks})", values)  # noqa: S608 - our names
        return self._one("id = ?", cursor.lastrowid)

    def replan(self, upload: Upload, plan: Plan) -> Upload:
        """Note that it goes on with these pages."""
        names = {
            "pages_digest": plan.pages_digest,
            "path": str(plan.chapter.path.absolute()),
            "page_names": _page_names(plan),
        }
        return self._set(upload, names)

    def move_to(self, upload: Upload, state: State, **values: str | float | None) -> Upload:
        """Note a step; `values` are `session_id`, `user_id`, `begun_at`, `chapter_id` or `problem`."""
        return self._set(upload, {"state": state, "problem": None, **values})

    def fail(self, upload: Upload, problem: str) -> Upload:
        """Note why it stopped."""
        return self._set(upload, {"problem": problem})

    def latest(self, host: str, account: str, identity: str) -> Upload | None:
        """The last upload of this chapter; one whose session ended without it only where there is no other."""
        found = self._all("host = ? AND account = ? AND identity = ?", host, account, identity)
        return min(found, key=lambda upload: upload.state is State.CLOSED, default=None)

    def published(self, host: str, account: str, identity: str) -> list[Upload]:
        """All uploads of this chapter that ended well, newest first."""
        where = "host = ? AND account = ? AND identity = ? AND state = ?"
        return self._all(where, host, account, identity, State.DONE)

    def of_session(self, host: str, account: str, session_id: str) -> Upload | None:
        """The upload that began this session."""
        return self._find("host = ? AND account = ? AND session_id = ?", host, account, session_id)

    def uploads(self) -> list[Upload]:
        """All uploads, newest first."""
        return self._all("TRUE")

    def add_files(self, session_id: str, stored: Iterable[tuple[str, PlannedPage]]) -> None:
        """Note pages that the service acknowledged, by their ids."""
        rows = [(session_id, file_id, page.digest) for file_id, page in stored]
        with self._writing, self._database:
            self._database.execute("BEGIN")
            self._database.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", rows)

    def forget_files(self, session_id: str, file_ids: Iterable[str]) -> None:
        """Note that the session has these no more."""
        rows = [(session_id, file_id) for file_id in file_ids]
        with self._writing, self._database:
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM files WHERE session_id = ? AND file_id = ?", rows)

    def files(self, session_id: str) -> dict[str, str]:
        """Digest by id of the pages that the session was heard to have."""
        rows = self._database.execute("SELECT file_id, digest FROM files WHERE session_id = ?", (session_id,))
        return {row["file_id"]: row["digest"] for row in rows}

    def learn(self, host: str, fact: str) -> None:
        """Note what the service was seen to do: `hashes_are_sha256` or `lists_files`."""
        column = {"hashes_are_sha256": "hashes_are_sha256", "lists_files": "lists_files"}[fact]
        with self._writing:
            self._database.execute("INSERT OR IGNORE INTO hosts (host) VALUES (?)", (host,))
            self._database.execute(f"UPDATE hosts SET {column} = 1 WHERE host = ?", (host,))  # noqa: S608 - one of two

    def knows(self, host: str, fact: str) -> bool:
        """Whether the service was seen to do so."""
        row = self._database.execute("SELECT * FROM hosts WHERE host = ?", (host,)).fetchone()
        return row is not None and bool(row[fact])

    def now(self) -> float:
        """The time by its clock, in unix seconds."""
        return self._clock()

    def execute(self, statement: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[sqlite3.Row]:
        """Do one statement, of what is kept beside the uploads; it is on disk when this returns."""
        with self._writing:
            return self._database.execute(statement, values).fetchall()

    def _prepare(self, path: Path) -> None:
        for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL"):
            self._database.execute(f"PRAGMA {pragma}")
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"PRAGMA user_version = {VERSION}")
        if version > VERSION:
            raise UsageError(f"The journal {path} is of a newer version of this program. Use that one.")

    def _set(self, upload: Upload, values: Mapping[str, Any]) -> Upload:
        given = {**values, "updated_at": self._clock(), "id": upload.id}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        with self._writing:
            self._database.execute(f"UPDATE uploads SET {assignments} WHERE id = :id", given)  # noqa: S608 - our names
        return self._one("id = ?", upload.id)

    def _one(self, where: str, *values: Any) -> Upload:
        return self._all(where, *values)[0]

    def _find(self, where: str, *values: Any) -> Upload | None:
        found = self._all(where, *values)
        return found[0] if found else None

    def _all(self, where: str, *values: Any) -> list[Upload]:
        rows = self._database.execute(f"SELECT * FROM uploads WHERE {where} ORDER BY id DESC", values)  # noqa: S608 - our text
        return [_upload(row) for row in rows]


def _page_names(plan: Plan) -> str:
    return json.dumps([[page.wire_name, page.name] for page in plan.pages])


def _upload(row: sqlite3.Row) -> Upload:
    values = dict(row)
    values["state"] = State(values["state"])
    values["page_names"] = tuple((wire_name, name) for wire_name, name in json.loads(values["page_names"]))
    return Upload(**values)
