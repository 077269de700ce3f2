"""What people read (standard error) and what programs read (standard output)."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO

from mangadex_uploader.printable import printable

UNTOLD = 8
"""The exit status of what was done while its results could not be written to standard output."""


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
        self.is_cut_off = False

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
            self._give("\t".join(printable(field) for field in fields))

    def tell(self, event: str, **keys: Any) -> None:
        """An object for programs, where JSON is wanted."""
        if self.is_json:
            self._give(json.dumps(_valid({"event": event, **keys})))

    def status(self, status: int = 0) -> int:
        """The exit status of a command that ends with this one: another where its results could not be given."""
        return status or (UNTOLD if self.is_cut_off else 0)

    def _give(self, line: str) -> None:
        """Write a result. If that fails, what is being done goes on; it is said once, and counts at the end."""
        if self.is_cut_off:
            return
        try:
            _write(sys.stdout, line)
        except OSError as error:
            self.is_cut_off = True
            if sys.stdout is not None:
                _silence(sys.stdout)
            self.problem(f"Standard output cannot be written ({error.strerror or error}): the results are not there.")


def _on_standard_error(line: str) -> None:
    try:
        _write(sys.stderr, line)
    except OSError:  # there is no other place to say so
        if sys.stderr is not None:
            _silence(sys.stderr)


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


def _valid(value: Any) -> Any:
    r"""With `\udcff` and the like written out: of names that are no valid text, JSON has no form that all can read."""
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, dict):
        return {key: _valid(its) for key, its in value.items()}
    return [_valid(it) for it in value] if isinstance(value, list | tuple) else value
