"""Random sequences of all operations by two users at once, on the running server, against a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uploading import MANGA, UNKNOWN, Caller, Service, png, service

MOST = 6
"""Files in a session of this server."""

NAMES = ("alice", "mallory")


@dataclass
class Model:
    """What a user's session must hold, and what became of it."""

    session: str | None = None
    files: list[str] = field(default_factory=list)
    edits: str | None = None
    chapters: dict[str, tuple[int, int]] = field(default_factory=dict)  # version and number of pages

    def end(self) -> None:
        self.session, self.files, self.edits = None, [], None


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("model") / "data", max_session_files=MOST) as running:
        yield running


class Actor:
    """A user, a model of the session, and the other one's. Each step does something and says what must come of it."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.model = Model()
        self.other: Actor = self

    def id(self, whose: str) -> str:
        sessions = {"mine": self.model.session, "theirs": self.other.model.session, "unknown": None}
        return sessions[whose] or UNKNOWN

    def mine(self, whose: str) -> bool:
        return whose == "mine" and self.model.session is not None

    def begin(self, _whose: str, _number: int) -> None:
        answer = self.caller.begin()
        assert answer.status_code == (409 if self.model.session else 200)
        if answer.status_code == 200:
            self.model.session = answer.json()["data"]["id"]

    def edit(self, whose: str, number: int) -> None:
        owner = self.model if whose == "mine" else self.other.model
        if not owner.chapters:
            return
        chapter = sorted(owner.chapters)[number % len(owner.chapters)]
        version, page_count = owner.chapters[chapter]
        answer = self.caller.json("POST", f"/upload/begin/{chapter}", {"version": version + number // 8})
        if whose != "mine":  # before it is processed nobody else may know of it
            assert answer.status_code in (401, 404)
        elif number >= 8 or self.model.session:
            assert answer.status_code == 409
        else:
            assert answer.status_code == 200
            self.model.session, self.model.edits = answer.json()["data"]["id"], chapter
            self.model.files = [file["id"] for file in self.caller.files()]
            assert len(self.model.files) == page_count

    def put(self, whose: str, number: int) -> None:
        pages = [(str(n), png(number + n)) for n in range(1 + number % 4)]
        room = MOST - len(self.model.files)
        answer = self.caller.put(self.id(whose), *pages)
        if not self.mine(whose):
            assert answer.status_code == 404
        elif room == 0:
            assert answer.status_code == 400
        else:
            data = answer.json()["data"]
            assert (answer.status_code, len(data)) == (200, min(room, len(pages)))
            assert len(answer.json()["errors"]) == len(pages) - len(data)
            self.model.files += [file["id"] for file in data]

    def delete(self, whose: str, number: int) -> None:
        file = self.some_file(number)
        answer = self.caller.http.delete(f"/upload/{self.id(whose)}/{file}")
        expected = self.mine(whose) and file in self.model.files
        assert answer.status_code == (200 if expected else 404)
        if expected:
            self.model.files.remove(file)

    def delete_batch(self, whose: str, number: int) -> None:
        gone = [self.some_file(number), self.some_file(number + 1), *self.other.model.files, UNKNOWN]
        answer = self.caller.json("DELETE", f"/upload/{self.id(whose)}/batch", gone)
        assert answer.status_code == (200 if self.mine(whose) else 404)
        if answer.status_code == 200:
            self.model.files = [file for file in self.model.files if file not in gone]

    def commit(self, whose: str, number: int) -> None:
        order = self.model.files[:: -1 if number % 2 else 1][: number % 8]
        answer = self.caller.commit(self.id(whose), [*order, UNKNOWN] if number == 15 else order)
        if not self.mine(whose):
            assert answer.status_code == 404
        elif not order or number == 15:
            assert answer.status_code == 400
        else:
            chapter = answer.json()["data"]
            version = self.model.chapters[self.model.edits][0] + 1 if self.model.edits else 1
            assert (answer.status_code, chapter["attributes"]["version"]) == (200, version)
            assert self.model.edits in (None, chapter["id"])
            self.model.chapters[chapter["id"]] = version, len(order)
            self.model.end()

    def abandon(self, whose: str, _number: int) -> None:
        answer = self.caller.http.delete(f"/upload/{self.id(whose)}")
        assert answer.status_code == (200 if self.mine(whose) else 404)
        if answer.status_code == 200:
            self.model.end()

    def ask(self, _whose: str, _number: int) -> None:
        answer = self.caller.json("POST", "/upload/check-approval-required", {"manga": MANGA, "locale": "en"})
        assert (answer.status_code, answer.json()["requiresApproval"]) == (200, False)

    def some_file(self, number: int) -> str:
        known = [*self.model.files, *self.other.model.files] or [UNKNOWN]
        return known[number % len(known)]

    def agrees(self) -> None:
        answer = self.caller.http.get("/upload", params={"includes[]": "upload_session_file"})
        assert answer.status_code == (200 if self.model.session else 404)
        if self.model.session:
            data: dict[str, Any] = answer.json()["data"]
            assert data["id"] == self.model.session
            flags = {name: data["attributes"][name] for name in ("isCommitted", "isProcessed", "isDeleted")}
            assert flags == dict.fromkeys(flags, False)
            related = data["relationships"]
            assert [item["id"] for item in related if item["type"] == "upload_session_file"] == self.model.files


STEPS = ("begin", "edit", "put", "put", "delete", "delete_batch", "commit", "abandon", "ask")
STEP = st.tuples(
    st.sampled_from(NAMES), st.sampled_from(STEPS), st.sampled_from(("mine", "mine", "theirs", "unknown")),
    st.integers(0, 15),
)  # fmt: skip


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
@given(steps=st.lists(STEP, min_size=5, max_size=30))
def test_two_users_at_once_have_what_the_model_says(served: Service, steps: list[tuple[str, str, str, int]]) -> None:
    actors = dict(zip(NAMES, (Actor(served.alice), Actor(served.mallory)), strict=True))
    actors["alice"].other, actors["mallory"].other = actors["mallory"], actors["alice"]
    for actor in actors.values():
        actor.caller.close_session()
        actor.begin("mine", 0)  # else most sequences meet no session at all
    for name, step, whose, number in steps:
        getattr(actors[name], step)(whose, number)
        for actor in actors.values():
            actor.agrees()
