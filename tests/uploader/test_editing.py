"""Chapters that are published get other pages and values: the real program against the real service."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from link import Cut, Link
from pages import draw
from rig import GROUP, MANGA, MANGADEX, PROCESSED_WITHIN_S, Chapter, Ran, Rig, ended, link, rig

from mangadex_uploader.edit_plan import Values, differences
from mangadex_uploader.errors import UsageError
from mangadex_uploader.run_edit import chapter_in

PUT, COMMIT = r"/upload/[0-9a-f-]{36}", r"/upload/[0-9a-f-]{36}/commit"
BEGIN, VALUES = r"/upload/begin/[0-9a-f-]{36}", r"/chapter/[0-9a-f-]{36}"
TITLE, VOLUME = "The storm", "3"
PART_BYTES = 400  # the head of a part, and its share of a request's form
LEVELS: dict[str, dict[str, str]] = {
    "full": {},
    "ids": {"MANGADEX_SERVER_SANDBOX_FILE_LIST": "ids"},
    "none": {"MANGADEX_SERVER_SANDBOX_FILE_LIST": "none"},
    "remote without names": {"MANGADEX_SERVER_SANDBOX_REMOTE_NAMES": "false"},
}


@pytest.fixture(scope="module")
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig"), **LEVELS[getattr(request, "param", "full")]) as made:
        yield made


@pytest.fixture
def network(service: Rig) -> Iterator[Link]:
    with link(service) as made:
        yield made


def command(chapter_id: str, *words: str) -> list[str]:
    return [MANGADEX, "edit", chapter_id, *words, "--accept-terms", "--json", "--no-pacing", "--non-interactive"]


def start(service: Rig, url: str, chapter_id: str, *words: str, **environment: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    variables = service.environment(url) | environment
    return subprocess.Popen(command(chapter_id, *words), stdout=pipe, stderr=pipe, text=True, env=variables)


def edit(service: Rig, url: str, chapter_id: str, *words: str, **environment: str) -> Ran:
    ran = ended(start(service, url, chapter_id, *words, **environment))
    assert "Traceback" not in ran.errors
    return ran


def until_done(service: Rig, url: str, chapter_id: str, *words: str) -> Ran:
    for _ in range(5):
        ran = edit(service, url, chapter_id, *words)
        if ran.status == 0:
            return ran
    raise AssertionError(f"not done: {ran.status} {ran.errors}")


def published(service: Rig, page_count: int = 12, **options: str) -> tuple[Chapter, str]:
    """A chapter that is read, with a title and a volume."""
    chapter = service.chapter(page_count)
    ran = service.upload(chapter, service.service.url, "--title", TITLE, "--volume", VOLUME)
    assert ran.status == 0, ran.errors
    chapter_id = str(ran.result["chapter_id"])
    assert service.pages_of(chapter_id) == chapter.pages
    return chapter, chapter_id


def told(service: Rig, chapter_id: str) -> dict[str, Any]:
    """The chapter's values, with its groups; without the times."""
    found = service._http.get(f"/chapter/{chapter_id}").raise_for_status().json()["data"]
    groups = [item["id"] for item in found["relationships"] if item["type"] == "scanlation_group"]
    return {name: value for name, value in found["attributes"].items() if name != "updatedAt"} | {"groups": groups}


def change_elsewhere(service: Rig, chapter_id: str, **values: Any) -> None:
    """As somebody on the website does."""
    change = values | {"version": told(service, chapter_id)["version"]}
    service._http.put(f"/chapter/{chapter_id}", json=change).raise_for_status()


def rewrite(chapter: Chapter, pages: list[bytes]) -> None:
    """Give it these pages on disk."""
    for file in chapter.folder.iterdir():
        file.unlink()
    for number, data in enumerate(pages, 1):
        (chapter.folder / f"{number:03d}.png").write_bytes(data)
    chapter.pages = pages


def new_page(number: int) -> bytes:
    return draw(number, width=160, height=220)


def assert_read_as(service: Rig, chapter_id: str, pages: list[bytes]) -> None:
    """Its readers get exactly these, once they are processed."""
    until = time.monotonic() + PROCESSED_WITHIN_S
    while (now := service.pages_of(chapter_id)) != pages:
        assert time.monotonic() < until, f"{len(now)} pages are read instead of the {len(pages)} wanted ones"


