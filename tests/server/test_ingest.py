"""Pages on their way in where something is in the way: names, fields, a full disk, a request that is cut off."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from house import House
from installations import are_big, blobs_of, settings_of
from sqlalchemy import update
from test_program import until
from uploading import FILE_HEAD, Caller, Service, form, png, service

from mangadex_server.arriving import WRITE_BYTES
from mangadex_server.database import Database
from mangadex_server.errors import OutOfSpace
from mangadex_server.ingest import MAX_FIELD_BYTES, MAX_FIELDS, Ingest
from mangadex_server.new_blob import NewBlob
from mangadex_server.part_names import MAX_CHARACTERS
from mangadex_server.settings import MIB
from mangadex_server.tables import users

LARGEST_FILE_BYTES = 4 * MIB
WRITER = """
import sys
from pathlib import Path
from installations import blobs_of
blob = blobs_of(Path(sys.argv[1])).new()
blob.write(b"half of a page")
print("written", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("ingest") / "data") as running:
        yield running


@pytest.fixture
def alice(served: Service) -> Caller:
    return served.alice


def names(answer: httpx2.Response) -> list[str]:
    return [str(file["attributes"]["originalFileName"]) for file in answer.raise_for_status().json()["data"]]


def arriving(data_dir: Path) -> list[Path]:
    """The files of pages that are half-written."""
    return list((data_dir / "blobs" / "incoming").iterdir())


def details(answer: httpx2.Response) -> list[str]:
    return [str(entry["detail"]) for entry in answer.json()["errors"]]


# names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (r'filename="C:\dir\1.png"', r"C:\dir\1.png"),
        (r'filename="\\server\1.png"', r"\server\1.png"),
        (r'filename="a\\b.png"', r"a\b.png"),
        (r'filename="ends\"', "ends\\"),
        ('filename="say "hi".png"', 'say "hi".png'),
        ("filename=1 of 2.png", "1 of 2.png"),
        ('FILENAME="a;b=c.png"', "a;b=c.png"),
        ("filename*=UTF-8''%E3%83%9A%20%22%2F.png", 'ペ "/.png'),
        ("filename*=iso-8859-1'de'%FCber.png", "über.png"),
        ("filename*=UTF-8''no.png; filename=\"yes.png\"", "yes.png"),
        ('filename="ページ' + "x" * (MAX_CHARACTERS - 3) + '"', "ページ" + "x" * (MAX_CHARACTERS - 3)),
        (f"filename*=UTF-8''{'%E3%83%9A' * 300}", "ペ" * 300),
    ],
)
def test_a_name_is_what_its_sender_meant(alice: Caller, given: str, name: str) -> None:
    assert names(alice.post_form(alice.session(), form((f'name="a"; {given}', png())))) == [name]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ('filename="a\0b"', "NUL"),
        ("filename*=UTF-8''a%00b", "NUL"),
        (f'filename="{"n" * (MAX_CHARACTERS + 1)}"', f"{MAX_CHARACTERS} are the most"),
        ("filename*=UTF-8''%FF", "cannot be read"),
        ("filename*=koi8-r''a", "cannot be read"),
    ],
)
def test_a_name_that_cannot_be_kept_costs_its_page_only(alice: Caller, given: str, reason: str) -> None:
    answer = alice.post_form(
        alice.session(), form((f'name="a"; {given}', png()), ('name="b"; filename="good"', png(1)))
    )
    assert names(answer) == ["good"]
    [detail] = details(answer)
    assert reason in detail
    assert len(detail) < 500


def test_a_head_beyond_all_names_is_refused_whole(served: Service) -> None:
    session = served.alice.session()
    answer = served.alice.post_form(session, form((f'name="a"; filename="{"n" * 20_000}"', png())))
    assert (answer.status_code, "shorter file name" in details(answer)[0]) == (400, True)
    assert served.alice.files() == []


# parts that are no files


