"""What this program began, sent and finished, kept over its death: an SQLite file that several processes may share.

Written before the service is asked to act, so that no open session and no committed chapter is unknown to us.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mangadex_uploader.chapter import Plan, PlannedPage
from mangadex_uploader.journal_file import JournalFile, Row
from mangadex_uploader.whereabouts import placed


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

    Times are unix seconds; `intended_at` is when its session was last asked for, `begun_at`, the session's, is by the
    service's clock. `is_ours` says that this program is known to have begun the session; otherwise it was found open,
    and is not to be deleted unasked.
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
    is_ours: bool


class Journal(JournalFile):
    """The uploads of this machine's user."""

    def intend(self, host: str, account: str, plan: Plan) -> Upload:
        """Note that a session is about to be begun for this chapter."""
        now = self.now()
        values = {
            "host": host,
            "account": account,
            "identity": plan.identity,
            "pages_digest": plan.pages_digest,
            "path": placed(plan.chapter.path),
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
        rows = self.execute(f"INSERT INTO uploads ({names}) VALUES ({marks}) RETURNING id", values)  # noqa: S608 - our names
        return self._one("id = ?", rows[0]["id"])

    def begin_again(self, upload: Upload) -> Upload:
        """Note that its session is about to be asked for once more."""
        return self._set(upload, {"intended_at": self.now()})

    def replan(self, upload: Upload, plan: Plan) -> Upload:
        """Note that it goes on with these pages."""
        names = {
            "pages_digest": plan.pages_digest,
            "path": placed(plan.chapter.path),
            "page_names": _page_names(plan),
        }
        return self._set(upload, names)

    def move_to(self, upload: Upload, state: State, **values: str | float | None) -> Upload:
        """Note a step; `values` are those of an `Upload` that are known now."""
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
        with self.transaction() as do:
            for file_id, page in stored:
                do("INSERT OR REPLACE INTO files VALUES (?, ?, ?)", (session_id, file_id, page.digest))

    def forget_files(self, session_id: str, file_ids: Iterable[str]) -> None:
        """Note that the session has these no more."""
        with self.transaction() as do:
            for file_id in file_ids:
                do("DELETE FROM files WHERE session_id = ? AND file_id = ?", (session_id, file_id))

    def files(self, session_id: str) -> dict[str, str]:
        """Digest by id of the pages that the session was heard to have."""
        rows = self.execute("SELECT file_id, digest FROM files WHERE session_id = ?", (session_id,))
        return {row["file_id"]: row["digest"] for row in rows}

    def learn(self, host: str, fact: str) -> None:
        """Note what the service was seen to do: `hashes_are_sha256` or `lists_files`."""
        column = {"hashes_are_sha256": "hashes_are_sha256", "lists_files": "lists_files"}[fact]
        with self.transaction() as do:
            do("INSERT OR IGNORE INTO hosts (host) VALUES (?)", (host,))
            do(f"UPDATE hosts SET {column} = 1 WHERE host = ?", (host,))  # noqa: S608 - one of two

    def knows(self, host: str, fact: str) -> bool:
        """Whether the service was seen to do so."""
        rows = self.execute("SELECT * FROM hosts WHERE host = ?", (host,))
        return bool(rows) and bool(rows[0][fact])

    def _set(self, upload: Upload, values: Mapping[str, Any]) -> Upload:
        given = {**values, "updated_at": self.now(), "id": upload.id}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        self.execute(f"UPDATE uploads SET {assignments} WHERE id = :id", given)  # noqa: S608 - our names
        return self._one("id = ?", upload.id)

    def _one(self, where: str, *values: Any) -> Upload:
        return self._all(where, *values)[0]

    def _find(self, where: str, *values: Any) -> Upload | None:
        found = self._all(where, *values)
        return found[0] if found else None

    def _all(self, where: str, *values: Any) -> list[Upload]:
        rows = self.execute(f"SELECT * FROM uploads WHERE {where} ORDER BY id DESC", values)  # noqa: S608 - our text
        return [_upload(row) for row in rows]


def _page_names(plan: Plan) -> str:
    return json.dumps([[page.wire_name, page.name] for page in plan.pages])


def _upload(row: Row) -> Upload:
    names = tuple((wire_name, name) for wire_name, name in json.loads(row["page_names"]))
    read = {"state": State(row["state"]), "page_names": names, "is_ours": bool(row["is_ours"])}
    return Upload(**{**row, **read})
