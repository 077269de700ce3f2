"""Whether a large database is slower than a small one, and what a second node adds: PostgreSQL, an S3 store, nodes.

`python benchmarks/scale.py` takes some ten minutes and 12 GB of temporary files. The engines come from wheels and run
as processes of this machine, PostgreSQL as it comes and with its syncs. Two databases lie in it at the same time, one
small and one with a million sessions and ten million files, each with a node; 8 clients publish chapters of one small
page through one node and then through the other, so that whatever else the machine does is at the cost of both. Pages
go to local files without syncs there, since the database is what is compared.

Then two other nodes on the large database, with the store, take larger pages, one of them and both in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, sleep
from typing import NamedTuple, cast

import psycopg
from client import MB, print_aim
from scale_client import Figures, Job
from scale_filling import Size, blob, fill, row_id

from mangadex_server.blobs import LocalBlobs
from mangadex_server.database import Database
from mangadex_server.migrate import migrate
from mangadex_server.sweep import Sweep

HERE = Path(__file__).parent
TESTS = HERE.parent / "tests"
sys.path += [str(TESTS / "engines"), str(TESTS / "server")]

from program import PROGRAM, start  # noqa: E402

from engines import BUCKET, Engines, running  # noqa: E402 - found there

CLIENTS = 8
ROUNDS = 5
TURNS, CHAPTERS = 20, 12
"""Rounds of the two sizes, short ones, and chapters of a client in each."""
REQUESTS, PAGES, PAGE_BYTES = 12, 10, 100_000
SMALL_PAGE_BYTES = 3_000
SMALL = Size(sessions=1_000, files=10_000, chapters=50, pages=1_000)
CHAPTERS_IN, PAGES_IN = 50_000, 1_000_000
BYTES_PER_FILE, BYTES_PER_SESSION, BYTES_BESIDE = 450, 600, 5_000_000_000  # WAL, pages, blobs
REQUESTED = ("begin", "files", "get", "commit")
COMPARED = ("begin", "get", "commit")
WEIGHED = ("upload_session_files", "upload_sessions", "pages", "chapters")
ASKED, BLOBS_ASKED = 50, 200
"""How often the sweep's question is asked, and of how many blobs each time (`sweep.BATCH`)."""
TOKEN_S = 7_200


class Written(NamedTuple):
    """By PostgreSQL so far: bytes of its log, and transactions in this database."""

    log_bytes: int
    transactions: int


@dataclass
class Node:
    """A running node, and what was measured on it."""

    port: int
    database: psycopg.Connection
    tokens: list[str]
    rounds: list[Figures] = field(default_factory=list)
    written: list[Written] = field(default_factory=list)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--sessions", type=int, default=1_000_000)
    options.add_argument("--files", type=int, default=10_000_000)
    given = options.parse_args()
    large = Size(given.sessions, given.files, CHAPTERS_IN, PAGES_IN)
    check_room(large)
    with tempfile.TemporaryDirectory() as name, running(Path(name), is_durable=True) as engines:
        folder = Path(name)
        for label, size in (("small", SMALL), ("large", large)):
            prepare(engines, label, size)
        compare_sizes(engines, folder)
        compare_nodes(engines, folder)
        for label, size in (("small", SMALL), ("large", large)):
            asked_ms = asyncio.run(sweep_ms(engines.database_url(label), folder, size))
            print(f"The sweep asks the {label} database about {BLOBS_ASKED} blobs in {asked_ms:.1f} ms")


def check_room(size: Size) -> None:
    needed = size.files * BYTES_PER_FILE + size.sessions * BYTES_PER_SESSION + BYTES_BESIDE
    free = shutil.disk_usage(tempfile.gettempdir()).free
    print(
        f"Needs some {needed / 1e9:.0f} GB in {tempfile.gettempdir()}, where {free / 1e9:.0f} GB are free.", flush=True
    )
    if free < needed:
        raise SystemExit("That is too little. Set TMPDIR to a folder with more room, or ask for fewer --files.")


