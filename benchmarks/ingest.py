"""How fast pages arrive: parsed, hashed, checked, stored, recorded; beside nginx and tus, which store the same bytes.

Run it with `make bench`. It takes about two minutes and 8 GB of temporary files, and needs nginx, node and npm. All
servers run as processes of their own on the loopback, with their files in one folder; all get the same bytes from
the same program (`ingest_sender.py`). nginx takes each body by one WebDAV PUT, unseen, as one file. tus gets an upload
for each page, as its clients do, but with the bytes in the first request, which saves it a second one; beside it an
upload for each body.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TypedDict, cast

from client import MB, print_aim
from ingest_pages import Form, write_forms
from ingest_sender import Request
from ingest_servers import Target, nginx, ours, tus

HERE = Path(__file__).parent
ROUNDS = 5
CONNECTIONS = 3
PAGES = 10
REQUESTS = {1_000_000: 24, 4_000_000: 6}  # 240 MB each
NORMAL, FULL = "ours, durability normal", "ours, durability full"
NGINX = "nginx, a PUT for each body"
TUS, TUS_BODIES = "tus, an upload for each page", "tus, an upload for each body"


class Figures(TypedDict):
    """What the sender says."""

    seconds: float
    bytes: int
    cpu_seconds: float


def main() -> None:
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        targets: dict[str, Target] = {
            NORMAL: running.enter_context(ours(folder, "normal")),
            FULL: running.enter_context(ours(folder, "full")),
            NGINX: running.enter_context(nginx(folder)),
            TUS: running.enter_context(tus(folder, by_page=True)),
            TUS_BODIES: running.enter_context(tus(folder, by_page=False)),
        }
        for page_bytes, count in REQUESTS.items():
            compare(folder, targets, page_bytes, count)


def compare(folder: Path, targets: dict[str, Target], page_bytes: int, count: int) -> None:
    forms = write_forms(folder, count=count, pages=PAGES, page_bytes=page_bytes)
    speeds: dict[str, list[float]] = {name: [] for name in targets}
    for number in range(1 + ROUNDS):
        for name, target in targets.items():
            speed = measure(folder, target, forms)
            if number:  # the first one warmed up
                speeds[name].append(speed)
    for form in forms:
        form.body.path.unlink()
    medians = {name: median(values) for name, values in speeds.items()}
    print(f"{PAGES} pages of {page_bytes // MB} MB a request, {CONNECTIONS} connections, {ROUNDS} interleaved rounds")
    for name, value in medians.items():
        print(f"  {name:<30}{value:8.0f} MB/s   ({min(speeds[name]):.0f} to {max(speeds[name]):.0f})")
    print_aim("normal / nginx", medians[NORMAL] / medians[NGINX], at_least=0.7)
    print_aim("normal / tus", medians[NORMAL] / medians[TUS], at_least=3)


def measure(folder: Path, target: Target, forms: list[Form]) -> float:
    """MB/s from the first byte sent to the last answer."""
    requests = target.begin(forms)
    os.sync()  # what the last one left is not written at this one's cost
    figures = send(folder, target.port, requests, CONNECTIONS)
    target.end(len(forms) * PAGES)
    return figures["bytes"] / MB / figures["seconds"]


def send(folder: Path, port: int, requests: list[Request], connections: int) -> Figures:
    """What `ingest_sender.py` reports."""
    job = folder / "job.json"
    job.write_text(json.dumps({"port": port, "connections": connections, "requests": requests}))
    command = [sys.executable, str(HERE / "ingest_sender.py"), str(job)]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    return cast("Figures", json.loads(report))


if __name__ == "__main__":
    main()
