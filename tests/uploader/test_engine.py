"""The engine as a library, against the real service: what the program's tests cannot reach from outside."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from link import Cut, Link
from rig import CREDENTIALS, GROUP, MANGA, Rig, link, rig
from rig import Chapter as Drawn

import mangadex_openapi as mangadex
from mangadex_uploader import Chapter, Event, Journal, OpenSessionPolicy, Result, Uploader, UploadError, upload_chapter
from mangadex_uploader.errors import DuplicateChapter, ForeignSession, SessionLost, TryLater, UsageError
from mangadex_uploader.events import Committing, Note, PagesStored, Planned, SessionReady
from mangadex_uploader.journal import State

PUT, COMMIT = r"/upload/[0-9a-f-]{36}", r"/upload/[0-9a-f-]{36}/commit"

T = TypeVar("T")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "journal.sqlite3")
    yield made
    made.close()


def configuration(url: str, **more: Any) -> mangadex.Configuration:
    personal = mangadex.PersonalClient(
        username=CREDENTIALS["MANGADEX_USERNAME"],
        password=CREDENTIALS["MANGADEX_PASSWORD"],
        client_id=CREDENTIALS["MANGADEX_CLIENT_ID"],
        client_secret=CREDENTIALS["MANGADEX_CLIENT_SECRET"],
        auth_url=f"{url}/realms/mangadex/protocol/openid-connect",
    )
    return mangadex.Configuration(url, auth=personal, pacing=False, **more)


def wanted(drawn: Drawn, **more: Any) -> Chapter:
    return Chapter(path=drawn.folder, manga=MANGA, groups=(GROUP,), chapter=drawn.number, **more)


def with_uploader(
    url: str,
    journal: Journal,
    work: Callable[[Uploader], Coroutine[Any, Any, T]],
    *,
    timeouts: mangadex.Timeouts = mangadex.Timeouts(),  # noqa: B008 - frozen
    **options: Any,
) -> T:
    async def main() -> T:
        async with (
            mangadex.AsyncApiClient(configuration(url, timeouts=timeouts)) as client,
            Uploader(client, account="sandbox", journal=journal, terms_accepted=True, **options) as uploader,
        ):
            return await work(uploader)

    return asyncio.run(main())


def test_events_come_in_order_and_the_result_last(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(12)

    async def work(uploader: Uploader) -> list[Event | Result]:
        return [event async for event in uploader.events(wanted(drawn))]

    events = with_uploader(network.url, journal, work)
    assert [type(event) for event in events] == [Planned, SessionReady, PagesStored, PagesStored, Committing, Result]
    result = events[-1]
    assert isinstance(result, Result)
    assert (result.confirmed, result.needs_approval, result.already_done) == (True, False, False)
    assert result.sent_bytes == sum(map(len, drawn.pages))
    assert service.assert_published_once(drawn) == result.chapter_id


def test_synchronous_code_may_upload_too(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(2)
    result = upload_chapter(
        wanted(drawn), configuration(network.url), account="sandbox", journal=journal, terms_accepted=True
    )
    assert service.assert_published_once(drawn) == result.chapter_id


def test_nothing_without_the_terms(network: Link, journal: Journal) -> None:
    client = mangadex.AsyncApiClient(configuration(network.url))
    with pytest.raises(UsageError, match="terms"):
        Uploader(client, account="sandbox", journal=journal, terms_accepted=False)


def test_a_page_that_was_changed_on_the_way_is_sent_again(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(9)
    network.fail(Cut.FLIP, "POST", PUT)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    assert len([1 for method, path in network.requests if method == "POST" and path.count("/") == 2]) > 2
    service.assert_published_once(drawn)


def test_a_line_that_falls_silent_is_given_up_and_tried_again(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(12)
    network.fail(Cut.STALL, "POST", PUT)
    timeouts = mangadex.Timeouts(write_s=1, slow_read_s=1)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), timeouts=timeouts)
    service.assert_published_once(drawn)


def test_a_page_that_changes_meanwhile_stops_its_chapter(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(3)

    def change(event: Event) -> None:
        if isinstance(event, Planned):
            (drawn.folder / "002.png").write_bytes(drawn.pages[0])

    with pytest.raises(UploadError, match=r"002\.png changed"):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), on_event=change)
    assert service.published(drawn) == []


def test_a_session_that_is_closed_meanwhile_is_lost_and_the_next_run_begins_anew(
    service: Rig, network: Link, journal: Journal
) -> None:
    drawn = service.chapter(3)

    def close(event: Event) -> None:
        if isinstance(event, SessionReady):
            service.abandon()

    with pytest.raises(SessionLost):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), on_event=close)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    service.assert_published_once(drawn)


def test_a_publish_date_that_passes_meanwhile_is_no_now(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(2)
    soon = datetime.now(UTC) + timedelta(seconds=2)

    async def work(uploader: Uploader) -> Result:
        service.fault(fault="late", method="POST", path=PUT, wait_s=2.5)
        return await uploader.upload(wanted(drawn, publish_at=soon))

    with pytest.raises(UsageError, match="passed"):
        with_uploader(network.url, journal, work)
    assert service.published(drawn) == []
    session = service.session()
    assert session is not None
    assert journal.uploads()[0].session_id == session["id"]


def test_a_chapter_that_appears_meanwhile_is_a_duplicate(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(2)

    def other(event: Event) -> None:
        if isinstance(event, SessionReady):
            service.publish_by_another(drawn)

    with pytest.raises(DuplicateChapter):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), on_event=other)
    assert len(service.published(drawn)) == 1


def test_a_commit_that_nobody_sees_is_not_made_twice(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(2)
    service.fault(fault="drop-after", method="POST", path=COMMIT)
    service.fault(fault="503", method="GET", path="/chapter", after=2, times=1000)
    with pytest.raises(TryLater):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    assert journal.uploads()[0].state is State.UNCONFIRMED
    service.no_faults()
    result = with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    assert (result.confirmed, result.already_done) == (True, True)
    assert service.assert_published_once(drawn) == result.chapter_id


def test_other_pages_under_the_same_name_are_no_silent_success(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(3)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    (drawn.folder / "003.png").unlink()
    with pytest.raises(DuplicateChapter, match="other pages"):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    service.assert_published_once(drawn)


def test_our_session_of_another_chapter_is_named(service: Rig, network: Link, journal: Journal) -> None:
    first, second = service.chapter(2), service.chapter(2)
    service.fault(fault="reject-page", method="POST", path=PUT, times=50)
    with pytest.raises(UploadError):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(first)))
    service.no_faults()
    with pytest.raises(ForeignSession, match=first.folder.name):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(second)))

    async def both(uploader: Uploader) -> list[str]:
        ordered = uploader.unfinished_first([wanted(second), wanted(first)])
        for chapter in ordered:
            await uploader.upload(chapter)
        return [chapter.path.name for chapter in ordered]

    assert with_uploader(network.url, journal, both) == [first.folder.name, second.folder.name]
    service.assert_published_once(first)
    service.assert_published_once(second)


def test_a_session_that_changes_a_published_chapter_is_never_used(
    service: Rig, network: Link, journal: Journal
) -> None:
    published, drawn = service.chapter(2), service.chapter(2)
    result = with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(published)))
    editing = service.begin_edit(str(result.chapter_id))
    for policy in (OpenSessionPolicy.STOP, OpenSessionPolicy.ADOPT):
        with pytest.raises(ForeignSession, match="changes a chapter"):
            with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), open_session=policy)
    with pytest.raises(ForeignSession, match="changes a chapter"):  # although its files are the very pages
        with_uploader(network.url, journal, lambda it: it.upload(wanted(published)), allow_duplicate=True)
    session = service.session()
    assert session is not None
    assert session["id"] == editing


def test_two_at_once_wait_for_each_other(service: Rig, network: Link, journal: Journal) -> None:
    first, second = service.chapter(12), service.chapter(12)
    told: list[Event] = []

    async def work(uploader: Uploader) -> None:
        await asyncio.gather(uploader.upload(wanted(first)), uploader.upload(wanted(second)))

    with_uploader(network.url, journal, work, on_event=told.append)
    assert [event for event in told if isinstance(event, Note) and "waiting" in event.text]
    service.assert_published_once(first)
    service.assert_published_once(second)


def test_no_more_is_on_its_way_than_allowed(service: Rig, journal: Journal) -> None:
    drawn = service.chapter(20, 1_400_000, width=1400, height=2000)
    stored_bytes, most = 0, 0

    with link(service, bytes_per_s=60e6) as network:

        def stored(event: Event) -> None:
            nonlocal stored_bytes, most
            if isinstance(event, PagesStored):
                most = max(most, network.put_bytes - stored_bytes)
                stored_bytes += event.size_bytes

        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)), on_event=stored)
    assert most <= (16 << 20) + 100_000
    assert most > 4_000_000  # several at once
    service.assert_published_once(drawn)


def test_the_journal_is_its_owners_alone_and_knows_newer_ones(tmp_path: Path) -> None:
    path = tmp_path / "state" / "journal.sqlite3"
    Journal(path).close()
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(UsageError, match="newer"):
        Journal(path)


def test_a_journal_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal.sqlite3").write_bytes(b"no database at all" * 100)
    with pytest.raises(UsageError, match="cannot be used"):
        Journal(tmp_path / "journal.sqlite3")


def killed(service: Rig, drawn: Drawn, url: str, cut: Cut, path: str, network: Link) -> None:
    """Run the program until it is killed at this request."""
    process = service.start(drawn, url)
    network.fail(cut, "POST", path, then=process.kill)
    process.communicate(timeout=60)


def test_pages_that_changed_after_an_unheard_commit_are_no_silent_success(service: Rig, network: Link) -> None:
    drawn = service.chapter(3)
    killed(service, drawn, network.url, Cut.AFTER, COMMIT, network)
    other = service.chapter(1).pages[0]
    (drawn.folder / "002.png").write_bytes(other)
    ran = service.upload(drawn, network.url)
    assert ran.status == 6, ran.errors
    service.assert_published_once(drawn)


def test_pages_that_changed_after_an_unheard_begin_are_the_ones_published(service: Rig, network: Link) -> None:
    drawn = service.chapter(3)
    killed(service, drawn, network.url, Cut.AFTER, "/upload/begin", network)
    drawn.pages[1] = service.chapter(1).pages[0]
    (drawn.folder / "002.png").write_bytes(drawn.pages[1])
    for _ in range(2):  # the second time there is nothing to do
        assert service.upload(drawn, network.url).status == 0
        service.assert_published_once(drawn)


def test_a_commit_that_comes_through_late_is_found(service: Rig, network: Link) -> None:
    """Killed before its commit was answered; it takes effect while the next run is on its way."""
    drawn = service.chapter(3)
    killed(service, drawn, network.url, Cut.BEFORE, COMMIT, network)
    process = service.start(drawn, network.url)
    network.fail(Cut.BEFORE, "GET", "/chapter", then=lambda: service.commit_open(drawn))
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert service.assert_published_once(drawn) in output


def test_a_closed_upload_does_not_hide_one_that_may_be_published(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(2)
    service.fault(fault="drop-after", method="POST", path=COMMIT)
    service.fault(fault="503", method="GET", path="/chapter", after=2, times=1000)
    with pytest.raises(TryLater):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    service.no_faults()
    service.begin()
    with pytest.raises(ForeignSession):
        with_uploader(network.url, journal, lambda it: it.upload(wanted(drawn)), allow_duplicate=True)
    service.abandon()
    before = len(network.requests)
    result = with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    assert (result.confirmed, result.already_done) == (True, True)
    assert ("POST", "/upload/begin") not in network.requests[before:]


def test_a_first_page_that_was_changed_on_the_way_is_seen_without_experience(
    service: Rig, network: Link, journal: Journal
) -> None:
    drawn = service.chapter(1)
    network.fail(Cut.FLIP, "POST", PUT)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    service.assert_published_once(drawn)


def test_a_date_that_passes_while_the_commit_is_tried_again_is_no_now(
    service: Rig, network: Link, journal: Journal
) -> None:
    drawn = service.chapter(2)
    soon = datetime.now(UTC) + timedelta(seconds=3)
    service.fault(fault="503", method="POST", path=COMMIT, times=4)
    with pytest.raises(UsageError, match="passed"):
        with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn, publish_at=soon)))
    assert service.published(drawn) == []


def test_an_outage_of_seconds_is_lived_through(service: Rig, network: Link, journal: Journal) -> None:
    drawn = service.chapter(12)
    service.fault(fault="drop-after", method="POST", path=PUT)
    service.fault(fault="503", method="GET", path="/upload", times=7)
    with_uploader(network.url, journal, lambda uploader: uploader.upload(wanted(drawn)))
    service.assert_published_once(drawn)


def test_a_oneshot_is_not_continued_with_the_pages_of_another(service: Rig, network: Link, journal: Journal) -> None:
    first, second = service.chapter(2), service.chapter(3)
    service.fault(fault="reject-page", method="POST", path=PUT, times=50, page=1)
    with pytest.raises(UploadError):
        with_uploader(network.url, journal, lambda it: it.upload(replace(wanted(first), chapter=None)))
    service.no_faults()
    with pytest.raises(ForeignSession, match=first.folder.name):
        with_uploader(network.url, journal, lambda it: it.upload(replace(wanted(second), chapter=None)))
    session = service.session()
    assert session is not None
    assert len([item for item in session["relationships"] if item["type"] == "upload_session_file"]) == 1
