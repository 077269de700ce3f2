"""A sweep over a store that cannot look and remove in one step, against uploads of the same pages."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, select

from engines import BUCKET, Engines, running
from mangadex_server import removals
from mangadex_server.database import Database
from mangadex_server.errors import Overloaded, Unavailable
from mangadex_server.migrate import migrate
from mangadex_server.object_blobs import ObjectBlobs
from mangadex_server.sweep import Sweep
from mangadex_server.tables import removals as marks

pytestmark = pytest.mark.embedded(reason="it has engines of its own")

DATA = b"a page" * 1000
DIGEST = hashlib.sha256(DATA).hexdigest()
KIND = "image/png"
AT_ONCE = -5.0
"""As an age: whatever was written until five seconds from now is old."""


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    with running(tmp_path_factory.mktemp("engines")) as started, pytest.MonkeyPatch.context() as patch:
        for name, value in started.store_environment.items():
            patch.setenv(name, value)
        yield started


class Store:
    """A store and a database of their own, and sweeps over them."""

    def __init__(self, folder: Path, engines: Engines) -> None:
        self.name = f"swept_{uuid4().hex[:16]}"
        self.folder = folder
        engines.create_database(self.name)
        self.url = engines.database_url(self.name)
        migrate(self.url)
        self.blobs = ObjectBlobs(f"s3://{BUCKET}/{self.name}", folder / "blobs")
        self.blobs.prepare()

    def run(self, work: Callable[[Database], Coroutine[Any, Any, Any]]) -> Any:
        async def main() -> Any:
            database = Database(self.url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(main())

    def sweep(self, older_than_s: float = AT_ONCE) -> int:
        def work(database: Database) -> Coroutine[Any, Any, int]:
            return Sweep(database, self.blobs, self.folder).run(older_than_s=older_than_s)

        return int(self.run(work))

    def check(self, *digests: str) -> None:
        self.run(lambda database: removals.check(database, self.blobs, digests, time.time()))

    def is_there(self, digest: str = DIGEST) -> bool:
        return asyncio.run(self.blobs.is_there(digest))

    def marks(self) -> dict[str, bool]:
        async def work(database: Database) -> dict[str, bool]:
            async with database.read() as connection:
                return {row.blob: row.is_done for row in await connection.execute(select(marks))}

        found: dict[str, bool] = self.run(work)
        return found


@pytest.fixture
def store(tmp_path: Path, engines: Engines) -> Store:
    return Store(tmp_path, engines)


def test_old_orphans_go_and_young_ones_stay(store: Store) -> None:
    store.blobs.store(DATA, KIND)
    assert store.sweep(older_than_s=3_600) == 0
    assert store.is_there()
    assert store.sweep() == 1
    assert not store.is_there()


def test_a_page_stored_before_its_removal_is_refused_and_may_be_sent_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload stores it after the sweep has looked at its age, and the sweep removes what the upload stored."""
    store.blobs.store(DATA, KIND)
    remove = ObjectBlobs.delete_older

    def after_an_upload(blobs: ObjectBlobs, digest: str, written_before: float) -> bool:
        blobs.store(DATA, KIND)
        return remove(blobs, digest, written_before)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectBlobs, "delete_older", after_an_upload)
        assert store.sweep() == 1
    assert not store.is_there()
    with pytest.raises(Overloaded, match="Send the request again"):
        store.check(DIGEST)
    with pytest.raises(Overloaded):  # another upload that had stored it before: nobody takes its warning away
        store.check(DIGEST)
    store.blobs.store(DATA, KIND)
    store.check(DIGEST)
    assert store.is_there()


def test_a_page_that_is_just_being_removed_is_refused(store: Store) -> None:
    store.blobs.store(DATA, KIND)
    store.run(lambda database: removals.mark(database, [DIGEST], time.time()))
    with pytest.raises(Overloaded):
        store.check(DIGEST)


