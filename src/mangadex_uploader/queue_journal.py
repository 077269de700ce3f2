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
INSERT INTO queue (host, account, path, chapter, signature, state, updated_at)
SELECT :host, :account, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'),
    :state, :at FROM json_each(:rows) WHERE TRUE
ON CONFLICT (host, account, path) DO UPDATE SET chapter = excluded.chapter, signature = excluded.signature,
state = excluded.state, problem = NULL, chapter_id = NULL, updated_at = excluded.updated_at
"""


class Waits(StrEnum):
    """How far a chapter of the queue is."""

    WAITING = "waiting"
    RUNNING = "running"
    FAILED = "failed"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Queued:
    """A chapter that was given to the program. `signature` is that of its files then; the time is in unix seconds."""

    id: int
    host: str
    account: str
    path: str
    chapter: Chapter
    signature: str
    state: Waits
    problem: str | None
    chapter_id: str | None
    updated_at: float


class Queue:
    """The chapters of this machine's user, in the order in which they were given."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.execute(_SCHEMA)

    def add(self, host: str, account: str, given: Iterable[tuple[Chapter, str]]) -> None:
        """Note that these chapters are to be uploaded, each with the signature of its files: all of them or none."""
        rows = [[str(it.path.absolute()), _as_text(it), signature] for it, signature in given]
        values = {"host": host, "account": account, "state": Waits.WAITING, "at": self._journal.now()}
        self._journal.execute(_ADD, values | {"rows": json.dumps(rows)})

    def move_to(self, host: str, account: str, path: Path, state: Waits, **values: str | None) -> None:
        """Note how far a chapter is; `values` are `problem` and `chapter_id`."""
        given = {"problem": None, "chapter_id": None, **values, "state": state, "updated_at": self._journal.now()}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        place = {"host": host, "account": account, "path": str(path.absolute())}
        where = " AND ".join(f"{name} = :{name}" for name in place)
        self._journal.execute(f"UPDATE queue SET {assignments} WHERE {where}", given | place)  # noqa: S608 - our names

    def forget(self, queued: Queued) -> None:
        """Remove it. What is known of its upload stays."""
        self._journal.execute("DELETE FROM queue WHERE id = ?", (queued.id,))

    def all(self) -> list[Queued]:
        """All of them."""
        rows = self._journal.execute("SELECT * FROM queue ORDER BY id")
        return [
            Queued(**{**dict(row), "chapter": _chapter(row["chapter"]), "state": Waits(row["state"])}) for row in rows
        ]


def _as_text(chapter: Chapter) -> str:
    publish_at = chapter.publish_at.isoformat() if chapter.publish_at else None
    return json.dumps(asdict(chapter) | {"path": str(chapter.path.absolute()), "publish_at": publish_at})


def _chapter(text: str) -> Chapter:
    values = json.loads(text)
    publish_at = datetime.fromisoformat(values["publish_at"]) if values["publish_at"] else None
    read = {"path": Path(values["path"]), "groups": tuple(values["groups"]), "publish_at": publish_at}
    return Chapter(**{**values, **read})
