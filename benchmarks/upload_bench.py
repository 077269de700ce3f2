"""One upload after the other: what `upload.py` measures, and the processes that it takes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from time import monotonic, sleep
from typing import IO, TypedDict

import httpx2
from upload_clients import Client, Job, environment
from upload_curl import MANGA

HERE = Path(__file__).parent
PROCESSED_WITHIN_S = 120


class Figures(TypedDict):
    """Of one run. `clock_s` is from the first request to the commit's answer; the others are the whole process's."""

    clock_s: float
    seconds: float
    cpu_seconds: float
    peak_bytes: float


@dataclass(frozen=True)
class Way:
    """A process between the clients and the service, and its address."""

    process: subprocess.Popen[str]
    url: str

    def ask(self, word: str) -> str:
        """`clock` or `forget`, and the answer."""
        if self.process.stdin is not None:
            self.process.stdin.write(f"{word}\n")
            self.process.stdin.flush()
        return line_of(self.process.stdout)


@contextmanager
def way(port: int, bytes_per_s: float = 0.0, rtt_s: float = 0.0) -> Iterator[Way]:
    """A way to the service at this port."""
    command = [sys.executable, str(HERE / "upload_link.py"), str(port), str(bytes_per_s), str(rtt_s)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield Way(process, f"http://127.0.0.1:{line_of(process.stdout)}")
        finally:
            process.terminate()


def line_of(stream: IO[str] | None) -> str:
    """The next one."""
    line = stream.readline().strip() if stream else ""
    if not line:
        raise SystemExit("The process between client and service has ended; its messages are above.")
    return line


def size_bytes(pages: Path) -> int:
    """Of all files."""
    return sum(page.stat().st_size for page in pages.iterdir())


class Bench:
    """Runs clients against the service at `url`; what they leave is in `folder`."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder = folder
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=60)
        self._numbers = count(1)

    def compare(self, clients: dict[str, Client], over: Way, pages: Path, rounds: int) -> dict[str, list[Figures]]:
        """All in turn."""
        runs: dict[str, list[Figures]] = {name: [] for name in clients}
        for _ in range(rounds):
            for name, client in clients.items():
                runs[name].append(self.run(name, client, over, pages))
        return runs

    def run(self, name: str, client: Client, over: Way, pages: Path) -> Figures:
        """One upload, and what it took; then wait until the service has processed it."""
        home = self._folder / f"home of {name} at {over.url.rpartition(':')[2]}"
        home.mkdir(exist_ok=True)
        job = client(over.url, pages, str(next(self._numbers)), home)
        present = self._chapters()
        over.ask("forget")
        took = self._spawn(job, home)
        if took["status"]:
            raise SystemExit(f"{name} failed ({took['status']:.0f}): {(self._folder / 'errors').read_text()[-2000:]}")
        clock_s = float(over.ask("clock"))
        self._await_another(present, len(list(pages.iterdir())))
        return Figures(
            clock_s=clock_s, seconds=took["seconds"], cpu_seconds=took["cpu_seconds"], peak_bytes=took["peak_bytes"]
        )

    def _spawn(self, job: Job, home: Path) -> dict[str, float]:
        files = {kind: str(self._folder / kind) for kind in ("input", "output", "errors")}
        (self._folder / "input").write_text(job.typed)
        told = {
            "command": job.command,
            "environment": environment(home) | job.environment,
            "folder": str(home),
            **files,
        }
        (self._folder / "job.json").write_text(json.dumps(told))
        runner = [sys.executable, "-S", str(HERE / "upload_run.py"), str(self._folder / "job.json")]
        said = subprocess.run(runner, check=True, stdout=subprocess.PIPE).stdout
        took: dict[str, float] = json.loads(said)
        return took

    def _chapters(self) -> dict[str, int]:
        """How many pages each has; a chapter is listed once it is processed."""
        found = self._http.get("/chapter", params={"manga": MANGA, "limit": 100}).raise_for_status().json()
        return {chapter["id"]: chapter["attributes"]["pages"] for chapter in found["data"]}

    def _await_another(self, present: dict[str, int], number: int) -> None:
        until = monotonic() + PROCESSED_WITHIN_S
        while len(now := self._chapters()) == len(present):
            if monotonic() > until:
                raise SystemExit(f"The chapter is not processed after {PROCESSED_WITHIN_S} s.")
            sleep(0.1)
        published = [pages for chapter_id, pages in now.items() if chapter_id not in present]
        if published != [number]:
            raise SystemExit(f"{published} pages are published, not {number}.")


def middle(runs: list[Figures]) -> Figures:
    """Their medians."""
    return Figures(
        clock_s=median(run["clock_s"] for run in runs),
        seconds=median(run["seconds"] for run in runs),
        cpu_seconds=median(run["cpu_seconds"] for run in runs),
        peak_bytes=median(run["peak_bytes"] for run in runs),
    )
