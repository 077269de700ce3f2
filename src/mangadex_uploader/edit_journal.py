"""The edits that this program began, beside the uploads in the journal: which sessions are theirs, how far they are."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_plan import Present, Values
from mangadex_uploader.inventory import moment
from mangadex_uploader.journal import Journal, State

_SCHEMA = """
CREATE TABLE IF NOT EXISTS chapter_edits (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    account TEXT NOT NULL,
    chapter_id TEXT NOT NULL,
    path TEXT NOT NULL,
    options TEXT NOT NULL,
    pages_digest TEXT NOT NULL,
    planned TEXT NOT NULL,
    wanted TEXT NOT NULL,
    state TEXT NOT NULL,
    session_id TEXT,
    committed_version INTEGER,
    problem TEXT,
    begin_sent_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    is_look INTEGER NOT NULL
)
"""
_JSON = ("options", "planned", "wanted")


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a chapter's pages on its way. Times are unix seconds.

    Attributes:
        options: what the user gave beside the path, as words of a command.
        planned: the chapter as it was, with the version that the session was begun with.
        wanted: the values that its commit gives, by the names of `Values`, and `publish_at` where one was given.
        committed_version: the last version of which it is known that it has these pages.
        begin_sent_at: when the session was last asked for.
        is_look: its session only serves to see the chapter's pages, and is never committed.
    """

    id: int
    host: str
    account: str
    chapter_id: str
    path: str
    options: list[str]
    pages_digest: str
    planned: dict[str, Any]
    wanted: dict[str, Any]
    state: State
    session_id: str | None
    committed_version: int | None
    problem: str | None
    begin_sent_at: float
    updated_at: float
    is_look: bool

    @property
    def version(self) -> int:
        """The chapter's, when the edit was begun."""
        return int(self.planned["version"])

    @property
    def command(self) -> str:
        """What goes on with it, for a shell."""
        return shlex.join(["mangadex", "edit", self.chapter_id, self.path, *self.options])

    def is_followed_by(self, present: Present) -> bool:
        """Whether the chapter is as the commit of this edit left it, as far as version and values tell."""
        publish_at = self.wanted.get("publish_at")
        values = present.values.shown()
        is_as_wanted = all(values[name] == self.wanted[name] for name in values if name != "groups")
        return (
            present.version == self.version + 1
            and is_as_wanted
            and sorted(values["groups"]) == sorted(self.wanted["groups"])
            and (publish_at is None or present.publish_at in (None, moment(publish_at)))
        )


class Edits:
    """The edits of this machine's user."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        journal.execute(_SCHEMA)

    def intend(  # noqa: PLR0913 - an edit's
        self,
        host: str,
        account: str,
        planned: Present,
        plan: Plan,
        options: Sequence[str],
        *,
        is_look: bool = False,
    ) -> Edit:
        """Note that a session is about to be begun for these pages, or to look for them."""
        now = self._journal.now()
        values = {
            "host": host,
            "account": account,
            "chapter_id": planned.id,
            "planned": json.dumps(planned.shown()),
            "state": State.INTENDED,
            "begin_sent_at": now,
            "updated_at": now,
            "is_look": is_look,
            **_planned(plan, options),
        }
        names, marks = ", ".join(values), ", ".join(f":{name}" for name in values)
        rows = self._journal.execute(f"INSERT INTO chapter_edits ({names}) VALUES ({marks}) RETURNING id", values)  # noqa: S608 - our names
        return self._all("id = ?", rows[0]["id"])[0]

    def begin_again(self, edit: Edit) -> Edit:
        """Note that its session is about to be asked for once more."""
        return self._set(edit, {"begin_sent_at": self._journal.now()})

    def replan(self, edit: Edit, plan: Plan, options: Sequence[str]) -> Edit:
        """Note that it goes on with these pages and values."""
        return self._set(edit, _planned(plan, options))

    def move_to(self, edit: Edit, state: State, **values: str | int | None) -> Edit:
        """Note a step; `values` are `session_id`, `committed_version` or `problem`."""
        return self._set(edit, {"state": state, "problem": None, **values})

    def fail(self, edit: Edit, problem: str) -> Edit:
        """Note why it stopped."""
        return self._set(edit, {"problem": problem})

    def latest(self, host: str, account: str, chapter_id: str, *states: State) -> Edit | None:
        """The last edit of this chapter that is in one of these states."""
        found = self._all("host = ? AND account = ? AND chapter_id = ?", host, account, chapter_id)
        return next((edit for edit in found if edit.state in states), None)

    def unheard(self, host: str, account: str, chapter_id: str) -> Edit | None:
        """The edit of this chapter whose commit was sent and not heard of, if no other was done since."""
        latest = self.latest(host, account, chapter_id, State.COMMITTING, State.UNCONFIRMED, State.DONE)
        return None if latest is None or latest.state is State.DONE else latest

    def of_session(self, host: str, account: str, session_id: str) -> Edit | None:
        """The edit that began this session."""
        return next(iter(self._all("host = ? AND account = ? AND session_id = ?", host, account, session_id)), None)

    def under_way(self) -> list[Edit]:
        """Those that are not at their end, newest first."""
        return self._all("state NOT IN (?, ?) AND NOT is_look", State.DONE, State.CLOSED)

    def follow(self, host: str, account: str, before: Present, after: Present) -> None:
        """Note that a change of values of ours made this of that: the pages are the same."""
        done = self.latest(host, account, before.id, State.DONE)
        if done is not None and done.committed_version == before.version:
            self._set(done, {"committed_version": after.version})
        unheard = self.unheard(host, account, before.id)
        if unheard is not None and unheard.is_followed_by(before):
            planned = unheard.planned | {"version": before.version}
            wanted = unheard.wanted | after.values.shown()
            self._set(unheard, {"planned": json.dumps(planned), "wanted": json.dumps(wanted)})

    def _set(self, edit: Edit, values: dict[str, Any]) -> Edit:
        given = {**values, "updated_at": self._journal.now(), "id": edit.id}
        assignments = ", ".join(f"{name} = :{name}" for name in given)
        self._journal.execute(f"UPDATE chapter_edits SET {assignments} WHERE id = :id", given)  # noqa: S608 - our names
        return self._all("id = ?", edit.id)[0]

    def _all(self, where: str, *values: Any) -> list[Edit]:
        rows = self._journal.execute(f"SELECT * FROM chapter_edits WHERE {where} ORDER BY id DESC", values)  # noqa: S608 - our text
        return [
            Edit(
                **{
                    **row,
                    **{name: json.loads(row[name]) for name in _JSON},
                    "state": State(row["state"]),
                    "is_look": bool(row["is_look"]),
                }
            )
            for row in rows
        ]


def _planned(plan: Plan, options: Sequence[str]) -> dict[str, str]:
    chapter = plan.chapter
    wanted = Values.of(chapter).shown()
    if chapter.publish_at is not None:
        wanted["publish_at"] = chapter.publish_at.replace(microsecond=0).isoformat()
    return {
        "path": str(chapter.path.absolute()),
        "options": json.dumps(options),
        "pages_digest": plan.pages_digest,
        "wanted": json.dumps(wanted),
    }
