"""What uploads cost the serving process in memory, and whether slow senders are at the cost of the others.

Run it with `make bench`. It takes a minute and 1 GB of temporary files. 32 clients upload pages of 20 MB at
once, half of them at 2 Mbit/s; then a client uploads beside 500 connections that send a byte a second each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import sleep
from typing import cast

from client import MB, print_aim
from ingest import HERE, Figures, send
from ingest_pages import write_forms
from ingest_sender import Request
from ingest_servers import Ours, ours
from ingest_trickle import Trickle

ROUNDS = 3
FAST = SLOW = 16
LARGE, SMALL = 20_000_000, 1_000_000
SLOW_BYTES_PER_S = 250_000  # 2 Mbit/s
CRAWLERS = 500
WARM_UP_S = 4


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ours(Path(name), "full") as target:
        folder = Path(name)
        pages = write_forms(folder, count=FAST, pages=1, page_bytes=LARGE)
        [small] = write_forms(folder, count=1, pages=10, page_bytes=SMALL)
        *requests, usual = target.begin([*pages, small])
        idle_mb = peak_mb(target)

        def slow(connections: int, size_bytes: int, interval_s: float) -> Trickle:
            about = {"connections": connections, "bytes": size_bytes, "interval_s": interval_s}
            return cast("Trickle", {"port": target.port, "request": requests[0]} | about)

        print(f"{FAST} clients upload pages of 20 MB, {ROUNDS} interleaved rounds")
        figures = compare(folder, target.port, requests * 2, FAST, slow(SLOW, SLOW_BYTES_PER_S // 10, 0.1))
        print(f"  alone                           {figures.alone:8.0f} MB/s")
        print(f"  beside {SLOW} more at 2 Mbit/s     {figures.beside:8.0f} MB/s")
        print_aim("ratio", figures.beside / figures.alone, at_least=0.9)
        print(f"\nOne client uploads 10 pages of 1 MB, {ROUNDS} interleaved rounds")
        figures = compare(folder, target.port, [usual], 1, slow(CRAWLERS, 1, 1))
        print(f"  alone                           {10 * SMALL / MB / figures.alone:8.3f} s")
        print(f"  beside {CRAWLERS} at a byte a second    {10 * SMALL / MB / figures.beside:8.3f} s")
        print(f"\nMemory of the serving process: {idle_mb:.0f} MB when it was idle")
        print_aim("its peak in MB", peak_mb(target), at_most=300)


@dataclass(frozen=True, slots=True)
class Rates:
    """Of the fast ones, in MB/s."""

    alone: float
    beside: float


def compare(folder: Path, port: int, requests: list[Request], connections: int, trickle: Trickle) -> Rates:
    alone, beside = [], []
    for _ in range(ROUNDS):
        alone.append(rate(send(folder, port, requests, connections)))
        with trickling(folder, trickle):
            sleep(WARM_UP_S)  # so that the slow ones have sent something
            beside.append(rate(send(folder, port, requests, connections)))
    return Rates(median(alone), median(beside))


@contextmanager
def trickling(folder: Path, trickle: Trickle) -> Iterator[None]:
    job = folder / "trickle.json"
    job.write_text(json.dumps(trickle))
    command = [sys.executable, str(HERE / "ingest_trickle.py"), str(job)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "sending\n":
                raise SystemExit("the slow senders did not begin; their messages are above")
            yield
        finally:
            process.kill()


def rate(figures: Figures) -> float:
    return figures["bytes"] / MB / figures["seconds"]


def peak_mb(target: Ours) -> float:
    """The most memory that the serving process has had (VmHWM)."""
    [serving] = Path(f"/proc/{target.program_pid}/task/{target.program_pid}/children").read_text().split()
    [line] = [line for line in Path(f"/proc/{serving}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / MB


if __name__ == "__main__":
    main()