def test_as_many_fields_as_there_may_be_leave_room_for_ten_files(alice: Caller) -> None:
    fields = [(f'name="{number}"', b"x" * (MAX_FIELD_BYTES // MAX_FIELDS)) for number in range(MAX_FIELDS)]
    files = [(f'name="f{number}"; filename="{number}"', png(number)) for number in range(10)]
    assert names(alice.post_form(alice.session(), form(*fields, *files))) == list("0123456789")
    answer = alice.post_form(alice.session(), form(*fields, *files, ('name="f"; filename="10"', png(10))))
    assert (answer.status_code, "at most 10 files" in details(answer)[0]) == (400, True)


@pytest.mark.parametrize("fields", [[b""] * 10_000, [b"x" * (MAX_FIELD_BYTES + 1)], [b"x" * 1000] * 70])
def test_fields_beyond_their_bounds_are_refused(served: Service, fields: list[bytes]) -> None:
    session = served.alice.session()
    parts = ('name="a"; filename="a"', png()), *((f'name="{number}"', field) for number, field in enumerate(fields))
    answer = served.alice.post_form(session, form(*parts))
    assert (answer.status_code, "field" in details(answer)[0]) == (400, True)
    assert served.alice.files() == []


def test_a_field_without_end_is_not_read_to_it(served: Service) -> None:
    head = "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 200000000"
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * (2 * MAX_FIELD_BYTES)
    with served.send(f"POST /upload/{served.alice.session()} HTTP/1.1\r\n{head}", body) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


# no room


@pytest.fixture(scope="module", params=[96, 1], ids=["in memory", "beyond the memory"])
def cramped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """No file of it can grow beyond a few megabytes, as on a disk that is full then."""
    data = tmp_path_factory.mktemp("cramped") / "data"
    with largest_file(LARGEST_FILE_BYTES), service(data, upload_memory_bytes=request.param * MIB) as running:
        yield running


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """A limit that started programs keep, and that any user may set."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("at", [0, 1, 9])
def test_a_disk_that_is_full_refuses_the_request_and_keeps_nothing_half(cramped: Service, at: int) -> None:
    session = cramped.alice.session()
    pages = [png(number, LARGEST_FILE_BYTES if number == at else 1000) for number in range(10)]
    answer = cramped.alice.put(session, *((str(number), page) for number, page in enumerate(pages)))
    assert (answer.status_code, answer.json()["errors"][0]["title"]) == (507, "insufficient_storage_http_exception")
    assert cramped.incoming() == []
    assert cramped.alice.files() == []
    assert names(cramped.alice.put(session, ("small", png(0, LARGEST_FILE_BYTES - 10_000)))) == ["small"]


AS_IT_IS_AND_NOT_A_PAGE_MORE = "PRAGMA max_page_count=1"
SAYS_THAT_THE_DISK_IS_FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE SQLSTATE '53100'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE ON users FOR EACH ROW WHEN (length(NEW.password_hash) > 500000)
EXECUTE FUNCTION full_disk();
"""


def test_a_database_without_room_refuses_and_goes_on(tmp_path: Path) -> None:
    house = House(tmp_path)

    async def write(database: Database, size: int) -> None:
        async with database.write() as connection:
            await connection.execute(update(users).values(password_hash="x" * size))

    async def work(database: Database) -> None:
        async with database.write() as connection:
            await connection.exec_driver_sql(SAYS_THAT_THE_DISK_IS_FULL if are_big() else AS_IT_IS_AND_NOT_A_PAGE_MORE)
        with pytest.raises(OutOfSpace, match="no room"):
            await write(database, 1_000_000)
        await write(database, 10)

    house.run(work)


# a request that is cut off while a thread writes


@pytest.mark.parametrize("in_parts", [True, False], ids=["the first bytes", "all of a page"])
def test_a_request_that_is_cancelled_while_a_thread_writes_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_parts: bool
) -> None:
    blobs = blobs_of(tmp_path)
    new = blobs.new
    asked, go_on = threading.Event(), threading.Event()

    def slow() -> NewBlob:
        """On a disk that takes its time to make a file."""
        asked.set()
        assert go_on.wait(20)
        return new()

    monkeypatch.setattr(blobs, "new", slow)
    page = png(0, WRITE_BYTES if in_parts else 10_000)

    async def body() -> AsyncIterator[bytes]:
        yield b"--b\r\n" + FILE_HEAD + page + (b"" if in_parts else b"\r\n--b\r\n")
        await asyncio.Event().wait()

    async def cut_off() -> None:
        ingest = Ingest(settings_of(tmp_path), blobs)
        request = asyncio.create_task(ingest.receive("multipart/form-data; boundary=b", body()))
        assert await asyncio.to_thread(asked.wait, 20)
        request.cancel()
        await asyncio.sleep(0)
        request.cancel()  # a server that stops does not ask twice whether one likes it
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await request

    asyncio.run(cut_off())
    until(lambda: in_parts or asyncio.run(blobs.is_there(hashlib.sha256(page).hexdigest())))
    until(lambda: arriving(tmp_path) == [])


def test_the_memory_of_a_request_that_was_cut_off_is_free_again(tmp_path: Path) -> None:
    ingest = Ingest(settings_of(tmp_path, upload_memory_bytes=MIB), blobs_of(tmp_path))

    async def body() -> AsyncIterator[bytes]:
        whole, half = png(0, MIB // 3), png(1, MIB // 3)
        yield b"--b\r\n" + FILE_HEAD + whole + b"\r\n--b\r\n" + FILE_HEAD + half

    async def receive_some() -> None:
        for _ in range(3):
            with pytest.raises(Exception, match="cut off"):
                await ingest.receive("multipart/form-data; boundary=b", body())

    asyncio.run(receive_some())
    assert ingest._means.budget.take(MIB)


# another program writes, and is killed


def test_a_start_removes_only_what_a_killed_program_left(tmp_path: Path) -> None:
    blobs = blobs_of(tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    found = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=found) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "written\n"
        blobs.prepare()
        [half] = arriving(tmp_path)
        assert half.read_bytes() == b"half of a page"
        writer.kill()
    blobs.prepare()
    assert arriving(tmp_path) == []
