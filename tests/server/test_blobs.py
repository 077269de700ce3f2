"""Blobs in a folder, and the sweep over them."""

from __future__ import annotations

import asyncio
import hashlib
import math
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from house import House
from installations import blobs_of
from sqlalchemy import insert
from test_program import until

from mangadex_server.blobs import TAKEN, LocalBlobs
from mangadex_server.database import Database
from mangadex_server.errors import Invalid
from mangadex_server.ingest import Ingest, Received
from mangadex_server.states import State
from mangadex_server.sweep import BATCH, OLD_S, Sweep
from mangadex_server.tables import files, sessions

DATA = b"the bytes of a page"
DIGEST = hashlib.sha256(DATA).hexdigest()


IN_A_FOLDER = pytest.mark.embedded(reason="it is about the files of a folder of blobs")


@pytest.fixture(params=[True, False], ids=["full", "normal"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> LocalBlobs:
    made = LocalBlobs(tmp_path / "blobs", durable=request.param)
    made.prepare()
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def age(path: Path, written_at: float = 1000.0) -> None:
    os.utime(path, (written_at, written_at))


@IN_A_FOLDER
def test_what_is_stored_is_there_under_its_hash(blobs: LocalBlobs) -> None:
    assert [blobs.store(kind(DATA)) for kind in (bytes, bytearray, memoryview)] == [DIGEST] * 3
    assert asyncio.run(blobs.read(DIGEST)) == DATA
    assert [blob.digest for blob in blobs.all()] == [DIGEST]
    assert blobs.path(DIGEST).stat().st_mode & 0o777 == 0o600
    assert names(blobs.incoming) == []
    assert blobs.store(b"") == hashlib.sha256(b"").hexdigest()


@IN_A_FOLDER
def test_an_arriving_blob_is_nowhere_until_it_is_kept(blobs: LocalBlobs) -> None:
    with blobs.new() as arriving:
        arriving.write(DATA[:3], DATA[3:])
        assert not blobs.path(DIGEST).exists()
        assert list(blobs.all()) == []
        assert arriving.keep("image/png") == DIGEST
    assert blobs.path(DIGEST).read_bytes() == DATA
    assert names(blobs.incoming) == []


@IN_A_FOLDER
def test_a_write_that_fails_leaves_nothing(blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mangadex_server.new_blob.os.write", full)
    with pytest.raises(OSError, match="No space"):
        blobs.store(DATA)
    assert names(blobs.incoming.parent) == []


@IN_A_FOLDER
def test_a_start_removes_what_was_half_written_and_nothing_else(blobs: LocalBlobs) -> None:
    blobs.store(DATA)
    (blobs.incoming / "a").write_bytes(DATA[:5])
    (blobs.incoming / "b").write_bytes(b"")
    blobs.prepare()
    assert names(blobs.incoming.parent) == [DIGEST]


@IN_A_FOLDER
def test_a_start_leaves_alone_what_a_living_program_writes(blobs: LocalBlobs) -> None:
    with blobs.new() as arriving:
        arriving.write(DATA)
        blobs.prepare()
        assert arriving.keep("image/png") == DIGEST
    assert blobs.path(DIGEST).read_bytes() == DATA


@IN_A_FOLDER
def test_a_start_puts_back_what_a_killed_sweep_had_taken(blobs: LocalBlobs) -> None:
    blobs.store(DATA)
    blobs.path(DIGEST).rename(blobs.incoming / f"{DIGEST}{TAKEN}")
    blobs.prepare()
    assert asyncio.run(blobs.read(DIGEST)) == DATA
    assert names(blobs.incoming) == []


@IN_A_FOLDER
def test_only_old_blobs_are_deleted(blobs: LocalBlobs) -> None:
    assert not blobs.delete_older(DIGEST, 2000)
    blobs.store(DATA)
    age(blobs.path(DIGEST), 2000)
    assert not blobs.delete_older(DIGEST, 2000)
    assert names(blobs.incoming.parent) == [DIGEST]
    assert blobs.delete_older(DIGEST, 2001)
    assert names(blobs.incoming.parent) == []


@IN_A_FOLDER
@pytest.mark.parametrize("step", ["stat", "rename", "unlink"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_blob_written_while_it_is_deleted_stays(
    blobs: LocalBlobs, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    """Whatever step of the deletion the upload comes before or after."""
    blobs.store(DATA)
    age(blobs.path(DIGEST))
    original = getattr(Path, step)
    written: list[str] = []

    def write() -> None:
        if not written:
            written.append(step)
            arriving = blobs.incoming / "arriving"  # not by `store`, which would meet the patched steps
            arriving.write_bytes(DATA)
            os.rename(arriving, blobs.path(DIGEST))  # noqa: PTH104

    def meanwhile(path: Path, *arguments: Any, **named: Any) -> Any:
        if when == "before":
            write()
        result = original(path, *arguments, **named)
        write()
        return result

    with monkeypatch.context() as patched:
        patched.setattr(Path, step, meanwhile)
        blobs.delete_older(DIGEST, 2000)
    assert written
    assert blobs.path(DIGEST).read_bytes() == DATA
    assert names(blobs.incoming) == []


# the sweep


class Swept:
    """A house with blobs, and rows that refer to some."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.blobs = blobs_of(folder)

    def store(self, data: bytes) -> str:
        return asyncio.run(self.blobs.write(data, "image/png"))

    def grow_old(self) -> None:
        """What is stored so far is old, and what is stored afterwards is not. A store counts whole seconds."""
        self.house.now = math.floor(time.time()) + 1 + OLD_S
        until(lambda: time.time() >= self.house.now - OLD_S)

    def sweep(self) -> int:
        def work(database: Database) -> Any:
            return Sweep(database, self.blobs, self.house.settings.data_dir, lambda: self.house.now).run()

        return int(self.house.run(work))

    def left(self) -> set[str]:
        return {blob.digest for blob in self.blobs.all()}

    def add_file(self, digest: str) -> None:
        async def work(database: Database) -> None:
            common = {"created_at": 1.0, "updated_at": 1.0}
            session = {"id": str(uuid4()), "user_id": self.house.alice, "manga_id": self.house.manga}
            file = {"id": str(uuid4()), "session_id": session["id"], "sequence": 1, "original_file_name": "x"}
            image = {"blob": digest, "size_bytes": 1, "mime_type": "image/png", "width": 1, "height": 1}
            async with database.write() as connection:
                await connection.execute(insert(sessions).values(**session, state=State.OPEN, **common))
                await connection.execute(insert(files).values(**file, **image, source="local"))

        self.house.run(work)


@pytest.fixture
def swept(tmp_path: Path) -> Swept:
    return Swept(tmp_path)


def test_only_old_orphans_are_swept(swept: Swept) -> None:
    of_file, of_page, of_saver = (swept.store(b"used %d" % number) for number in range(3))
    swept.add_file(of_file)
    chapter = swept.house.add_chapter()
    swept.house.add_pages(chapter, {"blob": of_page, "mime_type": "image/png", "saver_blob": of_saver})
    for number in range(BATCH + 5):
        swept.store(b"orphan %d" % number)
    swept.grow_old()
    young = swept.store(b"young")
    assert swept.sweep() == BATCH + 5
    assert swept.left() == {of_file, of_page, of_saver, young}
    assert swept.sweep() == 0


def test_a_page_uploaded_again_during_the_sweep_is_not_lost(swept: Swept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its row comes after the sweep has asked for rows, its blob before the sweep deletes."""
    digest, other = swept.store(DATA), swept.store(b"an orphan")
    swept.grow_old()
    referred = Sweep._referred

    async def then_upload(sweep: Sweep, digests: list[str]) -> set[str]:
        found = await referred(sweep, digests)
        await swept.blobs.write(DATA, "image/png")
        return found

    monkeypatch.setattr(Sweep, "_referred", then_upload)
    assert swept.sweep() == 1
    assert swept.left() == {digest} != {other}
    assert asyncio.run(swept.blobs.read(digest)) == DATA


# what arrives, piece by piece


def receive(folder: Path, *pieces: bytes) -> list[Received]:
    house, blobs = House(folder), blobs_of(folder)

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    try:
        return asyncio.run(Ingest(house.settings, blobs).receive("multipart/form-data; boundary=b", body()))
    finally:
        assert names(folder / "blobs" / "incoming") == []


def test_a_line_end_after_the_form_may_come_alone(tmp_path: Path) -> None:
    head = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n'
    [part] = receive(tmp_path, head + b"x" * 5000 + b"\r\n--b--", b"\r\n")
    assert part.name == "a"


def test_a_body_without_its_boundary_is_refused_at_its_first_piece(tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        yield b"x" * 5000
        raise AssertionError("the rest was waited for")

    ingest = Ingest(House(tmp_path).settings, blobs_of(tmp_path))
    with pytest.raises(Invalid, match="boundary"):
        asyncio.run(ingest.receive("multipart/form-data; boundary=b", endless()))