def test_a_mark_that_a_killed_sweep_left_refuses_nobody_for_long(store: Store) -> None:
    """Its blob may be gone: then the page is stored again; it may be there: then it stays."""
    store.run(lambda database: removals.mark(database, [DIGEST], time.time() - removals.DEAD_S - 1))
    with pytest.raises(Overloaded):
        store.check(DIGEST)
    store.blobs.store(DATA, KIND)
    store.check(DIGEST)
    assert store.marks() == {}


def test_a_mark_that_a_sweep_holds_refuses_however_old_it_is(store: Store) -> None:
    store.blobs.store(DATA, KIND)

    async def held(database: Database) -> None:
        await removals.mark(database, [DIGEST], 0.0)
        async with database.write() as connection:
            assert await removals.claim(connection, [DIGEST]) == [DIGEST]
            with pytest.raises(Overloaded):
                await removals.check(database, store.blobs, [DIGEST], time.time())

    store.run(held)


def test_blobs_that_a_killed_sweep_had_removed_are_not_marked_for_ever(store: Store) -> None:
    store.run(lambda database: removals.mark(database, [DIGEST], time.time() - removals.DEAD_S - 1))
    assert store.sweep() == 0
    assert store.marks() == {}


def test_a_page_stored_again_after_the_mark_is_young_and_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    other = store.blobs.store(b"another orphan", KIND)
    store.blobs.store(DATA, KIND)
    claim = removals.claim

    async def after_an_upload(*given: Any) -> list[str]:
        monkeypatch.setattr(ObjectBlobs, "_written_at", lambda _blobs, digest: 0.0 if digest == other else 9e12)
        return await claim(*given)

    monkeypatch.setattr(removals, "claim", after_an_upload)
    assert store.sweep() == 1
    monkeypatch.undo()
    assert store.is_there()
    assert store.marks() == {other: True}
    store.check(DIGEST)


def test_what_a_killed_sweep_had_marked_is_swept_by_the_next(store: Store) -> None:
    store.blobs.store(DATA, KIND)
    store.run(lambda database: removals.mark(database, [DIGEST], 0.0))
    assert store.sweep() == 1
    assert store.marks() == {DIGEST: True}


def test_a_sweep_renews_the_marks_that_it_takes_over(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else an upload would take a mark away whose removal is cut off, and still under way at the store."""
    store.blobs.store(DATA, KIND)
    store.run(lambda database: removals.mark(database, [DIGEST], time.time() - removals.DEAD_S - 1))

    def cut_off(_blobs: ObjectBlobs, _digest: str, _written_before: float) -> bool:
        raise TimeoutError

    with monkeypatch.context() as patch:
        patch.setattr(ObjectBlobs, "delete_older", cut_off)
        with pytest.raises(Unavailable):
            store.sweep()
    with pytest.raises(Overloaded):
        store.check(DIGEST)


def test_two_sweeps_at_once_remove_each_orphan_once(store: Store) -> None:
    for number in range(40):
        store.blobs.store(b"orphan %d" % number, KIND)
    together = threading.Barrier(2)
    removed: list[int] = []

    def sweep() -> None:
        together.wait()
        removed.append(store.sweep())

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(removed) == 40
    assert list(store.blobs.all()) == []


def test_marks_are_forgotten_after_a_day(store: Store) -> None:
    async def work(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(insert(marks).values(blob=DIGEST, is_done=True, marked_at=0.0))

    store.run(work)
    assert store.sweep() == 0
    assert store.marks() == {}


def test_one_node_sweeps_for_all(store: Store) -> None:
    async def work(database: Database) -> list[bool]:
        sweeps = [Sweep(database, store.blobs, store.folder) for _ in range(4)]
        return [*(await asyncio.gather(*(sweep.is_due(3_600) for sweep in sweeps))), await sweeps[0].is_due(3_600)]

    assert sorted(store.run(work)) == [False, False, False, False, True]