def prepare(engines: Engines, label: str, size: Size) -> None:
    """A database of this size."""
    began = perf_counter()
    engines.create_database(label)
    migrate(engines.database_url(label))
    with connected(engines, label) as on:
        on.execute("ALTER SYSTEM SET max_wal_size = '8GB'")  # else filling is one checkpoint after another
        on.execute("SELECT pg_reload_conf()")
        fill(plain(engines.database_url(label)), size)
        on.execute("CHECKPOINT")
        [(size_bytes,)] = on.execute("SELECT pg_database_size(current_database())").fetchall()
        bytes_of_row = ", ".join(f"{table} {row_bytes(on, table)}" for table in WEIGHED)
    print(
        f"{label}: {size.sessions:,} sessions, {size.files:,} files, {size.pages:,} pages: {size_bytes / MB:,.0f} MB,"
        f" filled in {perf_counter() - began:.0f} s\n  bytes of a row with its indexes: {bytes_of_row}",
        flush=True,
    )


def row_bytes(on: psycopg.Connection, table: str) -> int:
    query = "SELECT pg_total_relation_size(oid) / greatest(reltuples, 1) FROM pg_class WHERE relname = %s"
    [(size_bytes,)] = on.execute(query, [table]).fetchall()
    return int(size_bytes)


def compare_sizes(engines: Engines, folder: Path) -> None:
    with ExitStack() as open_now:
        nodes = {name: open_now.enter_context(node(engines, folder, name, name)) for name in ("small", "large")}
        for number in range(1 + TURNS):
            for one in list(nodes.values())[:: 1 if number % 2 else -1]:
                figures, written = publish(folder, one)
                if number:  # the first one warmed up
                    one.rounds.append(figures)
                    one.written.append(written)
    print(f"\nbegin, 1 page of {SMALL_PAGE_BYTES // 1000} kB, get, commit: {CLIENTS} clients, {TURNS} rounds in turn")
    for name, one in nodes.items():
        print_latencies(name, one)
    for name in COMPARED:
        p99s = {size: p99(latencies(one, name)) for size, one in nodes.items()}
        print_aim(f"p99 of {name}, large / small", p99s["large"] / p99s["small"], at_most=1.3)


def publish(folder: Path, one: Node) -> tuple[Figures, Written]:
    """A round on one node, which ends when all its chapters are processed."""
    before = written_by(one)
    figures = send(folder, job_of([one], times=CHAPTERS, pages=1, page_bytes=SMALL_PAGE_BYTES, is_whole=True))
    while one.database.execute("SELECT 1 FROM jobs LIMIT 1").fetchone():
        sleep(0.25)
    after = written_by(one)
    return figures, Written(after.log_bytes - before.log_bytes, after.transactions - before.transactions)


def print_latencies(name: str, one: Node) -> None:
    chapters = CLIENTS * CHAPTERS
    per_s = median(chapters / figures["seconds"] for figures in one.rounds)
    log_bytes, transactions = (sum(column) / (chapters * TURNS) for column in zip(*one.written, strict=True))
    print(
        f"  {name}: {per_s:.0f} chapters/s, {4 * per_s:.0f} requests/s;"
        f" a chapter: {log_bytes / 1000:.0f} kB of log, {transactions:.0f} transactions"
    )
    for request in REQUESTED:
        values = latencies(one, request)
        each = [p99(figures["latencies_ms"][request]) for figures in one.rounds]
        print(
            f"    {request:<8} p50 {median(values):6.1f} ms   p99 {p99(values):6.1f} ms"
            f"   (median of the rounds' p99 {median(each):.1f}, {min(each):.1f} to {max(each):.1f})"
        )


async def sweep_ms(url: str, folder: Path, size: Size) -> float:
    """The median time of the sweep's question about blobs that are files of sessions."""
    database = Database(url)
    sweep = Sweep(database, LocalBlobs(folder / "none"), folder)
    took = []
    try:
        for _ in range(1 + ASKED):
            digests = [blob("file", 1 + secrets.randbelow(size.files)) for _ in range(BLOBS_ASKED)]
            began = perf_counter()
            await sweep._referred(digests)  # noqa: SLF001 - what it costs for each of its batches
            took.append((perf_counter() - began) * 1000)
    finally:
        await database.close()
    return median(took[1:])  # the first one connected


