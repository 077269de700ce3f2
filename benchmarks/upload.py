"""The same chapter by curl, `mangadex upload`, hondana and muplr: how long, at what cost, and how much of the link.

Run it with `make bench`. It takes about five minutes. The service is ours, the sandbox in a process of its own; each
client in turn publishes the same 40 pages, about 40 MB, over the loopback and over a link of 50 Mbit/s and 80 ms. No
session is open when a run begins, and the service has processed the chapter before it.

The clock runs from the first request (to sign in; to begin where a token is stored) to the end of the commit's answer.
It is read where all clients pass: on the loopback in a relay that leaves the bytes to the kernel and costs nothing that
could be measured; on the link in the link. Beside it stands the whole process with its children. Ours keeps its usual
pace on the link, and none on the loopback; the others are as they come.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from client import MB, print_aim
from upload_bench import Bench, Figures, middle, size_bytes, way
from upload_clients import check_all_there, curl, hondana, muplr, ours

TESTS = Path(__file__).parents[1] / "tests"
sys.path += [str(TESTS / "uploader"), str(TESTS / "server")]

from program import sandbox  # noqa: E402 - found there

PAGES, MANY_PAGES, PAGE_BYTES = 40, 150, 1_000_000
LINK_BYTES_PER_S, RTT_S = 50_000_000 / 8, 0.08
CURL, OURS, OURS_STORED, HONDANA, MUPLR = (
    "curl, three at once",
    "mangadex upload",
    "  with a stored token",
    "hondana",
    "muplr",
)
DRAW = """
import sys
from pathlib import Path
from pages import draw_chapter, write_folder
write_folder(Path(sys.argv[1]), draw_chapter(int(sys.argv[2]), size_bytes=int(sys.argv[3])))
"""


def main(rounds: int) -> None:
    check_all_there()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pages, many = drawn(folder / "pages", PAGES), drawn(folder / "many", MANY_PAGES)
        with sandbox(folder / "data") as service:
            measure(Bench(folder, service.url), int(service.url.rpartition(":")[2]), pages, many, rounds)


def drawn(folder: Path, number: int) -> Path:
    """Drawn in a process of its own: this one stays without libvips."""
    environment = {"PYTHONPATH": str(TESTS / "uploader")}
    command = [sys.executable, "-c", DRAW, str(folder), str(number), str(PAGE_BYTES)]
    subprocess.run(command, env=environment, check=True)
    return folder


def measure(bench: Bench, port: int, pages: Path, many: Path, rounds: int) -> None:
    unpaced = partial(ours, has_token=False, is_paced=False)
    with_login, with_token = (partial(ours, has_token=has_token, is_paced=True) for has_token in (False, True))
    others = {HONDANA: hondana, MUPLR: muplr}
    payload_bytes = size_bytes(pages)
    what = f"{PAGES} pages, {payload_bytes / MB:.1f} MB, median of {rounds} interleaved rounds"
    with way(port) as relay:
        runs = bench.compare({CURL: curl, OURS: unpaced, **others}, relay, pages, rounds)
        print(f"Over the loopback: {what}")
        loopback = show(runs)
        peak_bytes = middle(bench.compare({OURS: unpaced}, relay, many, rounds)[OURS])["peak_bytes"]
        print(f"  {OURS}, {size_bytes(many) / MB:.1f} MB: peak {peak_bytes / MB:.1f} MB")
    with way(port, LINK_BYTES_PER_S, RTT_S) as slow:
        runs = bench.compare({CURL: curl, OURS: with_login, OURS_STORED: with_token, **others}, slow, pages, rounds)
        print(f"\nOver 50 Mbit/s, 80 ms there and back: {what}")
        link = show(runs, payload_bytes)
    print("\nAims")
    print_aim("loopback, clock: ours / curl", loopback[OURS]["clock_s"] / loopback[CURL]["clock_s"], at_most=1.25)
    print_aim("share of the link, with log-in", share(payload_bytes, link[OURS]), at_least=0.92)
    print_aim("share of the link, with a stored token", share(payload_bytes, link[OURS_STORED]), at_least=0.94)
    more_bytes = peak_bytes - loopback[OURS]["peak_bytes"]
    print_aim("peak memory in MB, 150 MB beyond 40 MB", more_bytes / MB, at_most=10)


def show(runs: dict[str, list[Figures]], payload_bytes: int = 0) -> dict[str, Figures]:
    """A line for each client; with the payload also its share of the link. The medians."""
    print(f"  {'':<24}{'clock, s':>10}{'least':>8}{'most':>8}{'share':>8}{'whole, s':>10}{'CPU, s':>8}{'peak, MB':>10}")
    medians = {name: middle(its) for name, its in runs.items()}
    for name, run in medians.items():
        clocks = [it["clock_s"] for it in runs[name]]
        used = f"{share(payload_bytes, run):.3f}" if payload_bytes else ""
        print(
            f"  {name:<24}{run['clock_s']:10.2f}{min(clocks):8.2f}{max(clocks):8.2f}{used:>8}"
            f"{run['seconds']:10.2f}{run['cpu_seconds']:8.2f}{run['peak_bytes'] / MB:10.1f}",
            flush=True,
        )
    return medians


def share(payload_bytes: int, run: Figures) -> float:
    """Of what the link could have carried while the clock ran."""
    return payload_bytes / (LINK_BYTES_PER_S * run["clock_s"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compares `mangadex upload` with curl, hondana and muplr.")
    parser.add_argument("--rounds", type=int, default=3, help="how often each client runs (default: 3)")
    main(parser.parse_args().rounds)
