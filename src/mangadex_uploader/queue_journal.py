"""The chapters that were given to the program, beside the uploads in the journal: what waits, and how each ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from mangadex_uploader.chapter import Chapter
from mangadex_uploader.journal import Journal
from mangadex_uploader.journal_file import Row
from mangadex_uploader.locks import is_locked
from mangadex_uploader.whereabouts import placed

_SCHEMA = """
CREATE TABLE IF NOT EXISTS queue (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    path TEXT NOT NULL,
    chapter TEXT NOT NULL,
    signature TEXT NOT NULL,
    state TEXT NOT NULL,
    problem TEXT,
    chapter_id TEXT,
    updated_at REAL NOT NULL,
    UNIQUE (host, account, path)
)
"""
_ADD = """
INSERT INTO queue (host, account, path, chapter, signature, state, problem, updated_at)
VALUES (:host, :account, :path, :chapter, :signature, :state, :problem, :at)
ON CONFLICT (host, account, path) DO UPDATE SET chapter = excluded.chapter, signature = excluded.signature,
state = excluded.state, problem = excluded.problem, chapter_id = NULL, updated_at = excluded.updated_at
"""
_ADD_FAILED = """
INSERT INTO queue (host, account, path, chapter, signature, state, problem, updated_at)
VALUES (:host, :account, :path, :chapter, :signature, :state, :problem, :at)
ON CONFLICT (host, account, path) DO UPDATE SET problem = excluded.problem, updated_at = excluded.updated_at
WHERE state = excluded.state
"""
_KEEP = "UPDATE queue SET chapter = :chapter WHERE host = :host AND account = :account AND path = :path"
_MOVE = """
UPDATE queue SET state = :state, signature = :signature, problem = :problem, chapter_id = :chapter_id, updated_at = :at
WHERE host = :host AND account = :account AND path = :path
AND (state != 'done' OR :state = 'done' OR :signature NOT IN ('', signature))
"""
_FORGET_UNKNOWN = """
DELETE FROM queue
WHERE host = :host AND account = :account AND path = :path AND chapter = :chapter AND state = :state
"""
_ONE = "SELECT * FROM queue WHERE host = :host AND account = :account AND path = :path"
UNKNOWN = ""
"""In place of a chapter whose values could not be found out."""


class Waits(StrEnum):
    """How far a chapter of the queue is."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"  # its commit was not answered, and the service does not show it
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Queued:
    """A chapter that was given to the program; None where its values could not be found out.

    `signature` is that of its files then; the time is in unix seconds.
    """

    id: int
    host: str
    account: str
    path: str
    chapter: Chapter | None
    signature: str
    state: Waits
    problem: str | None
    chapter_id: str | None
    updated_at: float


@dataclass(frozen=True, slots=True)
class Unreadable:
    """What is in the queue, and not as this version of the program writes it."""

    id: int
    path: str


class Queue:
    """The chapters of this machine's user, in the order in which they were given."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.execute(_SCHEMA)

    def add(self, host: str, account: str, given: Iterable[tuple[Chapter, str]]) -> None:
        """Note that these chapters are to be uploaded, each with the signature of its files: all of them or none.

        One that is done, or may be, or is being uploaded stays so; it has the values that were given last.
        """
        is_busy = is_locked(self._journal.folder, host, account)
        kept = {Waits.DONE, Waits.UNCONFIRMED} | ({Waits.RUNNING} if is_busy else set())
        with self._journal.transaction() as do:
            for chapter, signature in given:
                place = {"host": host, "account": account, "path": placed(chapter.path), "chapter": _as_text(chapter)}
                known = [it for row in do(_ONE, place) if (it := _read(row)) is not None]
                if any(it.state in kept and _is_same(it.chapter, chapter) for it in known):
                    do(_KEEP, place)
                    continue
                values = {"signature": signature, "state": Waits.WAITING, "problem": None, "at": self._journal.now()}
                do(_ADD, place | values)

    def add_failed(self, host: str, account: str, path: Path, signature: str, problem: str) -> None:
        """Note that a chapter was given whose values could not be found out, and why.

        Of one that is known already nothing is lost by that: at most, where it failed before, it has the new problem.
        """
        place = {"host": host, "account": account, "path": placed(path), "chapter": UNKNOWN, "state": Waits.FAILED}
        self._journal.execute(
            _ADD_FAILED, place | {"signature": signature, "problem": problem, "at": self._journal.now()}
        )

    def forget_unknown(self, host: str, account: str, paths: Iterable[Path]) -> None:
        """Remove those of these places that failed because their values could not be found out."""
        values = {"host": host, "account": account, "chapter": UNKNOWN, "state": Waits.FAILED}
        with self._journal.transaction() as do:
            for path in paths:
                do(_FORGET_UNKNOWN, values | {"path": placed(path)})

    def move_to(self, host: str, account: str, path: Path, state: Waits, signature: str, **values: str | None) -> None:
        """Note how far a chapter is; `values` are `problem` and `chapter_id`.

        `signature` is that of its files; one that is done stays so until they are others.
        """
        place = {"host": host, "account": account, "path": placed(path), "signature": signature}
        given = {"problem": None, "chapter_id": None, **values, "state": state, "at": self._journal.now()}
        self._journal.execute(_MOVE, place | given)

    def find(self, host: str, account: str, path: Path) -> Queued | None:
        """The one of this place; None where it was taken off the list."""
        rows = self._journal.execute(_ONE, {"host": host, "account": account, "path": placed(path)})
        return _read(rows[0]) if rows else None

    def forget(self, number: int) -> None:
        """Remove the one of this id. What is known of its upload stays."""
        self._journal.execute("DELETE FROM queue WHERE id = ?", (number,))

    def all(self) -> list[Queued]:
        """All that can be read."""
        return [it for row in self._rows() if (it := _read(row)) is not None]

    def unreadable(self) -> list[Unreadable]:
        """The others."""
        return [Unreadable(row["id"], row["path"]) for row in self._rows() if _read(row) is None]

    def _rows(self) -> list[Row]:
        return self._journal.execute("SELECT * FROM queue ORDER BY id")


def _is_same(known: Chapter | None, wanted: Chapter) -> bool:
    """Whether both would be the same chapter, whatever its pages are."""
    if known is None:
        return False
    one, other = ((it.manga, sorted(it.groups), it.language, it.volume, it.chapter) for it in (known, wanted))
    return one == other


def _as_text(chapter: Chapter) -> str:
    publish_at = chapter.publish_at.isoformat() if chapter.publish_at else None
    return json.dumps(asdict(chapter) | {"path": placed(chapter.path), "publish_at": publish_at})


def _read(row: Row) -> Queued | None:
    try:
        chapter = None if row["chapter"] == UNKNOWN else _chapter(row["chapter"])
        return Queued(**{**row, "chapter": chapter, "state": Waits(row["state"])})
    except (ValueError, TypeError, KeyError):
        return None


def _chapter(text: str) -> Chapter:
    values = json.loads(text)
    publish_at = datetime.fromisoformat(values["publish_at"]) if values["publish_at"] else None
    read = {"path": Path(values["path"]), "groups": tuple(values["groups"]), "publish_at": publish_at}
    return Chapter(**{**values, **read})
