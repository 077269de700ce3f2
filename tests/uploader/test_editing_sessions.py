"""Sessions that an edit meets: its own, those of others, and those of which that is not known."""

from __future__ import annotations

import io
import json
import shlex
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from link import Cut, Link
from program import PROGRAM
from rig import GROUP, MANGADEX, Chapter, Ran, Rig, ended, link, rig
from test_editing import (
    BEGIN,
    COMMIT,
    LEVELS,
    PUT,
    TITLE,
    VALUES,
    VOLUME,
    assert_read_as,
    begun,
    change_elsewhere,
    edit,
    new_page,
    published,
    rewrite,
    start,
    told,
)

from mangadex_uploader.edit_listing import list_edits
from mangadex_uploader.journal import Journal
from mangadex_uploader.locks import account_lock
from mangadex_uploader.output import Output


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig"), **LEVELS[getattr(request, "param", "full")]) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


def killed(service: Rig, network: Link, cut: Cut, path: str, chapter_id: str, *words: str) -> None:
    """An edit that ends there."""
    process = start(service, network.url, chapter_id, *words)
    network.fail(cut, "POST", path, then=process.kill)
    process.communicate(timeout=60)


def open_id(service: Rig) -> str | None:
    session = service.session()
    return None if session is None else str(session["id"])


def run(service: Rig, network: Link, *words: str, **variables: str) -> Ran:
    """Another command of the same user."""
    environment = service.environment(network.url) | variables
    done = subprocess.run([MANGADEX, *words], capture_output=True, text=True, env=environment, check=False)
    events = [json.loads(line) for line in done.stdout.splitlines()] if "--json" in words else []
    return Ran(done.returncode, events, done.stderr if events else done.stdout + done.stderr)


def long_ago(service: Rig) -> None:
    """Let the last begin have been sent ten seconds earlier."""
    journal = service.folder / ".local" / "state" / "mangadex" / "journal.sqlite3"
    with sqlite3.connect(journal) as database:
        newest = "(SELECT max(id) FROM chapter_edits)"
        database.execute(f"UPDATE chapter_edits SET begin_sent_at = begin_sent_at - 10 WHERE id = {newest}")


def other_chapter(service: Rig) -> str:
    """Another one of the same manga and groups, with pages of its own."""
    chapter = service.chapter(3)
    rewrite(chapter, [new_page(number) for number in (971, 972, 973)])
    chapter_id = str(service.upload(chapter, service.service.url).result["chapter_id"])
    service.pages_of(chapter_id)
    return chapter_id


def test_a_session_that_only_looks_for_an_unheard_commit_is_never_committed(service: Rig, network: Link) -> None:
    """As where a run is killed before it has given it up."""
    chapter = service.chapter(3)
    later = ["--title", TITLE, "--publish-at", "2999-01-01T00:00Z"]
    chapter_id = str(service.upload(chapter, service.service.url, *later).result["chapter_id"])
    rewrite(chapter, [*chapter.pages[::-1], new_page(982)])
    killed(service, network, Cut.AFTER, COMMIT, chapter_id, str(chapter.folder))
    process = start(service, network.url, chapter_id, str(chapter.folder))
    network.fail(Cut.BEFORE, "DELETE", PUT, then=process.kill)
    process.communicate(timeout=60)
    looking, states = open_id(service), [it["state"] for it in listed(service) if it["chapter_id"] == chapter_id]
    assert (process.returncode, looking is None) == (-signal.SIGKILL, False)
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["already_done"], open_id(service)) == (0, True, None), ran.errors
    assert (told(service, chapter_id)["version"], f"{looking} was abandoned" in ran.errors) == (2, True)
    assert states == ["unconfirmed"]


@pytest.mark.proof
def test_where_a_foreign_session_is_in_the_way_of_a_look_readers_prove_the_commit(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages, new_page(986)])
    foreign: list[str] = []
    network.fail(Cut.AFTER, "POST", COMMIT, then=lambda: foreign.append(service.begin(GROUP)))
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["version"], [open_id(service)]) == (0, 2, foreign), ran.errors


