"""Every statement of the service's use cases goes by an index on a PostgreSQL with so many rows that it matters.

Each use case runs as it is; each of its statements is explained where it runs, with its values. What the plans do not
tell, such as looking after foreign keys, PostgreSQL's own counters do.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection

from engines import Engines, running
from mangadex_openapi.models import ChapterDraft, ChapterEdit
from mangadex_server import removals
from mangadex_server.chapter_pages import latest
from mangadex_server.chapter_search import ChapterSearch
from mangadex_server.commits import Uploader
from mangadex_server.images import ImageInfo
from mangadex_server.ingest import Received
from mangadex_server.jobs import Job
from mangadex_server.migrate import migrate
from mangadex_server.parts import Parts
from mangadex_server.reading import Reading
from mangadex_server.settings import Settings
from mangadex_server.sign_ins import ClientSecret
from mangadex_server.uploads import Sessions
from mangadex_server.worker import KIND, _pages

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from scale_filling import UPLOADERS, Size, blob, fill, row_id

SIZE = Size(sessions=50_000, files=200_000, chapters=20_000, pages=100_000, jobs=5_000)
LARGE = frozenset(
    {
        "chapter_groups",
        "chapters",
        "clients",
        "jobs",
        "pages",
        "refresh_tokens",
        "upload_session_files",
        "upload_session_groups",
        "upload_sessions",
        "users",
    }
)
INDEX_SCANS = frozenset({"Index Scan", "Index Only Scan", "Bitmap Index Scan"})
NARROW = frozenset({"ix_chapters_waiting", "ix_chapters_refused"})
"""Indexes of few of the rows, which may be read as a whole."""

SECRET = "long enough for a secret"
DRAFT = ChapterDraft(chapter="1", translated_language="en")
CHAPTERS_USERS = SIZE.open_sessions + UPLOADERS


class Installation:
    """The parts of the service on the filled database, and what is wrong with the plans of their statements."""

    def __init__(self, settings: Settings) -> None:
        self.parts = Parts(settings)
        self.settings = settings
        self.reading = Reading(self.parts.database, self.parts.blobs)
        self.statements = 0
        self.problems: list[str] = []
        engine = self.parts.database._writer.sync_engine
        event.listen(engine, "before_cursor_execute", self._explain)
        event.listen(engine, "commit", self._count)

    def _explain(self, on: Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        if statement.startswith(("EXPLAIN", "SELECT relname")):
            return
        self.statements += 1
        explained = on.exec_driver_sql(
            f"EXPLAIN (FORMAT JSON) {statement}", values[0] if isinstance(values, list) else values
        )
        for table in sorted(whole_tables(explained.scalar_one()[0]["Plan"])):
            self.problems.append(f"reads all of {table}: {statement}")

    def _count(self, on: Connection) -> None:
        counted = "SELECT relname, pg_stat_force_next_flush() FROM pg_stat_xact_user_tables WHERE seq_scan > 0"
        for table in sorted({row[0] for row in on.exec_driver_sql(counted)} & LARGE):
            self.problems.append(f"a transaction has read all of {table}")


UseCase = Callable[[Installation], Awaitable[object]]


def whole_tables(plan: dict[str, Any], table: str | None = None) -> set[str]:
    """The large tables that a plan reads as a whole, by themselves or by an index without a condition on it."""
    table = plan.get("Relation Name", table)
    is_by_index = plan["Node Type"] in INDEX_SCANS and ("Index Cond" in plan or plan["Index Name"] in NARROW)
    is_whole = plan["Node Type"] in {"Seq Scan", *INDEX_SCANS} and not is_by_index
    found = {table} & LARGE if table and is_whole else set()
    return found.union(*(whole_tables(part, table) for part in plan.get("Plans", [])))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plans")


@pytest.fixture(scope="module")
def engines(folder: Path) -> Iterator[Engines]:
    with running(folder) as found:
        yield found


@pytest.fixture(scope="module")
def settings(folder: Path, engines: Engines) -> Settings:
    url = filled(engines, "plans", SIZE)
    with psycopg.connect(plain(url)) as on:  # those that are used here are not idle
        used = [row_id("open", number) for number in range(1, 20)]
        on.execute("UPDATE upload_sessions SET updated_at = %s WHERE id = ANY(%s)", [time.time(), used])
    return Settings(data_dir=folder / "data", database_url=url)


def filled(engines: Engines, name: str, size: Size) -> str:
    engines.create_database(name)
    url = engines.database_url(name)
    migrate(url)
    fill(plain(url), size)
    return url


def plain(url: str) -> str:
    return url.replace("+psycopg", "")


def problems_of(settings: Settings, use_case: UseCase) -> list[str]:
    """What is wrong with its plans."""

    async def ran() -> Installation:
        installation = Installation(settings)
        try:
            await use_case(installation)
        finally:
            await installation.parts.database.close()
        return installation

    installation = asyncio.run(ran())
    assert installation.statements, "it asked the database for nothing"
    return installation.problems


def owner(number: int) -> str:
    """Whose open session this is."""
    return row_id("user", UPLOADERS + number)


def uploader(chapter: int) -> str:
    """Of a chapter."""
    return row_id("user", 1 + chapter % CHAPTERS_USERS)


def part(number: int) -> Received:
    image = ImageInfo("png", "image/png", 1400, 2000, "png")
    return Received(f"{number}.png", blob("part", number), 800_000, image)


async def begin_and_abandon(it: Installation) -> None:
    groups = [row_id("group", 1)]
    view = await it.parts.sessions.begin(row_id("user", 1), row_id("manga", 1), groups)
    await it.parts.sessions.abandon(row_id("user", 1), view.row.id)


async def begin_edit(it: Installation) -> None:
    view = await it.parts.sessions.begin_edit(uploader(1), row_id("chapter", 1), 1)
    assert view.files
    await it.parts.commits.commit(Uploader(uploader(1), frozenset()), view.row.id, DRAFT, [view.files[0].id])


async def expire(it: Installation) -> None:
    later = time.time() + it.settings.session_idle_days * 86_400 - 499_000
    assert await Sessions(it.parts.database, it.settings, lambda: later).expire()


async def add_files(it: Installation) -> None:
    session = row_id("open", 2)
    await it.parts.session_files.check_open(owner(2), session)
    await removals.check(it.parts.database, it.parts.blobs, [blob("part", 1)], time.time())
    assert (await it.parts.session_files.add(owner(2), session, [part(1), part(2)])).files


async def remove_files(it: Installation) -> None:
    view = await it.parts.sessions.current(owner(3))
    ids = [file.id for file in view.files[:2]]
    await it.parts.session_files.remove(owner(3), view.row.id, ids, must_exist=True)


async def commit(it: Installation) -> None:
    view = await it.parts.sessions.current(owner(4))
    order = [file.id for file in view.files]
    assert await it.parts.commits.commit(Uploader(owner(4), frozenset()), view.row.id, DRAFT, order)


async def first_in_language(it: Installation) -> None:
    waits = Parts(it.settings.model_copy(update={"approval": "first"})).commits._approval
    async with it.parts.database.read() as connection:
        await waits.is_given_at_once(connection, owner(1), "en")


async def claimed(it: Installation) -> Job:
    job = await it.parts.jobs.claim("3b0e9b5e-9c39-4d12-8f4e-1a1d3f5f6c01", KIND)
    assert job
    return job


async def claim_and_give_back(it: Installation) -> None:
    job = await claimed(it)
    assert await it.parts.jobs.renew(job)
    assert await it.parts.jobs.give_back(job)


async def claim_and_fail(it: Installation) -> None:
    job = await claimed(it)
    assert await it.parts.jobs.fail(job, "the disk was full")


async def claim_and_finish(it: Installation) -> None:
    job = await claimed(it)
    async with it.parts.database.read() as connection:
        present = await _pages(connection, job.chapter_id)
        savers = {page.blob: page.saver_blob for page in await latest(connection, job.chapter_id)}
    await it.parts.worker._end(job, present, savers, broken_reason=None)


async def find_the_same(it: Installation) -> None:
    search = ChapterSearch(manga=row_id("manga", 2), language=["en"], chapter=["3"])
    found = await it.parts.chapters.find(search, owner(1))
    await it.parts.chapters.present(found.items, {"manga", "scanlation_group", "user"})


async def edit_chapter(it: Installation) -> None:
    await it.parts.chapters.edit(uploader(5), row_id("chapter", 5), ChapterEdit(version=1, title="Another"))


async def read_pages(it: Installation) -> None:
    names = await it.reading.page_names(row_id("chapter", 7))
    await it.reading.page(names.folder, names.data[0], saver=False)
    await it.reading.page(names.folder, names.data_saver[0], saver=True)
    await it.reading.for_people(row_id("chapter", 7))
    await it.reading.explain(row_id("chapter", 7_000_000), owner(1), ())


async def sign_in(it: Installation) -> None:
    name = f"plans-{uuid4()}"
    client = ClientSecret(f"personal-client-{name}", SECRET, "127.0.0.1")
    await it.parts.accounts.add_user(name, SECRET)
    await it.parts.accounts.add_client(name, client.client_id, SECRET)
    granted = await it.parts.sign_ins.sign_in(name, SECRET, client)
    renewed = await it.parts.sign_ins.renew(granted.refresh_token, client)
    await it.parts.accounts.identify(renewed.access_token)


async def sweep(it: Installation) -> None:
    digests = [blob(kind, number) for kind in ("file", "page", "saver", "none") for number in range(1, 51)]
    assert len(await it.parts.sweep._referred(digests)) >= 100


async def present_manga(it: Installation) -> None:
    await it.parts.catalog.present_manga([await it.parts.catalog.manga(row_id("manga", 3))])


USE_CASES: dict[str, UseCase] = {
    "the open session": lambda it: it.parts.sessions.current(owner(1)),
    "begin and abandon": begin_and_abandon,
    "begin and commit an edit": begin_edit,
    "expire": expire,
    "add files": add_files,
    "remove files": remove_files,
    "commit": commit,
    "a first chapter in a language": first_in_language,
    "claim, renew, give back": claim_and_give_back,
    "claim, fail": claim_and_fail,
    "claim, finish": claim_and_finish,
    "chapters of a manga": lambda it: it.parts.chapters.find(ChapterSearch(manga=row_id("manga", 1)), owner(1)),
    "the same chapter": find_the_same,
    "chapters of an uploader": lambda it: it.parts.chapters.find(ChapterSearch(uploaders=[owner(1)]), None),
    "all of a manga": lambda it: it.parts.chapters.aggregate(row_id("manga", 1), owner(1)),
    "edit a chapter": edit_chapter,
    "delete a chapter": lambda it: it.parts.chapters.delete(uploader(6), row_id("chapter", 6)),
    "read pages": read_pages,
    "sign in and stay signed in": sign_in,
    "sign somebody out": lambda it: it.parts.account_changes.sign_out("uploader-99"),
    "what the sweep asks": sweep,
    "a manga": present_manga,
    "chapters that wait": lambda it: it.parts.review.waiting(),
    "chapters that were refused": lambda it: it.parts.review.refused(),
}


@pytest.mark.parametrize("name", USE_CASES)
def test_no_statement_reads_a_large_table_as_a_whole(settings: Settings, name: str) -> None:
    assert problems_of(settings, USE_CASES[name]) == []


@pytest.mark.parametrize(
    ("index", "name", "table"),
    [
        ("ix_upload_session_files_session_id", "the open session", "upload_session_files"),
        ("uq_upload_sessions_one_open_per_user", "the open session", "upload_sessions"),
        ("ix_upload_session_files_blob", "what the sweep asks", "upload_session_files"),
        ("ix_pages_saver_blob", "what the sweep asks", "pages"),
        ("ix_jobs_due_at", "claim, fail", "jobs"),
        ("ix_refresh_tokens_family", "sign in and stay signed in", "refresh_tokens"),
    ],
)
def test_a_missing_index_is_seen(settings: Settings, index: str, name: str, table: str) -> None:
    with without(settings, index):
        problems = problems_of(settings, USE_CASES[name])
    assert any(problem.startswith(f"reads all of {table}: ") for problem in problems), problems


@contextmanager
def without(settings: Settings, index: str) -> Iterator[None]:
    with psycopg.connect(plain(settings.database), autocommit=True) as on:
        [(definition,)] = on.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [index]).fetchall()
        on.execute(f'DROP INDEX "{index}"'.encode())
        try:
            yield
        finally:
            on.execute(definition.encode())


def test_a_claim_takes_one_job_also_by_the_plan_of_an_empty_queue(folder: Path, engines: Engines) -> None:
    """After ten times PostgreSQL keeps a plan: that of a worker that has waited runs its innermost query repeatedly."""
    url = filled(engines, "queue", Size(sessions=100, files=100, chapters=20, pages=100))

    async def claimed(parts: Parts) -> None:
        for _ in range(20):
            assert await parts.jobs.claim(row_id("worker", 0), KIND) is None
        async with parts.database.write() as connection:
            for number in range(1, 6):
                ids = {"chapter_id": row_id("chapter", number), "session_id": row_id("ended", number)}
                await parts.jobs.add(connection, kind=KIND, **ids)
        for number in range(1, 6):
            assert await parts.jobs.claim(row_id("worker", number), KIND)
        assert await parts.jobs.claim(row_id("worker", 6), KIND) is None
        await parts.database.close()

    asyncio.run(claimed(Parts(Settings(data_dir=folder / "queue", database_url=url))))
