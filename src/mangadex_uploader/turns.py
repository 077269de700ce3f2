"""What a chapter's turn depends on while others wait: asked before anything is sent, and before the commit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import filelock

from mangadex_uploader.events import Note
from mangadex_uploader.locks import account_lock
from mangadex_uploader.printable import printable
from mangadex_uploader.service import Service
from mangadex_uploader.snapshots import ChangedBefore, ChapterChanged, Snapshot

LOCK_POLL_S = 0.2


class Turn(Protocol):
    """Both raise an UploadError where the chapter is not to go on, and may block."""

    def at_begin(self) -> None:
        """No other upload of the account is running, and nothing was asked or sent yet."""

    def before_commit(self) -> None:
        """All pages are there."""


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A chapter's turn, as long as its files are what they were before it was planned."""

    path: Path
    was: Snapshot

    def at_begin(self) -> None:
        """Look.

        Raises:
            ChangedBefore: they are others.
        """
        if changes := self._changes():
            raise ChangedBefore(f"{self._changed(changes)}. Nothing was sent; run the same command again.", changes)

    def before_commit(self) -> None:
        """Look.

        Raises:
            ChapterChanged: they are others.
        """
        if changes := self._changes():
            raise ChapterChanged(
                f"{self._changed(changes)}. Nothing was published; run the same command again, which takes what is "
                f"there then.",
                changes,
            )

    def _changes(self) -> str:
        return self.was.changes(Snapshot.of(self.path))

    def _changed(self, changes: str) -> str:
        return f"{printable(str(self.path))}: is not what it was when it was checked: {changes}"


@asynccontextmanager
async def alone(service: Service) -> AsyncIterator[None]:
    """One process at a time for this host and account; others wait. The lock ends with its process."""
    lock = account_lock(service.journal.folder, service.host, service.account)
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            if not told:
                service.emit(Note("Another upload of this account is running; waiting for it to end."))
            told = True
            await asyncio.sleep(LOCK_POLL_S)
        else:
            break
    try:
        yield
    finally:
        lock.release()