def test_a_page_that_is_added_while_the_edit_waits_for_its_turn_stops_it(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, chapter.pages[::-1])
    with account_lock(service.folder / ".local" / "state" / "mangadex", network.url, "sandbox"):
        process = start(service, network.url, chapter_id, str(chapter.folder))
        assert process.stdout is not None
        while json.loads(process.stdout.readline()).get("text", "").count("waiting for it to end") == 0:
            pass
        chapter.pages.append(new_page(983))
        (chapter.folder / "004.png").write_bytes(chapter.pages[-1])
    ran = ended(process)
    assert (ran.status, ran.result["kind"], begun(network)) == (1, "changed_before", 0), ran.errors
    assert "004.png added" in ran.errors
    assert edit(service, network.url, chapter_id, str(chapter.folder)).result["pages"] == 4
    assert_read_as(service, chapter_id, chapter.pages)


def test_a_page_that_is_added_before_the_commit_stops_it(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages, new_page(984)])
    last = new_page(985)

    def add() -> None:
        (chapter.folder / "005.png").write_bytes(last)

    network.fail(Cut.BEFORE, "POST", PUT, then=add)
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["kind"], told(service, chapter_id)["version"]) == (1, "chapter_changed", 1)
    assert "005.png added" in ran.errors
    chapter.pages.append(last)
    assert edit(service, network.url, chapter_id, str(chapter.folder)).result["version"] == 2
    assert_read_as(service, chapter_id, chapter.pages)


OLDER_TABLES = (
    "CREATE TABLE edits (id INTEGER PRIMARY KEY, state TEXT NOT NULL)",
    "INSERT INTO edits VALUES (1, 'open')",
    "CREATE TABLE page_edits (id INTEGER PRIMARY KEY, host TEXT NOT NULL, state TEXT NOT NULL)",
    "INSERT INTO page_edits VALUES (1, 'http://127.0.0.1', 'open')",
)


def test_edits_of_unreleased_versions_are_not_read(service: Rig, network: Link, tmp_path: Path) -> None:
    chapter, chapter_id = published(service, 2)
    rewrite(chapter, chapter.pages[::-1])
    folder = tmp_path / ".local" / "state" / "mangadex"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "journal.sqlite3", isolation_level=None)) as journal:
        for statement in OLDER_TABLES:
            journal.execute(statement)
    assert edit(service, network.url, chapter_id, str(chapter.folder), HOME=str(tmp_path)).status == 0
    shown = run(service, network, "status", HOME=str(tmp_path))
    assert (shown.status, shown.errors) == (0, "")


FOREIGN = ["an upload", "an upload with pages", "an edit of another chapter", "an edit of the same chapter, later"]
MOST_TELLING = {("full", FOREIGN[2]), ("none", FOREIGN[1])}
"""Told by the pages, and by nothing; `make prove` has the others, too."""


@pytest.mark.parametrize(
    ("service", "what"),
    [
        pytest.param(level, what, marks=() if (level, what) in MOST_TELLING else pytest.mark.proof)
        for level in ("full", "none")
        for what in FOREIGN
    ],
    indirect=["service"],
)
def test_what_was_opened_elsewhere_after_an_unheard_begin_is_left_alone(service: Rig, network: Link, what: str) -> None:
    chapter, chapter_id = published(service, 3)
    others = other_chapter(service) if what == "an edit of another chapter" else chapter_id
    rewrite(chapter, chapter.pages[::-1])
    killed(service, network, Cut.BEFORE, BEGIN, chapter_id, str(chapter.folder))
    if what == "an edit of the same chapter, later":
        long_ago(service)
    by_what = {"an edit of another chapter": others, "an edit of the same chapter, later": chapter_id}
    foreign = service.begin_edit(by_what[what]) if what in by_what else service.begin(GROUP)
    if what == "an upload with pages":
        service.put(foreign, "a.png", new_page(974))
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["session_id"], open_id(service)) == (3, foreign, foreign), ran.errors
    assert "--abandon-existing" in ran.errors
    assert ("session show" in ran.errors) == (what != "an upload with pages" or service_lists_nothing(service))
    assert (told(service, chapter_id)["version"], told(service, others)["version"]) == (1, 1)
    assert edit(service, network.url, chapter_id, str(chapter.folder), "--abandon-existing").status == 0
    assert_read_as(service, chapter_id, chapter.pages)