def compare_nodes(engines: Engines, folder: Path) -> None:
    store = engines.store_environment | {"MANGADEX_SERVER_BLOBS_URL": f"s3://{BUCKET}/scale"}
    speeds: dict[str, list[float]] = {"one node": [], "two nodes": []}
    busy: dict[str, list[float]] = {name: [] for name in speeds}
    log_bytes = 0
    with ExitStack() as open_now:
        nodes = [open_now.enter_context(node(engines, folder, "large", f"store-{n}", **store)) for n in range(2)]
        for number in range(1 + ROUNDS):
            for name, used in (("one node", nodes[:1]), ("two nodes", nodes)):
                os.sync()  # what the last one left is not written at this one's cost
                job = job_of(used, times=REQUESTS, pages=PAGES, page_bytes=PAGE_BYTES, is_whole=False)
                cpu, before = cpu_seconds(), written_by(nodes[0])
                figures = send(folder, job)
                used_s, all_s = (after - before for after, before in zip(cpu_seconds(), cpu, strict=True))
                if number:
                    speeds[name].append(CLIENTS * REQUESTS * PAGES / figures["seconds"])
                    busy[name].append(used_s / all_s)
                    log_bytes += written_by(nodes[0]).log_bytes - before.log_bytes
    print(
        f"\n{PAGES} pages of {PAGE_BYTES // 1000} kB a request to the store, {CLIENTS} clients, {ROUNDS} rounds in turn"
    )
    for name, values in speeds.items():
        print(
            f"  {name:<10}{median(values):6.0f} rows and blobs/s   ({min(values):.0f} to {max(values):.0f})"
            f"   CPU {median(busy[name]):.0%} busy, making the pages included"
        )
    pages = len(speeds) * ROUNDS * CLIENTS * REQUESTS * PAGES
    print(f"  a page: {log_bytes / pages / 1000:.1f} kB of PostgreSQL's log, giving it up included")
    print(f"  two nodes / one: {median(speeds['two nodes']) / median(speeds['one node']):.2f}")
    print(
        f"  {os.cpu_count()} cores carry the clients, the nodes and the engines: a second node can add only what the"
        " first one leaves."
    )


@contextmanager
def node(engines: Engines, folder: Path, database: str, name: str, **environment: str) -> Iterator[Node]:
    """`mangadex-server run` on this database, with its clients' tokens."""
    data_dir = folder / f"node-{name}"
    settings = {
        "MANGADEX_SERVER_DATABASE_URL": engines.database_url(database),
        "MANGADEX_SERVER_DATA_DIR": str(data_dir),
        "MANGADEX_SERVER_RATE_LIMITS": "false",
        "MANGADEX_SERVER_DURABILITY": "normal",
        "MANGADEX_SERVER_ACCESS_TOKEN_S": str(TOKEN_S),
        **environment,
    }
    running_node = start("--port", "0", **settings)
    try:
        with connected(engines, database) as on:
            yield Node(int(running_node.url.rpartition(":")[2]), on, tokens(settings))
    finally:
        running_node.stop()


def tokens(settings: dict[str, str]) -> list[str]:
    def token(number: int) -> str:
        command = [PROGRAM, "token", f"uploader-{number}"]
        return subprocess.run(
            command, check=True, capture_output=True, text=True, env=os.environ | settings
        ).stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(token, range(1, 1 + CLIENTS)))


def job_of(nodes: list[Node], *, times: int, pages: int, page_bytes: int, is_whole: bool) -> Job:
    return {
        "ports": [one.port for one in nodes],
        "tokens": nodes[0].tokens,
        "manga": row_id("manga", 1),
        "times": times,
        "pages": pages,
        "page_bytes": page_bytes,
        "is_whole": is_whole,
    }


def send(folder: Path, job: Job) -> Figures:
    """What `scale_client.py` reports."""
    file = folder / "job.json"
    file.write_text(json.dumps(job))
    command = [sys.executable, str(HERE / "scale_client.py"), str(file)]
    return cast("Figures", json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


def latencies(one: Node, request: str) -> list[float]:
    return [value for figures in one.rounds for value in figures["latencies_ms"][request]]


def p99(values: list[float]) -> float:
    return quantiles(values, n=100)[98]


def written_by(one: Node) -> Written:
    query = (
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint, xact_commit"
        " FROM pg_stat_database WHERE datname = current_database()"
    )
    return Written(*one.database.execute(query).fetchall()[0])


def cpu_seconds() -> tuple[float, float]:
    """What all cores have worked, and what they could have."""
    ticks = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return float(sum(ticks) - idle), float(sum(ticks))


def connected(engines: Engines, database: str) -> psycopg.Connection:
    return psycopg.connect(plain(engines.database_url(database)), autocommit=True)


def plain(url: str) -> str:
    """As libpq reads it."""
    return url.replace("+psycopg", "")


if __name__ == "__main__":
    main()
