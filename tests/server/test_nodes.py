"""Two nodes of one installation, and what a node says about its engines before it serves."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx2
import psycopg
import pytest
import pyvips
from installations import administration, database_url, environment, peek
from program import PROGRAM, READY, Running, clean, start
from sqlalchemy import make_url, text
from test_program import TOKEN_PATH, command, quick, until
from uploading import Caller, Service, png, service

from mangadex_server.listening import free_port
from mangadex_server.migrate import is_current, newest
from mangadex_server.sandbox import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME

pytestmark = pytest.mark.big(reason="a data folder has one node")

ROUNDS = 50
SESSION_FILES = 9
PAGE_BYTES = 20_000
SESSION_BYTES = 5 * PAGE_BYTES
ADDRESSES = (f"2001:db8:{number:x}::1" for number in itertools.count(1))
SECRET = "a-secret-that-nobody-may-see"


class Pair:
    """Two nodes, and `alice` at each of them."""

    def __init__(self, first: Service, second: Running) -> None:
        self.first, self.second = first, second
        self.alices = [Caller(url, first.alice.token) for url in (first.url, second.url)]

    def at_once(self, ask: Callable[[Caller], httpx2.Response]) -> list[httpx2.Response]:
        """The same request of alice to both nodes."""
        together = Barrier(2)

        def asked(alice: Caller) -> httpx2.Response:
            together.wait()
            return ask(alice)

        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(asked, self.alices))


@contextmanager
def paired(folder: Path, **settings: object) -> Iterator[Pair]:
    given = {f"MANGADEX_SERVER_{name.upper()}": str(value) for name, value in settings.items()}
    with service(folder / "first", **settings) as first:
        second = second_node(folder, **given)
        pair = Pair(first, second)
        try:
            yield pair
        finally:
            for alice in pair.alices:
                alice.http.close()
            second.stop()


def second_node(folder: Path, **given: str) -> Running:
    """On the engines of the first one, and with a folder of its own."""
    shared = environment(folder / "first") | given
    return start("--sandbox", "--port", "0", "--data-dir", str(folder / "second"), **shared)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    limits = {"max_session_files": SESSION_FILES, "max_session_bytes": SESSION_BYTES}
    with paired(tmp_path_factory.mktemp("pair"), **limits) as running:
        yield running


# at once


def test_of_two_begins_at_once_exactly_one_wins(pair: Pair) -> None:
    for _ in range(ROUNDS):
        answers = pair.at_once(lambda alice: alice.begin())
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        [won] = [answer.json()["id"] for answer in answers if answer.status_code == 200]
        for alice in pair.alices:
            assert alice.http.get("/upload").json()["data"]["id"] == won
        pair.alices[1].close_session()


@pytest.mark.parametrize(("padding_bytes", "fit"), [(0, SESSION_FILES), (PAGE_BYTES - 500, 5)], ids=["files", "bytes"])
def test_parallel_pages_to_two_nodes_keep_the_limits_of_the_session(pair: Pair, padding_bytes: int, fit: int) -> None:
    session = pair.alices[0].session()

    def put(number: int) -> httpx2.Response:
        pages = [(f"{number}{letter}", png(number, padding_bytes)) for letter in "ab"]
        return pair.alices[number % 2].put(session, *pages)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(put, range(8)))
    added = [file["id"] for answer in answers if answer.status_code == 200 for file in answer.json()["data"]]
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert len(added) == fit
    for alice in pair.alices:
        assert sorted(file["id"] for file in alice.files()) == sorted(added)


def test_of_two_commits_at_once_one_makes_the_chapter(pair: Pair) -> None:
    for number in range(10):
        session = pair.alices[0].session()
        [page] = pair.alices[1].put(session, ("0", png(number))).json()["data"]
        title = f"once {number}"
        answers = pair.at_once(lambda alice: alice.commit(session, [page["id"]], title=title))  # noqa: B023
        assert sorted(answer.status_code for answer in answers) == [200, 404]
        found = pair.alices[0].http.get("/chapter", params={"title": title}).json()["data"]
        made = [answer.json()["data"]["id"] for answer in answers if answer.status_code == 200]
        assert [chapter["id"] for chapter in found] == made


# one after the other


def test_a_session_goes_on_at_the_other_node(pair: Pair) -> None:
    one, other = pair.alices
    session = one.session()
    added = other.put(session, *((str(number), png(number, 10_000)) for number in range(3))).json()["data"]
    assert [file["id"] for file in one.files()] == [file["id"] for file in added]
    assert other.http.delete(f"/upload/{session}/{added[0]['id']}").status_code == 200
    chapter = one.commit(session, [file["id"] for file in added[1:]]).raise_for_status().json()["data"]["id"]
    for node in (pair.first.url, pair.second.url):
        assert read(node, chapter) == [png(1, 10_000), png(2, 10_000)]


def read(url: str, chapter: str) -> list[bytes]:
    """The pages of a chapter at a node, as soon as there are some."""
    with httpx2.Client(base_url=url, trust_env=False) as reader:
        answer = until(lambda: (got := reader.get(f"/at-home/server/{chapter}")).status_code == 200 and got)
        place = answer.json()["chapter"]
        return [reader.get(f"/data/{place['hash']}/{name}").raise_for_status().content for name in place["data"]]


def test_a_sign_in_holds_at_both_nodes_and_so_does_its_end(pair: Pair, tmp_path: Path) -> None:
    form = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
    client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    nodes = pair.first.url, pair.second.url

    def token(node: str, **fields: str) -> httpx2.Response:
        return httpx2.post(node + TOKEN_PATH, data=fields | client, trust_env=False)

    def statuses(granted: dict[str, Any]) -> list[int]:
        signed = {"Authorization": f"Bearer {granted['access_token']}"}
        return [httpx2.get(f"{node}/user/me", headers=signed, trust_env=False).status_code for node in nodes]

    granted = token(nodes[0], **form).raise_for_status().json()
    assert statuses(granted) == [200, 200]
    renewing = {"grant_type": "refresh_token", "refresh_token": granted["refresh_token"]}
    renewed = token(nodes[1], **renewing).raise_for_status().json()
    assert statuses(renewed) == [200, 200]
    assert quick("user", "sign-out", USERNAME, "--data-dir", pair.first.data_dir)[0] == "1\n"
    assert statuses(renewed) == [401, 401]
    again = {"grant_type": "refresh_token", "refresh_token": renewed["refresh_token"]}
    assert [token(node, **again).status_code for node in nodes] == [400, 400]


def test_both_nodes_count_requests_together(tmp_path: Path) -> None:
    with paired(tmp_path, rate_limits="true", trusted_proxies='["127.0.0.1"]') as pair:

        def ask(number: int, address: str) -> httpx2.Response:
            return pair.alices[number % 2].http.get("/upload", headers={"X-Forwarded-For": address})

        counted = [int(ask(number, next(ADDRESSES)).headers["X-RateLimit-Remaining"]) for number in range(6)]
        assert counted == [29, 28, 27, 26, 25, 24]
        address = next(ADDRESSES)
        with ThreadPoolExecutor(10) as pool:
            crowd = list(pool.map(lambda number: ask(number, address).status_code, range(10)))
        assert crowd.count(404) == 5
        assert crowd.count(429) == 5


# a node that is killed


def large(number: int) -> bytes:
    """A page that takes a while to decode, and few bytes."""
    image = pyvips.Image.black(9_000, 9_000).draw_rect(100 + number, 0, 0, 4_000, 4_000, fill=True)
    return bytes(image.write_to_buffer(".png"))


def test_the_chapter_of_a_node_that_was_killed_in_mid_job_is_taken_over(tmp_path: Path) -> None:
    lease = {"MANGADEX_SERVER_JOB_LEASE_S": "2"}
    pages = [large(number) for number in range(6)]
    attempts = text("SELECT attempts FROM jobs WHERE owner IS NOT NULL")
    with service(tmp_path / "first", job_lease_s=2) as first, peek(tmp_path / "first") as database:
        chapter = first.alice.chapter(*pages)["id"]
        assert until(lambda: database.execute(attempts).scalar()) == 1
        first.running.kill()
        assert database.execute(attempts).scalar() == 1, "it was not in mid-job"
        second = second_node(tmp_path, **lease)
        try:
            assert until(lambda: database.execute(text("SELECT attempts FROM jobs")).scalar() == 2)
            assert read(second.url, chapter) == pages
        finally:
            second.stop()


# what is wrong with an engine


def said_by_run(folder: Path, **given: str) -> str:
    """What a node says that does not start; in one sentence, without what is secret."""
    said = command("run", "--port", "0", "--data-dir", folder / "data", status=2, **given).stderr
    assert SECRET not in said
    return said


def with_password(url: str, user: str = "postgres") -> str:
    return make_url(url).set(username=user, password=SECRET).render_as_string(hide_password=False)


def test_a_database_that_does_not_answer(tmp_path: Path) -> None:
    nowhere = f"postgresql+psycopg://somebody:{SECRET}@127.0.0.1:{free_port('127.0.0.1')}/mangadex"
    said = said_by_run(tmp_path, MANGADEX_SERVER_DATABASE_URL=nowhere)
    assert said.startswith("The database postgresql+psycopg://somebody:***@127.0.0.1:")
    assert said.endswith("Check database_url, and that it runs.\n")


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    url = make_url(with_password(database_url(tmp_path))).set(database="nowhere")
    said = said_by_run(tmp_path, MANGADEX_SERVER_DATABASE_URL=url.render_as_string(hide_password=False))
    assert 'database "nowhere" does not exist' in said


def test_a_database_without_tables(tmp_path: Path) -> None:
    url = with_password(database_url(tmp_path, empty=True))
    said = said_by_run(tmp_path, MANGADEX_SERVER_DATABASE_URL=url)
    assert said.endswith("has no tables yet. Run `mangadex-server migrate` with the same settings.\n")


def test_a_user_of_the_database_who_may_only_read(tmp_path: Path) -> None:
    role = f"reader_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
    url = database_url(tmp_path)
    with administration() as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    said = said_by_run(tmp_path, MANGADEX_SERVER_DATABASE_URL=with_password(url, role))
    assert "its user may not INSERT in " in said
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"DROP OWNED BY {role}")
        connection.execute(f"DROP ROLE {role}")


def test_a_store_that_does_not_answer(tmp_path: Path) -> None:
    said = said_by_run(
        tmp_path, AWS_ENDPOINT_URL=f"http://127.0.0.1:{free_port('127.0.0.1')}", AWS_SECRET_ACCESS_KEY=SECRET
    )
    assert said.startswith("The store of pages s3://")
    assert said.endswith("Check AWS_ENDPOINT_URL and AWS_REGION, and that it runs.\n")


def test_a_bucket_that_is_not_there(tmp_path: Path) -> None:
    said = said_by_run(tmp_path, MANGADEX_SERVER_BLOBS_URL="s3://nowhere/pages")
    assert said == ("The store of pages s3://nowhere/pages: there is no such bucket. Make it, or correct blobs_url.\n")


def test_a_secret_of_the_store_that_is_wrong(tmp_path: Path) -> None:
    said = said_by_run(tmp_path, AWS_SECRET_ACCESS_KEY=SECRET)
    assert said.endswith("may not write there. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.\n")


def test_without_its_store_of_counters_a_node_serves_and_says_so(tmp_path: Path) -> None:
    data = "--data-dir", str(tmp_path / "data")
    nowhere = {"MANGADEX_SERVER_LIMITS_URL": f"valkey://:{SECRET}@127.0.0.1:{free_port('127.0.0.1')}"}
    node = subprocess.Popen(
        [PROGRAM, "run", "--port", "0", *data],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=clean(data, nowhere),
    )
    try:
        assert node.stdout is not None
        assert node.stdout.readline().startswith(READY)
    finally:
        node.terminate()
        _, said = node.communicate()
    assert node.returncode == 0
    assert SECRET not in said
    [line] = said.splitlines()
    assert "requests are not limited while the store of counters 127.0.0.1:" in line


@pytest.mark.parametrize("words", [("user", "list"), ("migrate",), ("worker",), ("sweep",)], ids=" ".join)
def test_a_command_without_its_database(tmp_path: Path, words: tuple[str, ...]) -> None:
    nowhere = f"postgresql+psycopg://somebody:{SECRET}@127.0.0.1:{free_port('127.0.0.1')}/mangadex"
    given = {"MANGADEX_SERVER_DATABASE_URL": nowhere}
    said = command(*words, "--data-dir", tmp_path / "data", status=2, **given).stderr
    assert said.startswith("The database")
    assert SECRET not in said


# migrations


@pytest.mark.parametrize("number", range(2))
def test_two_that_migrate_at_once_both_end_well(tmp_path: Path, number: int) -> None:
    url = database_url(tmp_path, empty=True)

    def migrated(folder: str) -> str:
        said = command("migrate", "--data-dir", tmp_path / folder, status=0, MANGADEX_SERVER_DATABASE_URL=url)
        return said.stdout

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(migrated, ("one", "other")))
    assert both == [f"The database is at version {newest()}.\n"] * 2
    assert is_current(url)