def service_lists_nothing(service: Rig) -> bool:
    session = service.session()
    assert session is not None
    return not [item for item in session["relationships"] if item["type"] == "upload_session_file"]


def test_in_one_run_a_session_that_appears_at_an_unheard_begin_is_left_alone_too(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, chapter.pages[::-1])
    foreign: list[str] = []
    network.fail(Cut.BEFORE, "POST", BEGIN, then=lambda: foreign.append(service.begin(GROUP)))
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, [open_id(service)]) == (3, foreign), ran.errors


def test_nobody_s_session_is_touched_where_nothing_is_to_be_changed(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    foreign = service.begin(GROUP)
    for words in ([], ["--abandon-existing"], ["--title", "Calm", "--abandon-existing"]):
        ran = edit(service, network.url, chapter_id, str(chapter.folder), *words)
        assert (ran.status, open_id(service)) == (0, foreign), ran.errors
        assert ran.result["already_done"] == ("--title" not in words)
    assert told(service, chapter_id)["title"] == "Calm"


def listed(service: Rig) -> list[dict[str, Any]]:
    """The edits that are under way."""
    journal, told_of = Journal(service.folder / ".local" / "state" / "mangadex" / "journal.sqlite3"), io.StringIO()
    with closing(journal), redirect_stdout(told_of):
        list_edits(journal, Output(is_json=True))
    return [json.loads(line) for line in told_of.getvalue().splitlines()]


def test_a_session_of_another_edit_is_named_with_a_command_that_goes_on(service: Rig, network: Link) -> None:
    (chapter, chapter_id), other = published(service, 3), service.chapter(2)
    other_id = str(service.upload(other, service.service.url).result["chapter_id"])
    rewrite(other, other.pages[::-1])
    rewrite(chapter, [*chapter.pages, new_page(976)])
    words = [str(chapter.folder), "--title", "Keep me", "--group", ""]
    killed(service, network, Cut.BEFORE, COMMIT, chapter_id, *words)
    (shown,) = run(service, network, "session", "show", "--json").events
    assert (shown["is_ours"], shown["path"], shown["chapter_id"]) == (True, str(chapter.folder), chapter_id)
    told_to_people = run(service, network, "session", "show").errors
    assert "another program" not in told_to_people
    assert shlex.join(["edit", chapter_id, *words]) in told_to_people
    (under_way,) = [it for it in listed(service) if it["chapter_id"] == chapter_id]
    assert (under_way["state"], under_way["command"] in told_to_people) == ("committing", True)
    ran = edit(service, network.url, other_id, str(other.folder))
    assert (ran.status, ran.result["event"], ran.result["path"]) == (3, "error", str(other.folder)), ran.errors
    (advice,) = [part for part in ran.errors.split("`") if part.startswith("mangadex edit")]
    _, _, *again = shlex.split(advice)
    assert again == [chapter_id, *words]
    assert edit(service, network.url, *again).status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    after = told(service, chapter_id)
    assert (after["title"], after["groups"]) == ("Keep me", [])
    assert chapter_id not in [it["chapter_id"] for it in listed(service)]


def with_link(service: Rig, chapter: Chapter, link_to: str) -> str:
    """The chapter as one that may be read elsewhere, too, by an account that may link."""
    roles = [PROGRAM, "user", "roles", "sandbox", "--data-dir", str(service.folder / "data")]
    subprocess.run([*roles, "--add", "ROLE_EXTERNAL"], check=True, capture_output=True)
    session_id = service.begin(GROUP)
    for number, data in enumerate(chapter.pages):
        service.put(session_id, f"{number}.png", data)
    session = service.session()
    assert session is not None
    files = [item["id"] for item in session["relationships"] if item["type"] == "upload_session_file"]
    draft: dict[str, Any] = {"volume": VOLUME, "chapter": chapter.number, "title": TITLE, "translatedLanguage": "en"}
    body = {"chapterDraft": draft | {"externalUrl": link_to}, "pageOrder": files}
    done = service._http.post(f"/upload/{session_id}/commit", json=body).raise_for_status()
    chapter_id = str(done.json()["data"]["id"])
    service.pages_of(chapter_id)
    return chapter_id


def test_a_link_is_kept_and_a_commit_that_is_never_taken_says_what_is_left_open(service: Rig, network: Link) -> None:
    chapter, link_to = service.chapter(2), "https://example.org/read"
    chapter_id = with_link(service, chapter, link_to)
    rewrite(chapter, [*chapter.pages, new_page(977)])
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert (told(service, chapter_id)["externalUrl"], told(service, chapter_id)["version"]) == (link_to, 2)
    roles = [PROGRAM, "user", "roles", "sandbox", "--data-dir", str(service.folder / "data")]
    subprocess.run([*roles, "--remove", "ROLE_EXTERNAL"], check=True, capture_output=True)
    rewrite(chapter, chapter.pages[::-1])
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    left = open_id(service)
    assert (ran.status, left is not None and left in ran.errors) == (7, True), ran.errors
    assert "mangadex session abandon" in ran.errors
    assert run(service, network, "session", "abandon", "--yes", "--json").status == 0
    assert open_id(service) is None


@pytest.mark.proof
def test_a_file_that_changes_while_it_is_sent_stops_the_edit_and_nothing_is_committed(
    service: Rig, network: Link
) -> None:
    chapter, chapter_id = published(service, 3)
    old = list(chapter.pages)
    rewrite(chapter, [*old, new_page(978), new_page(979)])
    last = chapter.folder / "005.png"

    def change() -> None:
        last.write_bytes(new_page(980))

    network.fail(Cut.BEFORE, "POST", BEGIN, then=change)
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status != 0, "005.png" in ran.errors, told(service, chapter_id)["version"]) == (True, True, 1)
    chapter.pages[-1] = last.read_bytes()
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert begun(network) >= 1
    assert_read_as(service, chapter_id, chapter.pages)


