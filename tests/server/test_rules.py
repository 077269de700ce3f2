"""Rules of chapters and sessions that clients meet on the running service."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import httpx2
import pytest
from alembic.autogenerate import compare_metadata
from alembic.command import upgrade
from alembic.config import Config
from alembic.migration import MigrationContext
from installations import database_url, peek, settings_of
from limits.aio.storage import MemoryStorage
from sqlalchemy import create_engine, text
from test_program import quick
from uploading import DRAFT, MANGA, UNKNOWN, Caller, Service, png, service

from mangadex_server.migrate import MIGRATIONS, migrate, synchronous
from mangadex_server.rate_limits import RateLimits, Verdict, storage_at
from mangadex_server.tables import metadata

LONGEST_S = 30.0
LINK = "https://example.org/chapter/1"
SOON_S = 2.5


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("rules") / "data") as running:
        give_role(running, "mallory", "ROLE_EXTERNAL")
        yield running


@pytest.fixture
def alice(served: Service) -> Caller:
    served.alice.close_session()
    return served.alice


@pytest.fixture
def linker(served: Service) -> Caller:
    """Who may link to other sites."""
    served.mallory.close_session()
    return served.mallory


def give_role(served: Service, username: str, role: str) -> None:
    quick("user", "roles", username, "--add", role, "--data-dir", served.data_dir)


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LONGEST_S
    while not (found := holds()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def detail(answer: httpx2.Response) -> str:
    return str(answer.json()["errors"][0]["detail"])


def begin_edit(caller: Caller, chapter_id: str, version: object) -> httpx2.Response:
    return caller.json("POST", f"/upload/begin/{chapter_id}", {"version": version})


def readable(caller: Caller, chapter_id: str) -> bool:
    """To anybody."""
    return httpx2.get(f"{caller.http.base_url}/at-home/server/{chapter_id}", trust_env=False).status_code == 200


def names(caller: Caller, chapter_id: str) -> list[str]:
    where = httpx2.get(f"{caller.http.base_url}/at-home/server/{chapter_id}", trust_env=False).raise_for_status()
    found: list[str] = where.json()["chapter"]["data"]
    return found


# edits


def test_an_edit_of_a_chapter_that_was_changed_meanwhile_is_refused(alice: Caller) -> None:
    chapter = alice.chapter(png(), png(1))["id"]
    session = begin_edit(alice, chapter, 1).raise_for_status().json()["id"]
    order = [file["id"] for file in alice.files()]
    change = {"version": 1, "title": "Changed meanwhile"}
    alice.json("PUT", f"/chapter/{chapter}", change).raise_for_status()

    refused = alice.commit(session, order[:1], title="Would be lost")

    assert refused.status_code == 409
    assert "version 2" in detail(refused)
    attributes = alice.http.get(f"/chapter/{chapter}").json()["data"]["attributes"]
    assert (attributes["title"], attributes["version"]) == ("Changed meanwhile", 2)
    assert alice.http.get("/upload").json()["data"]["id"] == session
    assert len(alice.files()) == 2

    alice.close_session()
    session = begin_edit(alice, chapter, 2).raise_for_status().json()["id"]
    answer = alice.commit(session, [file["id"] for file in alice.files()], title="Third")
    assert answer.raise_for_status().json()["data"]["attributes"]["version"] == 3


@pytest.mark.parametrize("version", ["1", True, 1.5, 0, -1, None, [1], "current"])
def test_a_version_is_a_whole_number(alice: Caller, version: object) -> None:
    chapter = alice.chapter(png())["id"]
    for answer in (
        begin_edit(alice, chapter, version),
        alice.json("PUT", f"/chapter/{chapter}", {"version": version, "title": "x"}),
    ):
        assert answer.status_code == 400
        assert detail(answer).startswith("Error validating /version: ")
    assert alice.http.get("/upload").status_code == 404
    assert alice.http.get(f"/chapter/{chapter}").json()["data"]["attributes"]["version"] == 1


@pytest.mark.parametrize("key", ["volume", "chapter", "title", "translatedLanguage"])
def test_a_draft_has_all_of_its_keys(alice: Caller, key: str) -> None:
    session = alice.session()
    file = alice.put(session, ("0", png())).json()["data"][0]["id"]
    draft = {name: value for name, value in DRAFT.items() if name != key}
    answer = alice.json("POST", f"/upload/{session}/commit", {"chapterDraft": draft, "pageOrder": [file]})
    assert answer.status_code == 400
    assert detail(answer).startswith(f"Error validating /chapterDraft/{key}: ")
    answer = alice.commit(session, [file], **{key: None})
    assert answer.status_code == (400 if key == "translatedLanguage" else 200)


# approval


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("reviewed") / "data", approval="all") as running:
        give_role(running, "mallory", "ROLE_GLOBAL_MODERATOR")
        yield running


def approved_chapter(served: Service, caller: Caller, *pages: bytes) -> str:
    chapter = str(caller.chapter(*pages)["id"])
    with peek(served.data_dir) as database:
        database.execute(text("UPDATE chapters SET approved = true WHERE id = :id").bindparams(id=chapter))
    until(lambda: readable(caller, chapter))
    return chapter


def is_approved(served: Service, chapter_id: str) -> bool:
    query = text("SELECT approved FROM chapters WHERE id = :id").bindparams(id=chapter_id)
    with peek(served.data_dir) as database:
        return bool(database.execute(query).scalar_one())


def test_new_pages_of_an_approved_chapter_are_reviewed_again(reviewed: Service) -> None:
    alice = reviewed.alice
    chapter = approved_chapter(reviewed, alice, png(), png(1))
    session = begin_edit(alice, chapter, 1).json()["id"]
    new = alice.put(session, ("2", png(2))).json()["data"][0]["id"]
    alice.commit(session, [new]).raise_for_status()
    assert not is_approved(reviewed, chapter)
    assert not readable(alice, chapter)


def test_pages_in_another_order_are_reviewed_again(reviewed: Service) -> None:
    alice = reviewed.alice
    chapter = approved_chapter(reviewed, alice, png(), png(1))
    session = begin_edit(alice, chapter, 1).json()["id"]
    alice.commit(session, [file["id"] for file in reversed(alice.files())]).raise_for_status()
    assert not is_approved(reviewed, chapter)


def test_the_same_pages_under_another_title_stay_approved(reviewed: Service) -> None:
    alice = reviewed.alice
    chapter = approved_chapter(reviewed, alice, png(), png(1))
    session = begin_edit(alice, chapter, 1).json()["id"]
    alice.commit(session, [file["id"] for file in alice.files()], title="Corrected").raise_for_status()
    assert is_approved(reviewed, chapter)
    until(lambda: readable(alice, chapter))


def test_what_a_moderator_changes_is_not_reviewed(reviewed: Service) -> None:
    moderator = reviewed.mallory
    chapter = approved_chapter(reviewed, moderator, png(), png(1))
    session = begin_edit(moderator, chapter, 1).json()["id"]
    moderator.commit(session, [file["id"] for file in moderator.files()][1:]).raise_for_status()
    assert is_approved(reviewed, chapter)


# publication


def utc(unix_s: float) -> str:
    return datetime.fromtimestamp(unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def commit_pages(caller: Caller, *pages: bytes, **draft: Any) -> httpx2.Response:
    session = caller.session()
    order = [caller.put(session, ("0", page)).json()["data"][0]["id"] for page in pages]
    return caller.commit(session, order, **draft)


def test_a_chapter_is_closed_until_its_time_and_open_then(served: Service, alice: Caller) -> None:
    opens_at = int(time.time() + SOON_S)
    chapter = commit_pages(alice, png(), publishAt=utc(opens_at)).json()["data"]["id"]
    stranger = httpx2.Client(base_url=served.url, trust_env=False)
    with stranger:
        while stranger.get(f"/chapter/{chapter}").status_code == 404:
            assert not readable(alice, chapter) or time.time() >= opens_at
            assert time.time() < opens_at + LONGEST_S
        assert time.time() >= opens_at
        assert stranger.get(f"/at-home/server/{chapter}").status_code == 200


@pytest.mark.parametrize("moment", [
    "2027-02-29T00:00:00", "2026-02-31T00:00:00", "2026-04-31T00:00:00", "2026-00-01T00:00:00", "2026-13-01T00:00:00",
    "2026-01-00T00:00:00", "2026-01-01T24:00:00", "2026-01-01T00:00:00Z", "2026-01-01", "0000-01-01T00:00:00",
])  # fmt: skip
def test_a_day_that_does_not_exist_is_refused(alice: Caller, moment: str) -> None:
    answer = commit_pages(alice, png(), publishAt=moment)
    assert answer.status_code == 400
    assert "publish" in detail(answer)


def test_a_link_can_be_read_at_once_and_has_no_pages(served: Service, linker: Caller) -> None:
    answer = linker.commit(linker.session(), [], externalUrl=LINK, publishAt="2999-12-31T00:00:00")
    data = answer.raise_for_status().json()["data"]
    with httpx2.Client(base_url=served.url, trust_env=False) as stranger:
        path = f"/chapter/{data['id']}"
        until(lambda: stranger.get(path).status_code == 200)
        shown = stranger.get(path).json()["data"]["attributes"]
        assert (shown["externalUrl"], shown["pages"]) == (LINK, 0)
        assert shown["readableAt"] < shown["publishAt"] == "2999-12-31T00:00:00+00:00"
        at_home = stranger.get(f"/at-home/server/{data['id']}").json()
        assert at_home["chapter"] == {"hash": "", "data": [], "dataSaver": []}


def test_pages_beside_a_link_open_at_their_own_time(served: Service, linker: Caller) -> None:
    opens_at = int(time.time() + SOON_S)
    chapter = commit_pages(linker, png(), externalUrl=LINK, publishAt=utc(opens_at)).json()["data"]["id"]
    until(lambda: readable(linker, chapter))
    early, at = names(linker, chapter), time.time()
    assert early == [] or at >= opens_at
    until(lambda: names(linker, chapter))
    assert time.time() >= opens_at


def test_links_are_for_those_who_may(alice: Caller) -> None:
    answer = alice.commit(alice.session(), [], externalUrl=LINK)
    assert (answer.status_code, "externalUrl" in detail(answer)) == (403, True)


# limits of requests

TABLE = {  # contract 7.2
    ("GET", "/upload"): 30,
    ("POST", "/upload/begin"): 20,
    ("POST", f"/upload/begin/{UNKNOWN}"): 20,
    ("POST", f"/upload/{UNKNOWN}"): 250,
    ("DELETE", f"/upload/{UNKNOWN}/{UNKNOWN}"): 250,
    ("DELETE", f"/upload/{UNKNOWN}/batch"): 250,
    ("POST", f"/upload/{UNKNOWN}/commit"): 10,
    ("DELETE", f"/upload/{UNKNOWN}"): 30,
    ("POST", "/upload/check-approval-required"): 5,  # the global limit, of a second
    ("GET", f"/at-home/server/{UNKNOWN}"): 40,
    ("PUT", f"/chapter/{UNKNOWN}"): 10,
    ("DELETE", f"/chapter/{UNKNOWN}"): 10,
}
WITHOUT_HEADERS = [
    "/manga",
    f"/manga/{UNKNOWN}",
    "/group",
    "/chapter",
    f"/chapter/{UNKNOWN}",
    "/user/me",
    "/auth/check",
]
SHARED = [
    {("POST", "/upload/begin"), ("POST", f"/upload/begin/{UNKNOWN}")},
    {key for key in TABLE if TABLE[key] == 250},
]


Checked: TypeAlias = Callable[[str, str, str], Verdict]


@pytest.fixture
def checked(tmp_path: Path) -> Iterator[Checked]:
    """One request of one account from an address of its own, which the global limit therefore lets pass."""
    limits = RateLimits(storage_at(settings_of(tmp_path).limits_url))
    with asyncio.Runner() as runner:
        yield lambda method, path, address: runner.run(limits.check(method, path, address=address, account="alice"))
        runner.run(limits.close())


def test_the_table_of_limits_is_the_documented_one(checked: Checked) -> None:
    for number, ((method, path), limit) in enumerate(TABLE.items()):
        headers = checked(method, path, f"192.0.2.{number}").headers
        before = next((group & set(list(TABLE)[:number]) for group in SHARED if (method, path) in group), set())
        assert headers["X-RateLimit-Limit"] == str(limit), (method, path)
        assert headers["X-RateLimit-Remaining"] == str(limit - 1 - len(before)), (method, path)
        assert time.time() < int(headers["X-RateLimit-Retry-After"]) <= time.time() + 61
    for number, path in enumerate(WITHOUT_HEADERS):
        assert checked("GET", path, f"198.51.100.{number}") == Verdict(passes=True, headers={})


def test_a_refused_request_is_told_to_wait_until_a_time_to_come(checked: Checked) -> None:
    passed = [checked("DELETE", f"/chapter/{UNKNOWN}", f"192.0.2.{number}") for number in range(12)]
    assert [verdict.passes for verdict in passed] == [True] * 10 + [False] * 2
    assert [verdict.headers["X-RateLimit-Remaining"] for verdict in passed[9:]] == ["0", "0", "0"]
    assert time.time() < int(passed[-1].headers["X-RateLimit-Retry-After"]) <= time.time() + 61
    assert checked("PUT", f"/chapter/{UNKNOWN}", "192.0.2.99").passes  # each has a counter of its own


WINDOW_S = 1.05  # a little more than the global limit's


class SlowStorage(MemoryStorage):
    """A store whose second answer comes when the window has ended."""

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        await asyncio.sleep(WINDOW_S)
        return await super().get_moving_window(key, limit, expiry)


def test_a_429_says_so_also_when_the_window_ends_meanwhile() -> None:
    limits = RateLimits(SlowStorage(wrap_exceptions=True))

    async def sixth() -> Verdict:
        path = {"method": "GET", "path": "/manga", "address": "192.0.2.1", "account": "alice"}
        for _ in range(5):
            assert (await limits.check(**path)).passes
        return await limits.check(**path)

    began = time.time()
    verdict = asyncio.run(sixth())
    assert not verdict.passes
    assert verdict.headers["X-RateLimit-Remaining"] == "0"
    assert int(verdict.headers["X-RateLimit-Retry-After"]) > began + WINDOW_S


# upgrades


@pytest.mark.embedded(reason="the first version knew SQLite alone")
def test_an_older_database_learns_versions_and_names(tmp_path: Path) -> None:
    path = tmp_path / "database.sqlite3"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("sqlalchemy.url", f"sqlite:///{path}")
    upgrade(config, "0001")
    times = "0, 0"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        titles = json.dumps({"altTitles": [{"ja": "鋼"}, {"fr": "L'Été"}]})
        old.execute(
            f"INSERT INTO manga (id, title, attributes, created_at, updated_at) VALUES ('m', 'Steel', ?, {times})",
            (titles,),
        )
        old.execute(
            "INSERT INTO scanlation_groups (id, name, attributes, created_at, updated_at)"
            f" VALUES ('g', 'Good', ?, {times})",
            (json.dumps({"altNames": ["Dobra"]}),),
        )
        old.execute(
            "INSERT INTO users (id, username, password_hash, roles, created_at, updated_at)"
            f" VALUES ('u', 'u', '', '[]', {times})"
        )
        old.execute(
            "INSERT INTO chapters"
            " (id, manga_id, uploader_id, language, approved, hash, version, created_at, updated_at)"
            f" VALUES ('c', 'm', 'u', 'en', 1, '', 7, {times})"
        )
        sessions = [("edit", "c", 1, "open"), ("done", "c", 1, "processed")]
        old.executemany(
            "INSERT INTO upload_sessions (id, user_id, manga_id, chapter_id, is_edit, state, created_at, updated_at)"
            f" VALUES (?, 'u', 'm', ?, ?, ?, {times})",
            sessions,
        )

    migrate(f"sqlite+aiosqlite:///{path}")

    with contextlib.closing(sqlite3.connect(path)) as new:
        assert new.execute("SELECT id, chapter_version FROM upload_sessions ORDER BY id").fetchall() == [
            ("done", None),
            ("edit", 7),
        ]
        assert new.execute("SELECT names FROM manga").fetchall() == [("steel\n鋼\nl'été",)]
        assert new.execute("SELECT names FROM scanlation_groups").fetchall() == [("good\ndobra",)]


def test_the_migrations_lead_to_the_tables_of_the_program(tmp_path: Path) -> None:
    url = database_url(tmp_path, empty=True)
    migrate(url)
    engine = create_engine(synchronous(url))
    try:
        with engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        engine.dispose()


# what a manga says of its chapters


def test_a_manga_knows_the_languages_and_the_latest_of_its_chapters(served: Service, alice: Caller) -> None:
    def attributes() -> dict[str, Any]:
        with httpx2.Client(base_url=served.url, trust_env=False) as stranger:
            found: dict[str, Any] = stranger.get(f"/manga/{MANGA}").json()["data"]["attributes"]
        return found

    hidden = commit_pages(alice, png(), translatedLanguage="sv", publishAt="2999-01-01T00:00:00")
    shown = commit_pages(alice, png(), translatedLanguage="is").json()["data"]["id"]
    until(lambda: attributes()["latestUploadedChapter"] == shown)
    assert "is" in attributes()["availableTranslatedLanguages"]
    assert "sv" not in attributes()["availableTranslatedLanguages"]
    included = alice.http.get(f"/chapter/{shown}", params={"includes[]": "manga"}).json()["data"]["relationships"]
    [manga] = [item["attributes"] for item in included if item["type"] == "manga"]
    assert manga == attributes()
    alice.http.delete(f"/chapter/{shown}").raise_for_status()
    assert "is" not in attributes()["availableTranslatedLanguages"]
    alice.http.delete(f"/chapter/{hidden.json()['data']['id']}").raise_for_status()
