"""The program against the real service, over a link and with a service that fail: all pages once and in order, or
nothing published and the next run completes it. Each at each level of what the service tells of a session's files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any

import pytest
from link import Cut
from rig import GROUP, Rig, link, rig

PUT, BEGIN, COMMIT = r"/upload/[0-9a-f-]{36}", "/upload/begin", r"/upload/[0-9a-f-]{36}/commit"
LEVELS = ("full", "ids", "none")

PASSING: dict[str, list[dict[str, Any]]] = {
    "pages: 429 with a time": [{"fault": "429", "method": "POST", "path": PUT, "after": 1, "wait_s": 1}],
    "pages: 429 thrice, no time": [
        {"fault": "429-without-time", "method": "POST", "path": PUT, "after": 1, "times": 4},
    ],
    "pages: token expired": [{"fault": "401", "method": "POST", "path": PUT, "after": 1}],
    "pages: 500 without effect": [{"fault": "500", "method": "POST", "path": PUT, "after": 1}],
    "pages: 500 with effect": [{"fault": "500-after", "method": "POST", "path": PUT, "after": 1, "times": 2}],
    "pages: 503 for a while": [{"fault": "503", "method": "POST", "path": PUT, "times": 5}],
    "pages: lost before": [{"fault": "drop-before", "method": "POST", "path": PUT}],
    "pages: lost in the request": [{"fault": "drop-in-request", "method": "POST", "path": PUT, "at_byte": 9000}],
    "pages: lost answer": [{"fault": "drop-after", "method": "POST", "path": PUT, "times": 3}],
    "pages: cut answer": [{"fault": "drop-in-answer", "method": "POST", "path": PUT, "at_byte": 50}],
    "pages: stalled": [{"fault": "stall-after", "method": "POST", "path": PUT, "wait_s": 1}],
    "pages: one refused once": [{"fault": "reject-page", "method": "POST", "path": PUT, "after": 1, "page": 3}],
    "pages: one refused thrice": [
        {"fault": "reject-page", "method": "POST", "path": PUT, "after": 2, "page": 10},
        {"fault": "reject-page", "method": "POST", "path": PUT, "times": 2},
    ],
    "begin: lost before": [{"fault": "drop-before", "method": "POST", "path": BEGIN}],
    "begin: lost answer": [{"fault": "drop-after", "method": "POST", "path": BEGIN}],
    "begin: 500 with effect": [{"fault": "500-after", "method": "POST", "path": BEGIN}],
    "commit: lost before": [{"fault": "drop-before", "method": "POST", "path": COMMIT}],
    "commit: lost answer": [{"fault": "drop-after", "method": "POST", "path": COMMIT}],
    "commit: cut answer": [{"fault": "drop-in-answer", "method": "POST", "path": COMMIT, "at_byte": 50}],
    "commit: 503 with effect": [{"fault": "503-after", "method": "POST", "path": COMMIT}],
    "commit: 503 without effect": [{"fault": "503", "method": "POST", "path": COMMIT, "times": 2}],
    "all at once": [
        {"fault": "drop-after", "method": "POST", "path": BEGIN},
        {"fault": "drop-after", "method": "POST", "path": PUT},
        {"fault": "500-after", "method": "POST", "path": PUT, "after": 2},
        {"fault": "reject-page", "method": "POST", "path": PUT, "after": 2, "page": 1},
        {"fault": "drop-after", "method": "POST", "path": COMMIT},
        {"fault": "503", "method": "GET", "path": "/upload"},
    ],
}


EVERYWHERE = {
    "pages: 500 with effect",
    "pages: lost answer",
    "pages: one refused once",
    "begin: lost answer",
    "commit: lost answer",
    "all at once",
}
"""What is met differently at each level; `make prove` has the others there too."""


def at_each_level(names: Iterable[str], everywhere: Collection[str]) -> list[Any]:
    return [
        pytest.param(level, name, marks=() if level == "full" or name in everywhere else pytest.mark.proof)
        for level in LEVELS
        for name in names
    ]


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(
        tmp_path_factory.mktemp("rig"), MANGADEX_SERVER_SANDBOX_FILE_LIST=getattr(request, "param", "full")
    ) as made:
        yield made


@pytest.mark.parametrize(("service", "name"), at_each_level(PASSING, EVERYWHERE), indirect=["service"])
def test_trouble_that_passes_is_lived_through(service: Rig, name: str) -> None:
    chapter = service.chapter()
    with link(service) as network:
        for fault in PASSING[name]:
            service.fault(**fault)
        ran = service.upload(chapter, network.url)
        assert ran.status == 0, ran.errors
        assert service.assert_published_once(chapter) == ran.result["chapter_id"]
        assert service.session() is None


@pytest.mark.parametrize(
    ("service", "cut"), at_each_level(["BEFORE", "IN_REQUEST", "AFTER", "IN_ANSWER"], []), indirect=["service"]
)
def test_a_cut_line_is_lived_through(service: Rig, cut: str) -> None:
    chapter = service.chapter()
    with link(service) as network:
        network.fail(Cut[cut], "POST", PUT, after=1, times=2)
        ran = service.upload(chapter, network.url)
        assert ran.status == 0, ran.errors
        service.assert_published_once(chapter)


EACH_LEVEL = pytest.mark.parametrize(
    "service", ["full", pytest.param("ids", marks=pytest.mark.proof), "none"], indirect=True
)


@EACH_LEVEL
def test_a_page_that_is_always_refused_publishes_nothing_and_keeps_the_rest(service: Rig) -> None:
    chapter = service.chapter()
    with link(service) as network:
        service.fault(fault="reject-page", method="POST", path=PUT, after=1, times=100, page=1)
        ran = service.upload(chapter, network.url)
        assert ran.status == 7
        assert "refuses" in ran.errors
        assert service.published(chapter) == []
        assert service.session() is not None
        service.no_faults()
        sent_before = network.put_bytes
        assert service.until_done(chapter, network.url).status == 0
        service.assert_published_once(chapter)
        assert network.put_bytes - sent_before < sum(map(len, chapter.pages)) + 20_000


@pytest.mark.parametrize(
    "service", ["full", *(pytest.param(level, marks=pytest.mark.proof) for level in ("ids", "none"))], indirect=True
)
def test_a_service_that_stays_down_is_status_5_and_the_next_run_completes(service: Rig) -> None:
    chapter = service.chapter()
    with link(service) as network:
        service.fault(fault="drop-before", method="GET", path="/upload", times=1000)
        service.fault(fault="drop-after", method="POST", path=PUT, times=1000)
        ran = service.upload(chapter, network.url)
        assert ran.status == 5, ran.errors
        assert service.published(chapter) == []
        service.no_faults()
        assert service.until_done(chapter, network.url).status == 0
        service.assert_published_once(chapter)


def test_a_foreign_session_is_left_alone(service: Rig) -> None:
    chapter = service.chapter(4)
    with link(service) as network:
        foreign = service.begin()
        service.put(foreign, "mine.png", chapter.pages[0])
        ran = service.upload(chapter, network.url)
        assert ran.status == 3
        assert foreign in ran.errors
        session = service.session()
        assert session is not None
        assert session["id"] == foreign
        assert not [1 for method, path in network.requests if method == "DELETE" or path.endswith("/commit")]
        assert service.published(chapter) == []
        assert service.upload(chapter, network.url, "--abandon-existing").status == 0
        service.assert_published_once(chapter)


def test_a_foreign_session_can_be_used(service: Rig) -> None:
    chapter = service.chapter(4)
    with link(service) as network:
        foreign = service.begin(GROUP)
        service.put(foreign, "mine.png", chapter.pages[0])
        assert service.upload(chapter, network.url, "--adopt").status == 0
        service.assert_published_once(chapter)


def test_a_session_of_other_groups_is_never_used(service: Rig) -> None:
    """A commit cannot change them: the chapter would be published for the wrong ones."""
    chapter = service.chapter(4)
    with link(service) as network:
        foreign = service.begin()
        service.put(foreign, service.wire_name(chapter, 1), chapter.pages[0])
        assert service.upload(chapter, network.url).status == 3
        ran = service.upload(chapter, network.url, "--adopt")
        assert (ran.status, "no groups" in ran.errors) == (3, True)
        assert service.published(chapter) == []


@pytest.mark.parametrize("service", ["ids", "none"], indirect=True)
def test_a_session_of_which_too_little_is_told_is_never_adopted(service: Rig) -> None:
    """It may be one that changes a published chapter."""
    published, chapter = service.chapter(2), service.chapter(2)
    with link(service) as network:
        done = service.upload(published, network.url)
        service.begin_edit(str(done.result["chapter_id"]))
        assert service.upload(chapter, network.url, "--adopt").status == 3
        assert service.published(chapter) == []
        service.abandon()
        service.assert_published_once(published)


def test_the_same_command_again_has_nothing_to_do(service: Rig) -> None:
    chapter = service.chapter(4)
    with link(service) as network:
        first = service.upload(chapter, network.url)
        before = len(network.requests)
        again = service.upload(chapter, network.url)
        assert (first.status, again.status) == (0, 0)
        assert again.result["chapter_id"] == first.result["chapter_id"]
        assert not [1 for method, path in network.requests[before:] if path.startswith("/upload")]
        service.assert_published_once(chapter)


def test_a_chapter_that_others_published_is_a_duplicate(service: Rig) -> None:
    chapter = service.chapter(4)
    with link(service) as network:
        assert service.upload(chapter, network.url).status == 0
        home = service.folder / "another home"
        home.mkdir(exist_ok=True)
        ran = service.upload(chapter, network.url, HOME=str(home))
        assert ran.status == 6
        assert service.session() is None
        service.assert_published_once(chapter)
        assert service.upload(chapter, network.url, "--allow-duplicate", HOME=str(home)).status == 0
        assert len(service.published(chapter)) == 2
