"""What was committed last, and what readers get, are two things: nothing is called done that is not."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
from link import Cut, Link
from pages import draw, draw_as
from program import PROGRAM
from rig import GROUP, PROCESSED_WITHIN_S, Chapter, Ran, Rig, ended, link, rig
from test_editing import (
    BEGIN,
    COMMIT,
    LEVELS,
    TITLE,
    VALUES,
    VOLUME,
    assert_read_as,
    begun,
    change_elsewhere,
    command,
    edit,
    new_page,
    published,
    rewrite,
    start,
    told,
)

import mangadex_openapi as mangadex
from mangadex_uploader.edit_waits import SILENT_S, telling_waits
from mangadex_uploader.events import Event
from mangadex_uploader.journal import Journal
from mangadex_uploader.service import Service

SETTINGS = LEVELS | {
    "small images": {"MANGADEX_SERVER_MAX_PIXELS": "80000"},
    "approval": {"MANGADEX_SERVER_APPROVAL": "all"},
}
LATER = "2999-01-01T00:00Z"


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig"), **SETTINGS[getattr(request, "param", "full")]) as made:
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


def descendants(process_id: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:  # it has ended
            continue
        if parent == process_id:
            yield int(status.parent.name)
            yield from descendants(int(status.parent.name))


@contextmanager
def nothing_processed(service: Rig) -> Iterator[None]:
    """The service takes commits, but its page process stands still."""
    found = [
        it
        for it in descendants(service.service.process.pid)
        if b"processing" in Path(f"/proc/{it}/cmdline").read_bytes()
    ]
    assert found
    for process_id in found:
        os.kill(process_id, signal.SIGSTOP)
    try:
        yield
    finally:
        for process_id in found:
            os.kill(process_id, signal.SIGCONT)


def put_in_database(service: Rig, chapter_id: str, **values: str) -> None:
    """As only an older service has let somebody."""
    with sqlite3.connect(service.folder / "data" / "database.sqlite3", timeout=10) as database:
        for name, value in values.items():
            database.execute(f"UPDATE chapters SET {name} = ? WHERE id = ?", (value, chapter_id))


def other_pages(first: int, count: int = 4) -> list[bytes]:
    return [new_page(number) for number in range(first, first + count)]


def reorder_elsewhere(service: Rig, chapter: Chapter, chapter_id: str, **draft: Any) -> None:
    """As somebody on the website turns its pages round."""
    session_id = service.begin_edit(chapter_id)
    session = service.session()
    assert session is not None
    files = [item["id"] for item in session["relationships"] if item["type"] == "upload_session_file"]
    values = {"volume": VOLUME, "chapter": chapter.number, "title": TITLE, "translatedLanguage": "en"}
    body = {"chapterDraft": values | draft, "pageOrder": files[::-1]}
    service._http.post(f"/upload/{session_id}/commit", json=body).raise_for_status()


def until_read(service: Rig, chapter_id: str, digests: list[str]) -> None:
    """Its readers get pages of these hashes."""
    until = time.monotonic() + PROCESSED_WITHIN_S
    while [hashlib.sha256(page).hexdigest() for page in service.pages_of(chapter_id)] != digests:
        assert time.monotonic() < until


def test_an_edit_back_to_what_readers_still_get_is_made(service: Rig, network: Link, tmp_path: Path) -> None:
    """By the same machine after another change, and by another one."""
    (chapter, chapter_id), (second, second_id) = published(service, 4), published(service, 4)
    old = list(chapter.pages)
    with nothing_processed(service):
        rewrite(chapter, other_pages(700))
        assert edit(service, network.url, chapter_id, str(chapter.folder)).result["version"] == 2
        assert edit(service, network.url, chapter_id, "--title", "Calm").result["version"] == 3
        rewrite(chapter, old)
        ran = edit(service, network.url, chapter_id, str(chapter.folder))
        assert (ran.status, ran.result["already_done"], ran.result["version"]) == (0, False, 4)
        rewrite(second, other_pages(710))
        assert edit(service, network.url, second_id, str(second.folder)).status == 0
        rewrite(second, old)
        ran = edit(service, network.url, second_id, str(second.folder), HOME=str(tmp_path))
        assert (ran.status, ran.result["already_done"], ran.result["version"]) == (0, False, 3)
    for edited in (chapter_id, second_id):
        assert_read_as(service, edited, old)


@pytest.mark.proof
def test_a_chapter_is_edited_before_its_pages_are_processed(service: Rig, network: Link) -> None:
    published(service, 2)
    with nothing_processed(service):
        chapter = service.chapter(4)
        chapter_id = str(service.upload(chapter, service.service.url).result["chapter_id"])
        rewrite(chapter, [*chapter.pages[::-1], new_page(720)])
        assert edit(service, network.url, chapter_id, str(chapter.folder)).result["kept_pages"] == 4
        again = edit(service, network.url, chapter_id, str(chapter.folder))
        assert (again.status, again.result["confirmed"], again.result["version"]) == (0, False, 2)
        assert edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm").status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    assert (told(service, chapter_id)["title"], told(service, chapter_id)["version"]) == ("Calm", 3)


@pytest.mark.parametrize("service", ["small images"], indirect=True)
def test_pages_that_processing_refused_are_never_said_to_be_there(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    old = list(chapter.pages)
    rewrite(chapter, [*old, draw(9, width=400, height=500)])
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    again = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (again.status, again.result["confirmed"], begun(network)) == (0, False, 1)
    assert "readers do not get them" in again.errors
    assert "as wanted" not in again.errors
    rewrite(chapter, [*old, new_page(721)])
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    assert edit(service, network.url, chapter_id, str(chapter.folder)).result["confirmed"]


def test_a_session_that_ended_elsewhere_is_no_commit_whatever_the_version_is(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    old = list(chapter.pages)
    rewrite(chapter, old[::-1])

    def somebody_else() -> None:
        service.abandon()
        change_elsewhere(service, chapter_id, volume="9")

    network.fail(Cut.BEFORE, "POST", COMMIT, then=somebody_else)
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm")
    assert (ran.status, ran.result["kind"]) == (1, "version_conflict"), ran.errors
    assert f"volume: {VOLUME} -> 9" in ran.errors
    assert "Nothing was changed" not in ran.errors
    assert (told(service, chapter_id)["title"], service.pages_of(chapter_id)) == (TITLE, old)
    assert edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm").result["version"] == 3
    assert (told(service, chapter_id)["title"], told(service, chapter_id)["volume"]) == ("Calm", "9")
    assert_read_as(service, chapter_id, chapter.pages)


def test_after_an_unheard_commit_other_people_s_values_are_no_prey(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    rewrite(chapter, chapter.pages[::-1])
    words = [str(chapter.folder), "--title", "Calm"]
    killed(service, network, Cut.AFTER, COMMIT, chapter_id, *words)
    change_elsewhere(service, chapter_id, title="Theirs")
    ran = edit(service, network.url, chapter_id, *words)
    assert (ran.status, f"title: {TITLE} -> Theirs" in ran.errors) == (1, True), ran.errors
    assert "pages: 4 -> 4, others or in another order" in ran.errors
    assert (told(service, chapter_id)["title"], told(service, chapter_id)["version"]) == ("Theirs", 3)
    assert edit(service, network.url, chapter_id, *words).status == 0
    assert told(service, chapter_id)["title"] == "Calm"
    assert_read_as(service, chapter_id, chapter.pages)


@pytest.mark.proof
def test_after_an_unheard_commit_the_pages_of_other_people_are_a_conflict(service: Rig, network: Link) -> None:
    """Version and values are as after ours; what a session has tells."""
    chapter, chapter_id = published(service, 4)
    rewrite(chapter, [*chapter.pages, new_page(722)])
    killed(service, network, Cut.BEFORE, COMMIT, chapter_id, str(chapter.folder))
    service.abandon()
    with sqlite3.connect(service.folder / ".local" / "state" / "mangadex" / "journal.sqlite3") as journal:
        journal.execute("UPDATE chapter_edits SET state = 'unconfirmed' WHERE chapter_id = ?", (chapter_id,))
    reorder_elsewhere(service, chapter, chapter_id)
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["kind"], service.session()) == (1, "version_conflict", None), ran.errors
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert_read_as(service, chapter_id, chapter.pages)


@pytest.mark.parametrize(
    ("service", "cut", "status"),
    [
        pytest.param("none", "killed", 5),
        pytest.param("none", "lost", 5, marks=pytest.mark.proof),  # it looks for half a minute
        pytest.param("full", "killed", 0, marks=pytest.mark.proof),
        pytest.param("full", "lost", 0, marks=pytest.mark.proof),
    ],
    indirect=["service"],
)
def test_a_commit_that_was_not_heard_of_is_not_made_twice_where_nobody_can_read_it_yet(
    service: Rig, network: Link, cut: str, status: int
) -> None:
    """It is proved by what a session lists, or not at all."""
    chapter = service.chapter(3)
    done = service.upload(chapter, service.service.url, "--title", TITLE, "--publish-at", LATER)
    chapter_id = str(done.result["chapter_id"])
    rewrite(chapter, [*chapter.pages[::-1], new_page(723)])
    if cut == "killed":
        killed(service, network, Cut.AFTER, COMMIT, chapter_id, str(chapter.folder))
    else:
        network.fail(Cut.AFTER, "POST", COMMIT)
        assert edit(service, network.url, chapter_id, str(chapter.folder)).status == status
    sent = network.put_bytes
    pages = str(chapter.folder)
    for words in ([pages], [pages], ["--title", "Calm"], [pages, "--title", "Calm"]):
        ran = edit(service, network.url, chapter_id, *words)
        assert (ran.status, network.put_bytes - sent) == (status if pages in words else 0, 0), ran.errors
        if pages in words:
            assert ran.result["kind" if status else "confirmed"] == ("unconfirmed" if status else False)
    after = told(service, chapter_id)
    assert (after["version"], after["title"], after["publishAt"]) == (3, "Calm", "2999-01-01T00:00:00+00:00")
    assert service.session() is None


def page_elsewhere(service: Rig, chapter: Chapter, chapter_id: str) -> None:
    """As somebody gives the chapter one other page, and keeps what it is called; our session is in the way."""
    service.abandon()
    session_id = service.begin_edit(chapter_id)
    put = service._http.post(f"/upload/{session_id}", files={"0": ("x.png", new_page(726))}).raise_for_status()
    values = {"volume": VOLUME, "chapter": chapter.number, "title": TITLE, "translatedLanguage": "en"}
    body = {"chapterDraft": values, "pageOrder": [put.json()["data"][0]["id"]]}
    service._http.post(f"/upload/{session_id}/commit", json=body).raise_for_status()


@pytest.mark.parametrize("service", ["none"], indirect=True)
def test_where_nothing_proves_a_commit_it_is_unconfirmed_until_told_to_send_again(service: Rig, network: Link) -> None:
    """Somebody's other pages came instead, with the same version and values."""
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages[::-1], new_page(728)])

    killed(service, network, Cut.BEFORE, COMMIT, chapter_id, str(chapter.folder))
    page_elsewhere(service, chapter, chapter_id)
    sent = network.put_bytes
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["kind"], network.put_bytes - sent) == (5, "unconfirmed", 0), ran.errors
    assert ("add --send-again" in ran.errors, service.session()) == (True, None)
    for _ in range(2):
        assert edit(service, network.url, chapter_id, str(chapter.folder), "--send-again").result["version"] == 3
        assert_read_as(service, chapter_id, chapter.pages)


