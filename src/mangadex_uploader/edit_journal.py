"""The edits that this program began, beside the uploads in the journal: which sessions are theirs, how far they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_plan import Present
from mangadex_uploader.journal import Journal, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS edits (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    chapter_id TEXT NOT NULL,
    path TEXT NOT NULL,
    pages_digest TEXT NOT NULL,
    planned TEXT NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT,
    committed_version INTEGER,
    problem TEXT,
    intended_at REAL NOT NULL,
    updated_at REAL NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a chapter's pages on its way.

    `planned` is the chapter as it was, with the version that the session was begun with; `committed_version` is None
    until it is known. Times are unix seconds.
    """

    id: int
    host: str
    account: str
    chapter_id: str
    path: str
    pages_digest: str
    planned: dict[str, Any]
    state: State
    session_id: str | None
    committed_version: int | None
    problem: str | None
    intended_at: float
    updated_at: float

    @property
    def version(self) -> int:
        """The chapter's, when the edit was begun."""
        return int(self.planned["version"])


class Edits:
    """The edits of this machine's user."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.execute(_SCHEMA)

    def intend(self, host: str, account: str, planned: Present, plan: Plan) -> Edit:
        """Note that a session is about to be begun for these pages."""
        now = self._journal.now()
        values = {
            "host": host,
            "account": account,
            "chapter_id": planned.id,
            "path": str(plan.chapter.path.absolute()),
            "pages_digest": plan.pages_digest,
            "planned": json.dumps(planned.shown()),
            "state": State.INTENDED,
            "intended_at": now,
            "updated_at": now,
        }
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        rows = self._journal.execute(f"INSERT INTO edits ({names}) VALUES ({marks}) RETURNING id", values)  # noqa: S608 - our names
        return self._all("id = ?", rows[0]["id"])[0]

    def replan(self, edit: Edit, plan: Plan) -> Edit:
        """Note that it goes on with these pages."""
        return self._set(edit, {"pages_digest": plan.pages_digest, "path": str(plan.chapter.path.absolute())})

    def move_to(self, edit: Edit, state: State, **values: str | int | None) -> Edit:
        """Note a step; `values` are `session_id`, `committed_version` or `problem`."""
        return self._set(edit, {"state": state, "problem": None, **values})

    def fail(self, edit: Edit, problem: str) -> Edit:
        """Note why it stopped."""
        return self._set(edit, {"problem": problem})

    def latest(self, host: str, account: str, chapter_id: str) -> Edit | None:
        """The last edit of this chapter."""
        return next(iter(self._all("host = ? AND account = ? AND chapter_id = ?", host, account, chapter_id)), None)

    def of_session(self, host: str, account: str, session_id: str) -> Edit | None:
        """The edit that began this session."""
        return next(iter(self._all("host = ? AND account = ? AND session_id = ?", host, account, session_id)), None)

    def _set(self, edit: Edit, values: dict[str, Any]) -> Edit:
        given = {**values, "updated_at": self._journal.now(), "id": edit.id}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        self._journal.execute(f"UPDATE edits SET {assignments} WHERE id = :id", given)  # noqa: S608 - our names
        return self._all("id = ?", edit.id)[0]

    def _all(self, where: str, *values: Any) -> list[Edit]:
        rows = self._journal.execute(f"SELECT * FROM edits WHERE {where} ORDER BY id DESC", values)  # noqa: S608 - our text
        return [
            Edit(**{**dict(row), "planned": json.loads(row["planned"]), "state": State(row["state"])}) for row in rows
        ]
