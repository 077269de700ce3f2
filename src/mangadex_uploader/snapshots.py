"""A chapter's files as they were at one moment, without reading them: what was changed since it was planned."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mangadex_uploader.errors import UploadError
from mangadex_uploader.listing import is_left_by_program
from mangadex_uploader.printable import printable

MOST_NAMED = 3


class ChapterChanged(UploadError):  # noqa: N818 - what it is
    """Its files are others than those that were planned. Nothing was published; the same command looks anew.

    `changes` says what is another.
    """

    def __init__(self, problem: str, changes: str) -> None:
        super().__init__(problem)
        self.changes = changes


class ChangedBefore(ChapterChanged):
    """As that, and nothing was asked or sent yet."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Size in bytes and time of change by name: of a file, or of all in a folder. Nothing of what is not there.

    What programs leave in a folder, such as `.DS_Store`, does not count.
    """

    files: Mapping[str, tuple[int, int]]

    @classmethod
    def of(cls, path: Path) -> Snapshot:
        """As it is now."""
        try:
            found = {path.name: path} if path.is_file() else dict(_inside(path))
            return cls({name: _size_and_time(file) for name, file in found.items()})
        except OSError:
            return cls({})

    def changes(self, now: Snapshot) -> str:
        """What is another in `now`, such as `009.png added`; empty if nothing is."""
        if self.files and not now.files:
            return "it is gone, or cannot be read any more"
        what = dict.fromkeys(now.files.keys() - self.files.keys(), "added")
        what |= dict.fromkeys(self.files.keys() - now.files.keys(), "removed")
        what |= {name: "changed" for name, it in self.files.items() if now.files.get(name, it) != it}
        told = [f"{printable(name)} {what[name]}" for name in sorted(what)]
        more = [f"{len(told) - MOST_NAMED} more"] if len(told) > MOST_NAMED else []
        return ", ".join(told[:MOST_NAMED] + more)


def _inside(folder: Path) -> Iterator[tuple[str, Path]]:
    for current, folders, names in os.walk(folder, onerror=_raise):
        for name in names + [it for it in folders if Path(current, it).is_symlink()]:
            file = Path(current, name)
            inside = file.relative_to(folder).as_posix()
            if not is_left_by_program(inside):
                yield inside, file


def _size_and_time(file: Path) -> tuple[int, int]:
    """Of what a link leads to, where it leads anywhere."""
    its = file.stat() if file.exists() else file.lstat()
    return its.st_size, its.st_mtime_ns


def _raise(error: OSError) -> None:
    raise error