def test_a_commit_that_never_arrived_is_not_claimed_after_one_of_other_people(service: Rig, network: Link) -> None:
    """Version and values are as after ours."""
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages[::-1], new_page(727)])
    words = [str(chapter.folder), "--group", ""]
    network.fail(Cut.BEFORE, "POST", COMMIT, then=lambda: page_elsewhere(service, chapter, chapter_id))
    ran = edit(service, network.url, chapter_id, *words)
    assert (ran.status, ran.result["kind"], service.session()) == (1, "version_conflict", None), ran.errors
    assert f"groups were changed before that: {GROUP} -> none" in ran.errors
    assert "may have come through" in ran.errors
    assert "Nothing" not in ran.errors
    assert told(service, chapter_id)["version"] == 3
    assert edit(service, network.url, chapter_id, *words).result["version"] == 4
    assert_read_as(service, chapter_id, chapter.pages)


@pytest.mark.parametrize(
    "draft", [{}, pytest.param({"publishAt": "2999-01-01T00:00:00"}, marks=pytest.mark.proof)], ids=["order", "time"]
)
def test_a_conflict_shows_pages_and_times_too(service: Rig, network: Link, draft: dict[str, str]) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages, new_page(724)])
    network.fail(Cut.BEFORE, "POST", BEGIN, then=lambda: reorder_elsewhere(service, chapter, chapter_id, **draft))
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    expected = "publish_at: 20" if draft else "pages: 3 -> 3, others or in another order"
    assert (ran.status, expected in ran.errors) == (1, True), ran.errors
    (conflict,) = [it for it in ran.events if it["event"] == "conflict"]
    key = "publish_at" if draft else "page_digests"
    assert conflict["planned"][key] != conflict["present"][key]
    assert conflict["changed"] == {}


