"""A user at a machine of their own: runs the program `mangadex`, also at a terminal."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rig import CREDENTIALS, GROUP, MANGA, MANGADEX
from typer.testing import CliRunner

from mangadex_uploader.program import program

WITHIN_S = 60.0


@dataclass
class Ended:
    """A run of the program."""

    status: int
    output: str
    errors: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """Its output where that is JSON."""
        return [json.loads(line) for line in self.output.splitlines()]


@dataclass
class User:
    """A home, and a service to work with."""

    home: Path
    url: str
    variables: dict[str, str] = field(default_factory=dict)

    def run(self, *words: str, **variables: str) -> Ended:
        """Run a command without a terminal."""
        done = subprocess.run(
            [MANGADEX, *words],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env=self.environment(**variables),
            timeout=WITHIN_S,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def invoke(self, *words: str, **variables: str) -> Ended:
        """Run a command in this process, which takes less time than to start one."""
        unset = dict.fromkeys(set(os.environ) - set(environment := self.environment(**variables)))
        done = CliRunner().invoke(program, list(words), env={**unset, **environment})
        assert done.exception is None or isinstance(done.exception, SystemExit)
        return Ended(done.exit_code, done.stdout, done.stderr)

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command without a terminal."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [MANGADEX, *words], stdout=pipe, stderr=pipe, text=True, env=self.environment(**variables)
        )

    def login(self, **variables: str) -> Ended:
        """Sign in."""
        return self.run("login", **(CREDENTIALS | variables))

    def environment(self, **variables: str) -> dict[str, str]:
        """Nothing of the real user's."""
        others = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MANGADEX_", "XDG_")) and name not in ("NO_COLOR", "FORCE_COLOR")
        }
        ours = {
            "HOME": str(self.home),
            "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
            "MANGADEX_API_URL": self.url,
            "TERM": "xterm-256color",
        }
        return others | ours | self.variables | variables

    def files(self) -> list[Path]:
        """All that the program left."""
        return [path for path in self.home.rglob("*") if path.is_file()]

    def terminal(self, *words: str, **variables: str) -> Terminal:
        """Run a command at a terminal."""
        return Terminal([MANGADEX, *words], self.environment(**variables))


def wanted(number: str = "1") -> list[str]:
    """The options of a chapter."""
    return ["--manga", MANGA, "--group", GROUP, "--chapter", number, "--accept-terms", "--no-pacing"]


class Terminal:
    """A program at a pseudo-terminal."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.pid, self._screen = pty.fork()
        if self.pid == 0:
            os.execve(command[0], command, environment)
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
        self.text = ""
        self._seen = 0

    def until(self, text: str) -> None:
        """Read until it has shown this, after what was waited for before."""
        self._read(lambda: text in self.text[self._seen :])
        assert text in self.text[self._seen :], f"{text!r} is not in {self.text!r}"
        self._seen = self.text.index(text, self._seen) + len(text)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question and answer it."""
        self.until(question)
        self.type(f"{answer}\n")

    def end(self) -> int:
        """Read to the end; the exit status."""
        ended = self._read(lambda: False)
        if not ended:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self._screen)
        _, status = os.waitpid(self.pid, 0)
        assert ended, f"did not end: {self.text!r}"
        assert "Traceback" not in self.text
        return os.waitstatus_to_exitcode(status)

    def _read(self, is_enough: Callable[[], bool]) -> bool:
        """Whether the program has ended."""
        deadline = time.monotonic() + WITHIN_S
        while not is_enough() and time.monotonic() < deadline:
            if not select.select([self._screen], [], [], 0.1)[0]:
                continue
            read = b""
            with contextlib.suppress(OSError):  # how Linux tells that the other side is closed
                read = os.read(self._screen, 65536)
            if not read:
                return True
            self.text += read.decode(errors="replace")
        return False
