"""Sessions that an upload meets after it asked for one without hearing of it: its own, and those of others."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from link import Cut, Link
from rig import GROUP, Chapter, Rig, link, rig
from test_engine import wanted, with_uploader

from mangadex_uploader.errors import ForeignSession
from mangadex_uploader.journal import Journal

BEGIN = "/upload/begin"
LONG_S = 10.0


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    level = getattr(request, "param", "full")
    with rig(tmp_path_factory.mktemp("rig"), MANGADEX_SERVER_SANDBOX_FILE_LIST=level) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


def killed(service: Rig, network: Link, cut: Cut, chapter: Chapter) -> None:
    """An upload that ends while it begins its session."""
    process = service.start(chapter, network.url)
    network.fail(cut, "POST", BEGIN, then=process.kill)
    process.communicate(timeout=60)


def long_ago(service: Rig) -> None:
    """Let the last begin have been sent some seconds earlier."""
    with closing(sqlite3.connect(service.folder / ".local/state/mangadex/journal.sqlite3")) as database, database:
        newest = "(SELECT max(id) FROM uploads)"
        database.execute(f"UPDATE uploads SET intended_at = intended_at - ? WHERE id = {newest}", (LONG_S,))


def open_id(service: Rig) -> str | None:
    session = service.session()
    return None if session is None else str(session["id"])


def listed(service: Rig) -> list[str]:
    """The pages that the open session is told to have."""
    session = service.session()
    assert session is not None
    return [item["id"] for item in session["relationships"] if item["type"] == "upload_session_file"]


def begun_elsewhere(service: Rig, what: str, published_id: str, page: bytes) -> str:
    if what == "an edit":
        return service.begin_edit(published_id)
    session_id = service.begin(GROUP)
    if what == "an upload with pages":
        service.put(session_id, "a.png", page)
    return session_id


FOREIGN = ["an upload", "an upload with pages", "an edit"]


@pytest.mark.parametrize(
    ("service", "what"),
    [
        *(pytest.param("full", what, marks=() if what == FOREIGN[0] else pytest.mark.proof) for what in FOREIGN),
        *(pytest.param("ids", what, marks=pytest.mark.proof) for what in FOREIGN),
        *(pytest.param("none", what, marks=() if what == FOREIGN[2] else pytest.mark.proof) for what in FOREIGN),
    ],
    indirect=["service"],
)
def test_what_was_begun_elsewhere_seconds_later_is_left_alone(service: Rig, network: Link, what: str) -> None:
    published, chapter = service.chapter(2), service.chapter(3)
    published_id = str(service.upload(published, network.url).result["chapter_id"])
    killed(service, network, Cut.BEFORE, chapter)
    long_ago(service)
    foreign = begun_elsewhere(service, what, published_id, published.pages[0])
    is_empty = not listed(service)
    for _ in range(2):  # what is said stays the same
        ran = service.upload(chapter, network.url)
        assert (ran.status, ran.result["session_id"], open_id(service)) == (3, foreign, foreign), ran.errors
        assert "--abandon-existing" in ran.errors
        assert ("this upload asked for" in ran.errors, "session show" in ran.errors) == (is_empty, is_empty)
    assert not [1 for method, path in network.requests if method == "DELETE"]
    assert service.published(chapter) == []
    assert service.assert_published_once(published) == published_id
    assert service.upload(chapter, network.url, "--abandon-existing").status == 0
    service.assert_published_once(chapter)
    assert service.assert_published_once(published) == published_id


def test_one_that_may_be_ours_can_be_used_as_told(service: Rig, network: Link) -> None:
    chapter = service.chapter(2)
    begun_elsewhere(service, "an upload with pages", "", chapter.pages[0])
    assert service.upload(chapter, network.url).status == 3  # has seen that the service lists pages
    service.abandon()
    killed(service, network, Cut.AFTER, chapter)
    long_ago(service)
    ran = service.upload(chapter, network.url)
    assert (ran.status, "use --adopt to fill it" in ran.errors) == (3, True), ran.errors
    assert service.upload(chapter, network.url, "--adopt").status == 0
    service.assert_published_once(chapter)


@pytest.mark.proof
def test_an_edit_of_the_very_moment_is_told_by_its_pages(service: Rig, network: Link) -> None:
    published, chapter = service.chapter(2), service.chapter(3)
    published_id = str(service.upload(published, network.url).result["chapter_id"])
    killed(service, network, Cut.BEFORE, chapter)
    foreign = service.begin_edit(published_id)
    ran = service.upload(chapter, network.url)
    assert (ran.status, open_id(service)) == (3, foreign), ran.errors
    assert "changes a chapter that is published" in ran.errors


def test_the_moment_is_that_of_the_last_begin(service: Rig, network: Link) -> None:
    chapter = service.chapter(2)
    killed(service, network, Cut.BEFORE, chapter)
    long_ago(service)
    killed(service, network, Cut.AFTER, chapter)
    begun = open_id(service)
    ran = service.upload(chapter, network.url)
    assert ran.status == 0, ran.errors
    assert [it["session_id"] for it in ran.events if it["event"] == "session"] == [begun]
    service.assert_published_once(chapter)


def test_within_a_run_it_lasts_until_the_loss_is_known(service: Rig, network: Link, tmp_path: Path) -> None:
    chapter, ahead_s = service.chapter(2), -LONG_S

    def arrived() -> None:
        nonlocal ahead_s
        ahead_s = 0.0

    network.fail(Cut.AFTER, "POST", BEGIN, then=arrived)
    with closing(Journal(tmp_path / "journal.sqlite3", lambda: time.time() + ahead_s)) as journal:
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(chapter)))
    service.assert_published_once(chapter)


@pytest.mark.parametrize("ahead_s", [LONG_S, -LONG_S])
def test_within_a_run_it_lasts_no_longer(service: Rig, network: Link, tmp_path: Path, ahead_s: float) -> None:
    """As if the other session had been begun so long before the request, or after its loss was known."""
    chapter, foreign = service.chapter(2), []
    network.fail(Cut.BEFORE, "POST", BEGIN, then=lambda: foreign.append(service.begin(GROUP)))
    with (
        closing(Journal(tmp_path / "journal.sqlite3", lambda: time.time() + ahead_s)) as journal,
        pytest.raises(ForeignSession, match="this upload asked for"),
    ):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(chapter)))
    assert [open_id(service)] == foreign
    assert service.published(chapter) == []