@pytest.mark.parametrize("service", ["approval"], indirect=True)
def test_an_edit_after_which_nobody_can_read_the_chapter_says_that_it_waits(service: Rig, network: Link) -> None:
    chapter = service.chapter(3)
    chapter_id = str(service.upload(chapter, service.service.url).result["chapter_id"])
    approve = [PROGRAM, "review", "approve", chapter_id, "--data-dir", str(service.folder / "data")]
    subprocess.run(approve, check=True, capture_output=True)
    service.pages_of(chapter_id)
    rewrite(chapter, chapter.pages[::-1])
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["needs_approval"], "waits for a moderator" in ran.errors) == (0, True, True)
    assert service._http.get(f"/at-home/server/{chapter_id}").status_code == 404
    subprocess.run(approve, check=True, capture_output=True)
    assert_read_as(service, chapter_id, chapter.pages)
    ran = edit(service, network.url, chapter_id, "--title", "Calm")
    assert (ran.status, ran.result["needs_approval"]) == (0, None)


def test_what_is_not_given_is_kept_whatever_it_is(service: Rig, network: Link) -> None:
    where = ["--data-dir", str(service.folder / "data")]
    added = subprocess.run([PROGRAM, "group", "add", "Second", *where], capture_output=True, text=True, check=True)
    chapter, second = service.chapter(3), added.stdout.strip()
    options = ["--group", second, "--title", TITLE, "--publish-at", LATER]
    chapter_id = str(service.upload(chapter, service.service.url, *options).result["chapter_id"])
    before = told(service, chapter_id)
    assert sorted(before["groups"]) == sorted([GROUP, second])
    rewrite(chapter, [*chapter.pages[::-1], new_page(725)])
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    after = told(service, chapter_id)
    processed = {"pages": after["pages"], "readableAt": after["readableAt"]}
    assert after == before | processed | {"version": 2}
    put_in_database(service, chapter_id, chapter="010", volume="TBD")
    assert edit(service, network.url, chapter_id, "--title", "Calm").status == 0
    assert told(service, chapter_id) == after | {"title": "Calm", "version": 3, "chapter": "010", "volume": "TBD"}
    rewrite(chapter, chapter.pages[::-1])
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--volume", "2")
    assert (ran.status, "its chapter is '010'" in ran.errors, "--chapter" in ran.errors) == (2, True, True)
    assert told(service, chapter_id)["version"] == 3
    given = ["--volume", "2", "--chapter", "10"]
    assert edit(service, network.url, chapter_id, str(chapter.folder), *given).status == 0
    assert (told(service, chapter_id)["chapter"], told(service, chapter_id)["volume"]) == ("10", "2")


