"""What people read (standard error) and what programs read (standard output)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from mangadex_uploader.printable import printable


def shown(text: str) -> str:
    """Text with what may come from outside, as a terminal can bear it."""
    return "\n".join(printable(line) for line in text.split("\n"))


def size(size_bytes: float) -> str:
    """Bytes as people say them."""
    if size_bytes < 1_000_000:
        return f"{size_bytes / 1_000:.0f} kB"
    return f"{size_bytes / 1_000_000:.1f} MB"


class Output:
    """One run's two streams."""

    def __init__(self, *, is_json: bool = False, is_quiet: bool = False, is_verbose: bool = False) -> None:
        self.is_json = is_json
        self.is_quiet = is_quiet
        self.is_verbose = is_verbose
        self.write_line: Callable[[str], None] = _on_standard_error

    def say(self, text: str) -> None:
        """What a person wants to know."""
        if not self.is_quiet:
            self.write_line(shown(text))

    def detail(self, text: str) -> None:
        """What a person wants to know who asked for more."""
        if self.is_verbose:
            self.say(text)

    def problem(self, text: str) -> None:
        """What went wrong; also when quiet."""
        self.write_line(shown(text))

    def result(self, *fields: str) -> None:
        """A result for people and scripts, its fields apart by tabs, where no JSON is wanted."""
        if not self.is_json:
            _write(sys.stdout, "\t".join(printable(field) for field in fields))

    def tell(self, event: str, **keys: Any) -> None:
        """An object for programs, where JSON is wanted."""
        if self.is_json:
            _write(sys.stdout, json.dumps({"event": event, **keys}))


def _on_standard_error(line: str) -> None:
    _write(sys.stderr, line)


def _write(stream: TextIO | None, line: str) -> None:
    """Write a line at once. When nobody reads (any more), what is being done goes on without words."""
    if stream is None:  # the program was started with it closed
        return
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except UnicodeEncodeError:
        _write(stream, line.encode("ascii", "backslashreplace").decode())
    except BrokenPipeError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    """Let all that is still written there go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
