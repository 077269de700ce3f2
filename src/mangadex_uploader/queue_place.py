"""Whose queue it is, and a chapter's turn in it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import UploadError
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Queue, Queued, Waits
from mangadex_uploader.signatures import signature
from mangadex_uploader.turns import Unchanged
from mangadex_uploader.wanted_chapters import Described

STATES = {
    What.PUBLISHED: Waits.DONE,
    What.FINISHED: Waits.DONE,
    What.COMMITTED: Waits.UNCONFIRMED,
    What.FAILED: Waits.FAILED,
}


class Forgotten(UploadError):  # noqa: N818 - what it is
    """It was taken off the list while it waited for its turn."""


@dataclass(frozen=True, slots=True)
class Place:
    """The queue of one account at one service."""

    queue: Queue
    host: str
    account: str

    def add(self, described: Sequence[Described]) -> None:
        """All of these wait."""
        self.queue.add(self.host, self.account, [(it.chapter, signature_of(it.chapter.path)) for it in described])

    def add_failed(self, endings: Sequence[Ending]) -> None:
        """These failed before their values were known."""
        for it in endings:
            self.queue.add_failed(self.host, self.account, it.path, signature_of(it.path), it.problem or "")

    def forget_folders(self, described: Sequence[Described], given: Collection[Path]) -> None:
        """Folders at or in a given path in which these were found are no failed chapters (any more)."""
        folders = (folder for it in described for folder in _folders_above(it.chapter.path, given))
        self.queue.forget_unknown(self.host, self.account, set(folders))

    def running(self, path: Path, files: str) -> None:
        """It is being uploaded, with files of this signature."""
        self.queue.move_to(self.host, self.account, path, Waits.RUNNING, files)

    def ended(self, ending: Ending, files: str) -> None:
        """How one with files of this signature ended."""
        if state := STATES.get(ending.what):
            problem, chapter_id = ending.problem, ending.chapter_id
            self.queue.move_to(
                self.host, self.account, ending.path, state, files, problem=problem, chapter_id=chapter_id
            )

    def find(self, path: Path) -> Queued | None:
        """What is known of one; None where it was taken off the list."""
        return self.queue.find(self.host, self.account, path)


@dataclass(frozen=True, slots=True)
class Turn:
    """A chapter's turn, as long as it is on the list and its files are what they were."""

    place: Place
    files: Unchanged
    signature: str

    def at_begin(self) -> None:
        """Take it.

        Raises:
            Forgotten: it is not on the list any more.
            ChapterChanged: its files are others.
        """
        path = self.files.path
        if self.place.find(path) is None:
            raise Forgotten(f"{printable(str(path))}: was taken off the list meanwhile, and is left out.")
        self.files.at_begin()
        self.place.running(path, self.signature)

    def before_commit(self) -> None:
        """Look.

        Raises:
            ChapterChanged: its files are others.
        """
        self.files.before_commit()


def signature_of(path: Path) -> str:
    """That of its files; empty where they are gone, as their check will say."""
    try:
        return signature(path)
    except OSError:
        return ""


def _folders_above(path: Path, given: Collection[Path]) -> list[Path]:
    """Those that led from a given path to this one; none where it was given itself."""
    above = list(path.parents)
    ends = [index for index, folder in enumerate(above, 1) if folder in given]
    return [] if path in given or not ends else above[: ends[0]]