@pytest.mark.proof
@pytest.mark.parametrize("service", ["none"], indirect=True)
def test_more_pages_than_fit_beside_the_present_ones_are_counted_before_they_are_sent(
    service: Rig, network: Link
) -> None:
    chapter = service.chapter(260, width=60, height=80)
    chapter_id = str(service.upload(chapter, service.service.url).result["chapter_id"])
    service.pages_of(chapter_id)
    pages = chapter.pages[::-1]
    rewrite(chapter, pages)
    for words, changed in (
        ([], "Nothing was changed"),
        (["--group", ""], f"groups were changed before that: {GROUP} -> none. Nothing else was"),
    ):
        ran = edit(service, network.url, chapter_id, str(chapter.folder), *words)
        assert (ran.status, network.put_bytes, service.session()) == (7, 0, None), ran.errors
        assert (changed in ran.errors, "at most 240 pages first" in ran.errors) == (True, True), ran.errors
    for some in (pages[:240], pages):
        rewrite(chapter, some)
        assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
        assert_read_as(service, chapter_id, some)


@pytest.mark.proof
def test_pages_that_were_prepared_are_not_sent_again(service: Rig, network: Link, tmp_path: Path) -> None:
    chapter, chapter_id = published(service, 2)
    for file in chapter.folder.iterdir():
        file.unlink()
    for number in (1, 2):
        (chapter.folder / f"{number}.webp").write_bytes(draw_as(".webp", width=200, height=300 + number))
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (ran.status, ran.result["kept_pages"]) == (0, 0), ran.errors
    (planned,) = [it for it in ran.events if it["event"] == "planned"]
    until_read(service, chapter_id, [page["sha256"] for page in planned["pages"]])
    sent = network.put_bytes
    for environment in ({}, {"HOME": str(tmp_path)}):
        again = edit(service, network.url, chapter_id, str(chapter.folder), **environment)
        assert (again.status, again.result["already_done"], again.result["version"]) == (0, True, 2), again.errors
    assert (network.put_bytes - sent, service.session()) == (0, None)