def begun(network: Link) -> int:
    return sum(method == "POST" and path.startswith("/upload/begin/") for method, path in network.requests)


def replaced(pages: list[bytes]) -> list[bytes]:
    return [*pages[:16], new_page(901), *pages[17:]]


def reordered(pages: list[bytes]) -> list[bytes]:
    return random.Random(7).sample(pages, len(pages))


def removed(pages: list[bytes]) -> list[bytes]:
    return [*pages[:5], *pages[7:]]


def added(pages: list[bytes]) -> list[bytes]:
    return [*pages[:20], new_page(902), *pages[20:], new_page(903)]


def all_at_once(pages: list[bytes]) -> list[bytes]:
    return added(removed(replaced(pages)))[::-1]


def doubled(pages: list[bytes]) -> list[bytes]:
    return [pages[0], *pages]


@pytest.mark.parametrize("change", [replaced, reordered, removed, added, all_at_once, doubled])
def test_only_pages_that_the_chapter_lacks_are_sent(
    service: Rig, network: Link, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    chapter, chapter_id = published(service, 40)
    before, old = told(service, chapter_id), list(chapter.pages)
    rewrite(chapter, change(old))
    new: list[bytes] = list((Counter(chapter.pages) - Counter(old)).elements())
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert ran.status == 0, ran.errors
    new_bytes = sum(map(len, new))
    print(f"{change.__name__}: {new_bytes} bytes of new pages, {network.put_bytes} on the wire")  # noqa: T201 - with -s
    assert new_bytes <= network.put_bytes <= new_bytes + PART_BYTES * len(new)
    assert_read_as(service, chapter_id, chapter.pages)
    assert told(service, chapter_id) == before | {"version": before["version"] + 1, "pages": len(chapter.pages)}
    result = ran.result
    assert (result["event"], result["chapter_id"], result["version"]) == ("result", chapter_id, before["version"] + 1)
    assert (result["pages"], result["kept_pages"]) == (len(chapter.pages), len(chapter.pages) - len(new))
    assert (result["sent_bytes"], result["changed"], result["already_done"]) == (new_bytes, {}, False)
    assert service.session() is None


@pytest.mark.parametrize("service", ["ids", "none", "remote without names"], indirect=True)
def test_where_the_pages_are_not_known_all_are_sent_and_the_user_is_told(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 20)
    rewrite(chapter, [*reordered(chapter.pages), new_page(904)])
    ran = edit(service, network.url, chapter_id, str(chapter.folder))
    assert ran.status == 0, ran.errors
    assert network.put_bytes >= sum(map(len, chapter.pages))
    assert "does not say what 20 of the chapter's present pages are" in ran.errors
    assert_read_as(service, chapter_id, chapter.pages)
    assert told(service, chapter_id)["version"] == 2
    assert (ran.result["kept_pages"], ran.result["pages"]) == (0, 21)


def test_pages_of_another_program_are_known_by_their_hashes(service: Rig, network: Link, tmp_path: Path) -> None:
    """Also by a program that has no experience with the service."""
    chapter = service.chapter(8)
    session_id = service.begin(GROUP)
    for number, data in enumerate(chapter.pages):
        service.put(session_id, f"scan {number}.png", data)
    service.commit_open(chapter)
    (chapter_id,) = service.published(chapter)
    assert service.pages_of(chapter_id) == chapter.pages
    rewrite(chapter, [*chapter.pages[1:], new_page(905)])
    ran = edit(service, network.url, chapter_id, str(chapter.folder), HOME=str(tmp_path))
    assert ran.status == 0, ran.errors
    assert network.put_bytes <= len(chapter.pages[-1]) + PART_BYTES
    assert "does not say" not in ran.errors
    assert_read_as(service, chapter_id, chapter.pages)


def test_a_value_is_changed_without_a_session_and_the_others_are_kept(service: Rig, network: Link) -> None:
    _, chapter_id = published(service, 2)
    before = told(service, chapter_id)
    ran = edit(service, network.url, f"https://mangadex.org/chapter/{chapter_id}", "--title", "Calm")
    assert ran.status == 0, ran.errors
    assert told(service, chapter_id) == before | {"title": "Calm", "version": before["version"] + 1}
    assert ran.result["changed"] == {"title": {"before": TITLE, "after": "Calm"}}
    assert not [path for _, path in network.requests if path.startswith("/upload")]
    every = ["--title", "", "--volume", "", "--chapter", "77.5", "--language", "pt-br", "--group", ""]
    assert edit(service, network.url, chapter_id, *every).status == 0
    new: dict[str, Any] = {
        "title": None,
        "volume": None,
        "chapter": "77.5",
        "translatedLanguage": "pt-br",
        "groups": [],
    }
    assert told(service, chapter_id) == before | new | {"version": before["version"] + 2}


def test_what_holds_for_new_chapters_does_not_change_a_present_one(service: Rig, network: Link, tmp_path: Path) -> None:
    _, chapter_id = published(service, 2)
    before = told(service, chapter_id)
    (tmp_path / "settings.toml").write_text('language = "de"\ntitle = "of all"\nvolume = "9"\nchapter = "99"\n')
    environment = {"MANGADEX_LANGUAGE": "fr", "MANGADEX_GROUP": MANGA, "MANGADEX_PUBLISH_AT": "2999-01-01T00:00Z"}
    config = ["--config", str(tmp_path / "settings.toml")]
    ran = edit(service, network.url, chapter_id, "--title", "Calm", *config, **environment)
    assert ran.status == 0, ran.errors
    assert told(service, chapter_id) == before | {"title": "Calm", "version": before["version"] + 1}


def test_nothing_is_done_where_nothing_would_change(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    before = told(service, chapter_id)
    same = ["--title", TITLE, "--volume", f"0{VOLUME}", "--group", GROUP]
    for words in ([str(chapter.folder)], [str(chapter.folder), *same], same):
        ran = edit(service, network.url, chapter_id, *words)
        assert (ran.status, ran.result["already_done"]) == (0, True), ran.errors
        assert "nothing to do" in ran.errors
    assert {method for method, path in network.requests if "openid" not in path} == {"GET"}
    assert told(service, chapter_id) == before


def test_values_alone_differ_so_no_page_is_touched(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm")
    assert (ran.status, ran.result["pages"]) == (0, None), ran.errors
    assert told(service, chapter_id)["title"] == "Calm"
    assert begun(network) == 0


def test_pages_values_and_groups_at_once_are_one_result(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    before = told(service, chapter_id)
    rewrite(chapter, chapter.pages[::-1])
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm", "--group", "")
    assert ran.status == 0, ran.errors
    assert_read_as(service, chapter_id, chapter.pages)
    assert told(service, chapter_id) == before | {"title": "Calm", "groups": [], "version": before["version"] + 2}
    assert set(ran.result["changed"]) == {"title", "groups"}
    assert [it["event"] for it in ran.events].count("result") == 1


def test_a_publication_may_be_put_off_with_the_pages(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 2)
    later = ["--publish-at", "2999-01-01T00:00Z"]
    alone = edit(service, network.url, chapter_id, *later)
    assert (alone.status, "path" in alone.errors) == (2, True)
    assert edit(service, network.url, chapter_id, str(chapter.folder), *later).status == 0
    assert told(service, chapter_id)["publishAt"] == "2999-01-01T00:00:00+00:00"


def assert_shows_both_sides(ran: Ran, title: str) -> None:
    assert ran.status == 1, ran.errors
    assert f"title: {TITLE} -> {title}" in ran.errors
    assert "version: 1 -> 2" in ran.errors
    assert "run the same command" in ran.errors
    (conflict,) = [it for it in ran.events if it["event"] == "conflict"]
    assert (conflict["planned"]["title"], conflict["present"]["title"]) == (TITLE, title)
    assert ran.result["kind"] == "version_conflict"


@pytest.mark.parametrize(("method", "path"), [("POST", BEGIN), ("POST", PUT), ("POST", COMMIT), ("PUT", VALUES)])
def test_a_chapter_that_changes_meanwhile_is_shown_and_left_alone(
    service: Rig, network: Link, method: str, path: str
) -> None:
    chapter, chapter_id = published(service, 4)
    old = list(chapter.pages)
    rewrite(chapter, [*old, new_page(906)])
    words = ["--volume", "8"] if method == "PUT" else [str(chapter.folder)]
    network.fail(Cut.BEFORE, method, path, then=lambda: change_elsewhere(service, chapter_id, title="Theirs"))
    ran = edit(service, network.url, chapter_id, *words)
    assert_shows_both_sides(ran, "Theirs")
    assert (told(service, chapter_id)["version"], told(service, chapter_id)["volume"]) == (2, VOLUME)
    assert service.session() is None
    assert service.pages_of(chapter_id) == old
    assert edit(service, network.url, chapter_id, *words).status == 0
    after = told(service, chapter_id)
    assert (after["title"], after["version"]) == ("Theirs", 3)
    assert_read_as(service, chapter_id, old if method == "PUT" else chapter.pages)


def test_a_chapter_that_changed_between_two_runs_is_shown(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    rewrite(chapter, [*chapter.pages, new_page(907)])
    process = start(service, network.url, chapter_id, str(chapter.folder))
    network.fail(Cut.BEFORE, "POST", COMMIT, then=process.kill)
    ended(process)
    change_elsewhere(service, chapter_id, title="Theirs")
    assert_shows_both_sides(edit(service, network.url, chapter_id, str(chapter.folder)), "Theirs")
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    assert told(service, chapter_id)["title"] == "Theirs"


LOST = [(method, path, cut) for method, path in (("POST", BEGIN), ("POST", PUT), ("POST", COMMIT)) for cut in Cut]
LOST = [(method, path, cut) for method, path, cut in LOST if cut in {Cut.BEFORE, Cut.AFTER, Cut.IN_ANSWER}]
AT_LEVELS = [
    pytest.param(level, *lost, marks=() if level == "full" and lost[2] is Cut.AFTER else pytest.mark.proof)
    for level in ("full", "none")
    for lost in LOST
    if level == "full" or lost[1] != BEGIN or lost[2] is Cut.BEFORE
]
"""An answer that was lost is what is met differently; `make prove` has the other cuts. Where nothing is listed, a
session that was begun unheard stops the edit.
"""


@pytest.mark.parametrize(("service", "method", "path", "cut"), AT_LEVELS, indirect=["service"])
def test_a_lost_request_or_answer_is_lived_through(
    service: Rig, network: Link, method: str, path: str, cut: Cut
) -> None:
    chapter, chapter_id = published(service)
    before = told(service, chapter_id)
    rewrite(chapter, [*reordered(chapter.pages), new_page(908)])
    network.fail(cut, method, path)
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--title", "Calm")
    assert (ran.status, ran.result["confirmed"]) == (0, True), ran.errors
    assert_read_as(service, chapter_id, chapter.pages)
    expected = {"version": before["version"] + 1, "pages": len(chapter.pages), "title": "Calm"}
    assert told(service, chapter_id) == before | expected
    assert service.session() is None


@pytest.mark.parametrize("cut", [Cut.BEFORE, Cut.AFTER, Cut.IN_ANSWER])
def test_a_lost_change_of_values_is_made_once(service: Rig, network: Link, cut: Cut) -> None:
    _, chapter_id = published(service, 2)
    network.fail(cut, "PUT", VALUES)
    ran = edit(service, network.url, chapter_id, "--title", "Calm")
    assert (ran.status, ran.result["version"]) == (0, 2), ran.errors
    assert (told(service, chapter_id)["title"], told(service, chapter_id)["version"]) == ("Calm", 2)


STEPS = {
    "before the session is begun": (Cut.BEFORE, "POST", BEGIN),
    "after it was begun, unheard": (Cut.AFTER, "POST", BEGIN),
    "in the pages": (Cut.IN_REQUEST, "POST", PUT),
    "after the pages, unheard": (Cut.AFTER, "POST", PUT),
    "before the commit": (Cut.BEFORE, "POST", COMMIT),
    "after the commit, unheard": (Cut.AFTER, "POST", COMMIT),
    "in the answer to the commit": (Cut.IN_ANSWER, "POST", COMMIT),
}


CRUCIAL = {"after it was begun, unheard", "in the pages", "after the commit, unheard"}
"""What is tested wherever the service lists no files either; `make prove` has the others there too."""


@pytest.mark.parametrize(
    ("service", "step"),
    [
        pytest.param(level, step, marks=() if level == "full" and step in CRUCIAL else pytest.mark.proof)
        for level in ("full", "none")
        for step in STEPS
        if level == "full" or step != "after it was begun, unheard"
    ],
    indirect=["service"],
)
def test_killed_at_a_step_the_same_command_completes_it_once(service: Rig, network: Link, step: str) -> None:
    chapter, chapter_id = published(service)
    before = told(service, chapter_id)
    rewrite(chapter, [*reordered(chapter.pages), new_page(909)])
    words = [str(chapter.folder), "--title", "Calm"]
    process = start(service, network.url, chapter_id, *words)
    cut, method, path = STEPS[step]
    network.fail(cut, method, path, then=process.kill)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    until_done(service, network.url, chapter_id, *words)
    assert_read_as(service, chapter_id, chapter.pages)
    expected = {"version": before["version"] + 1, "pages": len(chapter.pages), "title": "Calm"}
    assert told(service, chapter_id) == before | expected
    assert service.session() is None


@pytest.mark.proof
@pytest.mark.parametrize("service", ["none"], indirect=True)
@pytest.mark.parametrize("is_killed", [False, True])
def test_a_session_that_may_be_the_edit_s_own_stops_it_until_told(
    service: Rig, network: Link, *, is_killed: bool
) -> None:
    """What was begun unheard cannot be known again where its pages are not listed."""
    chapter, chapter_id = published(service)
    rewrite(chapter, [*reordered(chapter.pages), new_page(925)])
    process = start(service, network.url, chapter_id, str(chapter.folder))
    network.fail(Cut.AFTER, "POST", BEGIN, then=process.kill if is_killed else lambda: None)
    ran = ended(process)
    if is_killed:
        ran = edit_of(service, network, chapter, chapter_id)
    assert (ran.status, "may be the one that this edit asked for" in ran.errors) == (3, True), ran.errors
    assert edit_of(service, network, chapter, chapter_id, "--abandon-existing").status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    assert told(service, chapter_id)["version"] == 2


def edit_of(service: Rig, network: Link, chapter: Chapter, chapter_id: str, *words: str) -> Ran:
    return edit(service, network.url, chapter_id, str(chapter.folder), *words)


def test_killed_between_groups_and_pages_the_same_command_does_the_rest(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    rewrite(chapter, chapter.pages[::-1])
    words = [str(chapter.folder), "--group", ""]
    process = start(service, network.url, chapter_id, *words)
    network.fail(Cut.AFTER, "PUT", VALUES, then=process.kill)
    process.communicate(timeout=60)
    assert until_done(service, network.url, chapter_id, *words).result["version"] == 3
    assert told(service, chapter_id)["groups"] == []
    assert_read_as(service, chapter_id, chapter.pages)


def test_a_session_is_gone_on_with_and_its_pages_are_not_sent_again(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 4)
    rewrite(chapter, [*chapter.pages, *map(new_page, range(910, 922))])
    process = start(service, network.url, chapter_id, str(chapter.folder))
    network.fail(Cut.BEFORE, "POST", COMMIT, then=lambda: process.send_signal(signal.SIGINT))
    ran = ended(process)
    assert (ran.status, "run the same command again" in ran.errors) == (130, True)
    session = service.session()
    sent = network.put_bytes
    again = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (again.status, network.put_bytes - sent, begun(network)) == (0, 0, 1), again.errors
    (resumed,) = [it for it in again.events if it["event"] == "session"]
    assert session is not None
    assert (resumed["session_id"], resumed["resumed"], resumed["kept_pages"]) == (session["id"], True, 16)
    assert_read_as(service, chapter_id, chapter.pages)


@pytest.mark.parametrize("service", ["full", "none"], indirect=True)
def test_a_foreign_session_is_left_alone_until_told(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    before = told(service, chapter_id)
    rewrite(chapter, chapter.pages[::-1])
    foreign = service.begin_edit(chapter_id)
    ran = edit(service, network.url, chapter_id, str(chapter.folder), "--group", "")
    assert (ran.status, ran.result["session_id"]) == (3, foreign)
    assert told(service, chapter_id) == before
    session = service.session()
    assert session is not None
    assert session["id"] == foreign
    assert edit(service, network.url, chapter_id, str(chapter.folder), "--abandon-existing").status == 0
    assert_read_as(service, chapter_id, chapter.pages)


def test_an_upload_that_meets_an_edit_of_ours_names_it(service: Rig, network: Link) -> None:
    (chapter, chapter_id), other = published(service, 3), service.chapter(2)
    rewrite(chapter, [*chapter.pages, new_page(923)])
    process = start(service, network.url, chapter_id, str(chapter.folder))
    network.fail(Cut.BEFORE, "POST", COMMIT, then=process.kill)
    ended(process)
    for option in ([], ["--adopt"], ["--abandon-existing"]):
        ran = service.upload(other, network.url, *option)
        assert (ran.status, f"edit {chapter_id}" in ran.errors) == (3, True), ran.errors
    assert edit(service, network.url, chapter_id, str(chapter.folder)).status == 0
    assert_read_as(service, chapter_id, chapter.pages)
    assert service.published(other) == []


def test_what_cannot_be_edited_says_why(service: Rig, network: Link) -> None:
    chapter = service.chapter(2)
    theirs = service._http.post("/upload/begin", json={"manga": MANGA, "groups": []}, headers=service._other)
    session_id = theirs.raise_for_status().json()["data"]["id"]
    stored = service._http.post(f"/upload/{session_id}", files={"0": ("0", chapter.pages[0])}, headers=service._other)
    draft = {"volume": None, "chapter": chapter.number, "title": None, "translatedLanguage": "en"}
    body = {"chapterDraft": draft, "pageOrder": [stored.json()["data"][0]["id"]]}
    done = service._http.post(f"/upload/{session_id}/commit", json=body, headers=service._other).raise_for_status()
    chapter_id = done.json()["data"]["id"]
    service.pages_of(chapter_id)
    pages = edit(service, network.url, chapter_id, str(chapter.folder))
    assert (pages.status, "may not edit it" in pages.errors) == (7, True), pages.errors
    assert edit(service, network.url, chapter_id, "--title", "Mine").status == 7
    wrong = ([MANGA, "--title", "a"], [chapter_id], [chapter_id, "--language", ""], ["nonsense", "--title", "a"])
    for words in wrong:
        ran = edit(service, network.url, *words)
        assert (ran.status, ran.result["event"]) == (2, "error"), ran.errors
    assert service.session() is None


def test_an_edit_as_people_see_it(service: Rig, network: Link) -> None:
    chapter, chapter_id = published(service, 3)
    rewrite(chapter, [*chapter.pages, new_page(924)])
    words = [word for word in command(chapter_id, str(chapter.folder), "--title", "Calm") if word != "--json"]
    done = subprocess.run(words, capture_output=True, text=True, env=service.environment(network.url), check=True)
    assert done.stdout == f"{network.url}/chapter/{chapter_id}/read\n"
    assert f"changed to version 2: title {TITLE} -> Calm; 4 pages, 3 of them kept" in done.stderr


def test_differences_are_of_values_and_not_of_the_order_of_groups() -> None:
    values = Values("a", None, "1", "en", ("g", "h"))
    assert differences(values, values) == {}
    assert differences(values, replace(values, groups=("h", "g"))) == {}
    assert differences(values, replace(values, title=None, groups=("g",))) == {
        "title": ("a", None),
        "groups": (("g", "h"), ("g",)),
    }


@pytest.mark.parametrize(
    "text", ["{id}", " {ID} ", "https://mangadex.org/chapter/{id}/3", "http://h/chapter/{id}/read"]
)
def test_a_chapter_is_an_id_or_an_address(text: str) -> None:
    assert chapter_in(text.format(id=MANGA, ID=MANGA.upper())) == MANGA


@pytest.mark.parametrize("text", ["", "12", "https://mangadex.org/title/{id}", "https://mangadex.org/chapter/12"])
def test_what_is_no_chapter_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="neither"):
        chapter_in(text.format(id=MANGA))
