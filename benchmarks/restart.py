"""How long after a `kill -9` the service is ready again on the same port and folder, beside an empty granian.

`python benchmarks/restart.py` kills each of them while it is asked things, starts it again at once, and prints the
seconds from the kill to the ready line. The yardstick is granian with an application of ten lines: what the machine,
the interpreter and the server underneath take. Both find their bytecode compiled, as after an installation.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 5
AIM_S = 2.0
PROGRAM = shutil.which("mangadex-server", path=str(Path(sys.executable).parent)) or "mangadex-server"

BARE = """
import sys
from granian import Granian

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        print("ready", flush=True)
        await send({"type": "lifespan.startup.complete"})
        await receive()
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

if __name__ == "__main__":
    Granian("bare:application", port=int(sys.argv[1]), interface="asgi", log_enabled=False).serve()
"""


@dataclass(frozen=True)
class Candidate:
    """What is killed; the path is asked for meanwhile."""

    name: str
    command: list[str]
    path: str


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start it, and come back when it has said that it is ready."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("MANGADEX_", "PYTHONDONT"))}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=clean | {"PYTHONPYCACHEPREFIX": str(folder / "bytecode")},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    if "ready" not in (line := process.stdout.readline()):
        raise SystemExit(f"{command[0]} did not start: {line!r}")
    return process


def kill(process: subprocess.Popen[str]) -> None:
    """The whole group: granian's worker would live on by itself."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@contextmanager
def asking(url: str) -> Iterator[None]:
    """Requests, one after another, while the block runs."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            try:
                with urllib.request.urlopen(url, timeout=5) as answer:
                    answer.read()
            except (OSError, urllib.error.URLError):
                ended.wait(0.05)

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    try:
        yield
    finally:
        ended.set()
        for asker in askers:
            asker.join()


def measure(candidate: Candidate, url: str, folder: Path) -> list[float]:
    process = start(candidate.command, folder)  # the first one compiles, and makes the data folder
    took = []
    for _ in range(ROUNDS):
        with asking(url + candidate.path):
            time.sleep(0.3)
            killed_at = time.perf_counter()
            kill(process)
            process = start(candidate.command, folder)
            took.append(time.perf_counter() - killed_at)
    kill(process)
    return took


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        (folder / "bare.py").write_text(BARE)
        ours = [PROGRAM, "run", "--sandbox", "--port", str(port), "--data-dir", str(folder / "data")]
        bare = [sys.executable, "bare.py", str(port)]
        for candidate in (Candidate("mangadex-server", ours, "/healthz"), Candidate("bare granian", bare, "/")):
            took = measure(candidate, f"http://127.0.0.1:{port}", folder)
            rounds = "  ".join(f"{seconds:.2f}" for seconds in took)
            print(f"{candidate.name:<16} kill to ready, s: {rounds}   median {statistics.median(took):.2f}", flush=True)
            if candidate.path == "/healthz":
                verdict = "holds" if max(took) <= AIM_S else "is missed"
                print(f"{'':<16} the aim of {AIM_S:.0f} s {verdict}")


if __name__ == "__main__":
    main()