def test_an_own_change_of_a_value_is_not_called_somebody_else_s(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages, new_page(981)])
    killed(service, network, Cut.BEFORE, COMMIT, chapter_id, str(chapter.folder))
    assert edit(service, network.url, chapter_id, "--title", "Mine").status == 0
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, f"title: {TITLE} -> Mine" in ran.errors) == (1, True), ran.errors
    assert "or by another command" in ran.errors
    assert "groups:" not in ran.errors
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert_read_as(service, chapter_id, chapter.pages)


def test_a_conflict_after_a_change_that_was_not_heard_of_does_not_say_that_nothing_was_changed(
    service: Rig, network: Link
) -> None:
    _, chapter_id = published(service, 2)
    network.fail(Cut.AFTER, "PUT", VALUES, then=lambda: change_elsewhere(service, chapter_id, title="Theirs"))
    ran = edit(service, network.url, chapter_id, "--volume", "8")
    assert (ran.status, "may have come through" in ran.errors, "Nothing" in ran.errors) == (1, True, False), ran.errors
    assert told(service, chapter_id)["volume"] == "8"


def test_a_conflict_after_the_groups_were_changed_says_so(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, chapter.pages[::-1])
    network.fail(Cut.BEFORE, "POST", BEGIN, then=lambda: change_elsewhere(service, chapter_id, title="Theirs"))
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--group", "")
    assert ran.status == 1
    assert f"groups were changed before that: {GROUP} -> none" in ran.errors
    (conflict,) = [it for it in ran.events if it["event"] == "conflict"]
    assert conflict["changed"] == {"groups": {"before": [GROUP], "after": []}}
