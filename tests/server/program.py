"""The real program as a process, for tests from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from installations import environment_for

READY = "mangadex-server is ready at "
PROGRAM = shutil.which("mangadex-server", path=str(Path(sys.executable).parent)) or "mangadex-server"


@dataclass
class Running:
    """A server process and its address."""

    process: subprocess.Popen[str]
    url: str

    def kill(self) -> None:
        """SIGKILL, to the program alone."""
        self.process.kill()
        self._ended()

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self) -> int:
        status = self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        return status


def clean(arguments: Sequence[str | Path], environment: dict[str, str]) -> dict[str, str]:
    """The environment of a command: of this process, of the data folder's engines, and what is given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MANGADEX_")}
    return inherited | environment_for(arguments) | environment


def start(*arguments: str, **environment: str) -> Running:
    """Start `mangadex-server run` and wait until it says that it is ready."""
    process = subprocess.Popen(
        [PROGRAM, "run", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=clean(arguments, environment),
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith(READY):
        process.kill()
        process.wait()
        raise AssertionError(f"the server did not start: {line!r}")
    return Running(process, line.removeprefix(READY).strip())


@contextmanager
def sandbox(data_dir: Path, *arguments: str, **environment: str) -> Iterator[Running]:
    """A sandbox on a free port until the block ends."""
    running = start("--sandbox", "--port", "0", "--data-dir", str(data_dir), *arguments, **environment)
    try:
        yield running
    finally:
        running.stop()
