"""Edits of chapters that people read, and what their own people are told when pages cannot be processed."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from installations import peek
from program import PROGRAM, clean
from sqlalchemy import text
from uploading import Caller, Service, png, service

DEADLINE_S = 30.0


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("edits") / "data") as running:
        yield running


@pytest.fixture
def alice(served: Service) -> Caller:
    return served.alice


def until(reached: Callable[[], Any]) -> Any:
    """What it returns, once that is something."""
    ends = time.monotonic() + DEADLINE_S
    while not (found := reached()):
        assert time.monotonic() < ends, "it did not happen in time"
    return found


def damaged(number: int) -> bytes:
    """A page with a good head, which ingest takes, and pixels that nobody can decode."""
    good = png(number)
    at = good.index(b"IDAT") + 6
    return good[:at] + b"\xff" * 4 + good[at + 4 :]


def attributes(alice: Caller, chapter_id: str) -> dict[str, Any]:
    found: dict[str, Any] = alice.http.get(f"/chapter/{chapter_id}").raise_for_status().json()["data"]["attributes"]
    return found


def readable(alice: Caller, *pages: bytes) -> str:
    """A chapter that is read, and was published long ago."""
    session = alice.session()
    added = alice.put(session, *((f"{n}.png", page) for n, page in enumerate(pages))).json()["data"]
    draft = {"publishAt": "2020-01-01T00:00:00"}
    chapter_id = alice.commit(session, [file["id"] for file in added], **draft).raise_for_status().json()["id"]
    until(lambda: attributes(alice, chapter_id)["readableAt"])
    return str(chapter_id)


def first_read_in_2021(served: Service, chapter_id: str) -> None:
    """As if it had been committed then, without publishAt."""
    change = text("UPDATE chapters SET publish_at = NULL, readable_at = 1609459200.0 WHERE id = :id")
    with peek(served.data_dir) as database:
        database.execute(change.bindparams(id=chapter_id))


def edited(alice: Caller, chapter_id: str) -> tuple[str, list[str]]:
    """An edit session and the ids of the pages in it."""
    version = attributes(alice, chapter_id)["version"]
    begun = alice.json("POST", f"/upload/begin/{chapter_id}", {"version": version}).raise_for_status().json()
    return begun["id"], [file["id"] for file in alice.files()]


def names(served: Service, chapter_id: str) -> list[str]:
    """Of the pages, as a stranger gets them."""
    answer = httpx2.get(f"{served.url}/at-home/server/{chapter_id}", trust_env=False).raise_for_status()
    found: list[str] = answer.json()["chapter"]["data"]
    return found


def command(served: Service, *words: str) -> str:
    arguments = [*words, "--data-dir", str(served.data_dir)]
    done = subprocess.run([PROGRAM, *arguments], check=True, capture_output=True, text=True, env=clean(arguments, {}))
    return done.stdout


@pytest.mark.parametrize("change", ["title", "order", "fewer pages"])
def test_an_edit_without_new_pages_takes_nothing_from_the_readers(served: Service, alice: Caller, change: str) -> None:
    chapter_id = readable(alice, png(1), png(2))
    first_read_in_2021(served, chapter_id)
    before = names(served, chapter_id)
    session, pages = edited(alice, chapter_id)
    order = {"title": pages, "order": pages[::-1], "fewer pages": pages[:1]}[change]
    committed = alice.commit(session, order, title="Mended").raise_for_status().json()["attributes"]
    assert (committed["title"], committed["pages"]) == ("Mended", len(order))
    assert committed["readableAt"] == committed["publishAt"] == "2021-01-01T00:00:00+00:00"  # contract 5.2
    digests = [name.partition("-")[2] for name in before]
    now = [name.partition("-")[2] for name in names(served, chapter_id)]
    assert now == {"title": digests, "order": digests[::-1], "fewer pages": digests[:1]}[change]


def test_new_pages_come_when_they_are_processed(served: Service, alice: Caller) -> None:
    chapter_id = readable(alice, png(3))
    first_read_in_2021(served, chapter_id)
    [before] = names(served, chapter_id)
    session, [page] = edited(alice, chapter_id)
    [new] = [file["id"] for file in alice.put(session, ("new.png", png(4))).json()["data"]]
    alice.commit(session, [new, page]).raise_for_status()
    seen = until(lambda: (found := names(served, chapter_id)) != [before] and found)  # each time there is something
    assert [len(seen), seen[1].partition("-")[2]] == [2, before.partition("-")[2]]
    after = attributes(alice, chapter_id)
    assert (after["pages"], after["readableAt"], after["publishAt"]) == (2, *["2021-01-01T00:00:00+00:00"] * 2)


def test_broken_new_pages_leave_the_old_ones_and_are_kept_for_the_next_edit(served: Service, alice: Caller) -> None:
    chapter_id = readable(alice, png(5))
    before = names(served, chapter_id)
    session, [page] = edited(alice, chapter_id)
    [new] = [file["id"] for file in alice.put(session, ("new.png", damaged(6))).json()["data"]]
    alice.commit(session, [page, new]).raise_for_status()
    line = until(lambda: [row for row in command(served, "review", "list").splitlines() if chapter_id in row])
    assert "page 2 (new.png): it cannot be decoded" in line[0]
    assert "its readers have the pages before the edit" in line[0]
    assert names(served, chapter_id) == before
    session, pages = edited(alice, chapter_id)
    assert [file["attributes"]["originalFileName"] for file in alice.files()] == ["0.png", "new.png"]
    alice.commit(session, pages[:1]).raise_for_status()
    assert names(served, chapter_id) == before
    assert chapter_id not in command(served, "review", "list")


def test_publication_may_still_be_put_off(served: Service, alice: Caller) -> None:
    chapter_id = readable(alice, png(7))
    session, pages = edited(alice, chapter_id)
    alice.commit(session, pages, publishAt="2999-01-01T00:00:00").raise_for_status()
    assert httpx2.get(f"{served.url}/chapter/{chapter_id}", trust_env=False).status_code == 404
    session, pages = edited(alice, chapter_id)
    alice.commit(session, pages, publishAt="2022-01-01T00:00:00").raise_for_status()
    assert len(names(served, chapter_id)) == 1


def test_its_own_people_are_told_why_a_chapter_is_not_published(served: Service, alice: Caller) -> None:
    chapter_id = alice.chapter(png(8), damaged(9))["id"]
    path = f"/at-home/server/{chapter_id}"

    def told() -> str:
        answer = alice.http.get(path)
        assert answer.status_code == 404
        detail: str = answer.json()["errors"][0]["detail"]
        return detail if "page 2" in detail else ""

    assert until(told).startswith(f"Chapter {chapter_id} is not published: page 2 (1): it cannot be decoded")
    for stranger in (served.mallory.http.get(path), httpx2.get(served.url + path, trust_env=False)):
        assert stranger.json()["errors"][0]["detail"] == f"Chapter with ID {chapter_id} not found."
    assert f"{chapter_id}  Official" in command(served, "review", "list")
    assert "page 2 (1): it cannot be decoded" in command(served, "review", "list")


def test_the_first_of_all_years_has_four_digits(alice: Caller) -> None:
    session = alice.session()
    [page] = alice.put(session, ("0", png())).json()["data"]
    committed = alice.commit(session, [page["id"]], publishAt="0001-01-01T00:00:00").raise_for_status()
    assert committed.json()["attributes"]["publishAt"] == "0001-01-01T00:00:00+00:00"
