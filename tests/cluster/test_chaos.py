"""Eight people upload while nodes, workers and engines are killed and started again at random."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import httpx2
import pytest
from pages import write_folder
from rig import GROUP, MANGA
from sqlalchemy import select, union
from uploading import png
from user import User

from cluster import Cluster, Node, Worker, clustered
from engines import Engine
from mangadex_server.object_blobs import ObjectBlobs
from mangadex_server.parts import Parts
from mangadex_server.settings import Settings
from mangadex_server.sweep import Sweep
from mangadex_server.tables import files, jobs, new_pages, pages, sessions

UPLOADERS = 8
PAGES = 6
PAGE_BYTES = 120_000
SHORT_S, LONG_S = 15.0, 120.0
AWAY_S = 1.5
"""At most, of a part that was killed."""

CALM_S = 1.5
"""At most, between two kills."""

RUNS = 30
"""Of the same command, until its chapter is published."""

TRY_LATER = 5
PROCESSED_WITHIN_S = 120.0

APART = 1_000
"""Between the numbers of two people's first chapters."""

_page_numbers = itertools.count()

Part: TypeAlias = Node | Worker | Engine


@dataclass
class Uploader:
    """A person with one chapter after another."""

    user: User
    name: str
    first: int
    published: dict[str, list[bytes]] = field(default_factory=dict)

    def upload_until(self, calm: threading.Event) -> None:
        """Chapters, the last of which ends after the chaos."""
        for number in itertools.count(self.first):  # another's chapter of the same number would be a duplicate
            numbers = itertools.islice(_page_numbers, PAGES)
            drawn = {f"{place:03d}.png": png(page, PAGE_BYTES) for place, page in enumerate(numbers)}
            folder = write_folder(self.user.home / f"chapter {number}", drawn)
            is_last = calm.is_set()
            self._upload(folder, str(number))
            self.published[str(number)] = list(drawn.values())
            if is_last:
                return

    def _upload(self, folder: Path, number: str) -> None:
        told = ["--manga", MANGA, "--group", GROUP, "--chapter", number, "--accept-terms", "--no-pacing"]
        for _ in range(RUNS):
            ended = self.user.run("upload", str(folder), *told, "--non-interactive", "--json")
            if ended.status == 0:
                return
            assert ended.status == TRY_LATER, f"{self.name}, chapter {number}: {ended.errors}"
        raise AssertionError(f"{self.name}, chapter {number} is not published after {RUNS} runs: {ended.errors}")


def settings_of(cluster: Cluster, folder: Path) -> Settings:
    prefix = "MANGADEX_SERVER_"
    given = {name.removeprefix(prefix).lower(): value for name, value in cluster.environment.items() if prefix in name}
    return Settings.model_validate(given | {"data_dir": folder})


async def tokens_of(parts: Parts, names: list[str]) -> list[str]:
    try:
        for name in names:
            await parts.accounts.add_user(name, "long enough for anybody")
        return [await parts.accounts.access_token_for(name) for name in names]
    finally:
        await parts.database.close()


def make_trouble(cluster: Cluster, lasts_s: float, chance: random.Random) -> Counter[str]:
    """Kill somebody, start them again a little later; each at least once. How often whom."""
    parts: dict[str, Part] = {f"node {n}": node for n, node in enumerate(cluster.nodes)}
    parts |= {f"worker {n}": worker for n, worker in enumerate(cluster.workers)}
    parts |= {engine.name: engine for engine in cluster.engines.all}
    killed: Counter[str] = Counter()
    wait = threading.Event().wait
    ends = time.monotonic() + lasts_s
    while time.monotonic() < ends or len(killed) < len(parts):
        wait(chance.uniform(0, CALM_S))
        name = chance.choice([name for name in parts if name not in killed] or list(parts))
        killed[name] += 1
        parts[name].kill()
        wait(chance.uniform(0, AWAY_S))
        start_again(parts[name])
    return killed