@pytest.mark.proof
def test_a_wait_for_the_service_s_limits_is_told(service: Rig, network: Link) -> None:
    _, chapter_id = published(service, 2)
    service.fault(fault="429", method="PUT", path=VALUES, wait_s=5)
    ran = paced(service, *command(chapter_id, "--title", "Calm"))
    assert ran.status == 0, ran.errors
    (retrying,) = [it for it in ran.events if it["event"] == "retrying"]
    assert 1.5 < retrying["wait_seconds"] < 10
    assert "takes no more requests of this kind for now" in ran.errors


def test_a_slow_call_takes_one_place_of_the_limit() -> None:
    """To look whether it waits takes none."""
    pacer = mangadex.Pacer()
    pacer.learn("commit", limit(remaining=2), time.time())
    told_of: list[Event] = []

    async def main() -> None:
        configuration = mangadex.Configuration(host="http://127.0.0.1:1", pacing=pacer)
        async with mangadex.AsyncApiClient(configuration) as client:
            service = Service(client, "host", "account", cast("Journal", None), told_of.append)
            is_over = asyncio.Event()
            asyncio.get_running_loop().call_later(SILENT_S + 0.1, is_over.set)
            await telling_waits(service, "commit", is_over.wait())

    asyncio.run(main())
    assert [pacer.reserve(time.time(), "commit") > 0 for _ in range(3)] == [False, False, True]
    assert told_of == []


def limit(remaining: int) -> dict[str, str]:
    values = {"limit": 10, "remaining": remaining, "retry-after": int(time.time()) + 60}
    return {f"x-ratelimit-{name}": str(value) for name, value in values.items()}


@pytest.mark.proof
def test_an_edit_keeps_the_limits(tmp_path: Path) -> None:
    """Counted by the service; nobody else asks it meanwhile."""
    with rig(tmp_path) as service:
        chapter, chapter_id = published(service, 20)
    rewrite(chapter, [*chapter.pages[::-1], *other_pages(730, 30)])
    with rig(tmp_path, MANGADEX_SERVER_RATE_LIMITS="true") as service:
        ran = paced(service, *command(chapter_id, str(chapter.folder), "--title", "Calm", "--group", ""))
        assert (ran.status, ran.result["version"], ran.result["kept_pages"]) == (0, 3, 20), ran.errors
        assert 'status="429"' not in service._http.get("/metrics").raise_for_status().text


def paced(service: Rig, *words: str) -> Ran:
    pipe = subprocess.PIPE
    typed = [word for word in words if word != "--no-pacing"]
    environment = service.environment(service.service.url)
    return ended(subprocess.Popen(typed, stdout=pipe, stderr=pipe, text=True, env=environment))