def start_again(part: Part) -> None:
    """As whatever watches over processes does."""
    for _ in range(RUNS):
        try:
            part.start()
        except AssertionError:  # an engine was just being started
            continue
        return
    raise AssertionError(f"{part} does not start any more")


@pytest.mark.parametrize(
    "lasts_s", [SHORT_S, pytest.param(LONG_S, marks=pytest.mark.proof)], ids=["short", "two minutes"]
)
def test_nothing_acknowledged_is_lost_and_nothing_is_there_twice(tmp_path: Path, lasts_s: float) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    with clustered(tmp_path, access_token_s="7200", job_lease_s="5") as cluster, pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.engines.store_environment.items():
            patch.setenv(name, value)
        settings = settings_of(cluster, tmp_path / "look")
        settings.data_dir.mkdir()
        names = [f"uploader-{number}" for number in range(UPLOADERS)]
        tokens = asyncio.run(tokens_of(Parts(settings), names))
        people = []
        for place, (name, token) in enumerate(zip(names, tokens, strict=True)):
            (home := tmp_path / name).mkdir()
            people.append(Uploader(User(home, cluster.url, {"MANGADEX_ACCESS_TOKEN": token}), name, place * APART))
        calm = threading.Event()
        with ThreadPoolExecutor(UPLOADERS) as pool:
            uploads = [pool.submit(person.upload_until, calm) for person in people]
            try:
                killed = make_trouble(cluster, lasts_s, random.Random(seed))
            finally:
                calm.set()
            for upload in uploads:
                upload.result()
        print(f"killed: {dict(killed)}; published: {sum(len(person.published) for person in people)} chapters")  # noqa: T201 - with -s
        for person, token in zip(people, tokens, strict=True):
            check_published(cluster.url, person, token)
        asyncio.run(check_nothing_is_left(Parts(settings), ObjectBlobs(str(settings.blobs_url), tmp_path / "look")))


def check_published(url: str, person: Uploader, token: str) -> None:
    """Each chapter once, with its pages in order, and no session open."""
    with httpx2.Client(
        base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
    ) as reader:
        assert reader.get("/upload").status_code == 404, person.name
        me = reader.get("/user/me").raise_for_status().json()["data"]["id"]
        found = reader.get("/chapter", params={"uploader": me, "limit": 100}).raise_for_status().json()["data"]
        numbers = {chapter["attributes"]["chapter"]: chapter["id"] for chapter in found}
        assert len(found) == len(numbers), f"{person.name} has a chapter twice"
        assert set(numbers) == set(person.published), person.name
        for number, drawn in person.published.items():
            place = page_names(reader, numbers[number])
            read = [reader.get(f"/data/{place['hash']}/{name}").raise_for_status().content for name in place["data"]]
            assert read == drawn, f"{person.name}, chapter {number}"


def page_names(reader: httpx2.Client, chapter_id: str) -> dict[str, list[str]]:
    until = time.monotonic() + PROCESSED_WITHIN_S
    while (answer := reader.get(f"/at-home/server/{chapter_id}")).status_code == 404:
        assert time.monotonic() < until, f"{chapter_id} is not processed: {answer.text}"
        time.sleep(0.1)
    names: dict[str, list[str]] = answer.raise_for_status().json()["chapter"]
    return names


async def check_nothing_is_left(parts: Parts, blobs: ObjectBlobs) -> None:
    """No session and no job; after a sweep, exactly the blobs that rows name."""
    try:
        async with parts.database.read() as connection:
            assert (await connection.execute(select(jobs.c.id, jobs.c.failed_reason))).all() == []
            assert (await connection.execute(select(sessions.c.id).where(sessions.c.state == "open"))).all() == []
        await Sweep(parts.database, blobs, parts.settings.data_dir).run(older_than_s=-5)
        uses = (files.c.blob, new_pages.c.blob, pages.c.blob, pages.c.saver_blob)
        async with parts.database.read() as connection:
            named = set((await connection.execute(union(*(select(column) for column in uses)))).scalars())
        assert {blob.digest for blob in await asyncio.to_thread(lambda: list(blobs.all()))} == named - {None}
    finally:
        await parts.database.close()
