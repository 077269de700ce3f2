"""Page bytes in a folder, named by their SHA-256. A name is there only when its bytes are there as a whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mangadex_server.new_blob import NewBlob, remove_leftover, sync_folder

TAKEN = ".taken"
"""Ends the name of a blob that the sweep has taken out of its place; a kill in between must not lose it."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob in the folder, for the sweep."""

    digest: str
    written_at: float


class LocalBlobs:
    """Writes so that what is acknowledged survives a power loss: data, then name, then folder (engines.md 4).

    `durable=False` leaves the syncs out, and then survives a kill of the program only.
    """

    def __init__(self, folder: Path, *, durable: bool = True) -> None:
        self._folder = folder
        self._durable = durable
        self.incoming = folder / "incoming"

    def prepare(self) -> None:
        """Make the folders and drop what ended programs left half-written. Others may be writing meanwhile."""
        self.make_folders()
        for taken in self.incoming.glob(f"*{TAKEN}"):  # a sweep ended before it had looked at its age
            self._put_back(taken, taken.name.removesuffix(TAKEN))
        for leftover in self.incoming.iterdir():
            remove_leftover(leftover)
        if self._durable:
            sync_folder(self._folder)

    def make_folders(self) -> None:
        """Make the folders where they are not there yet. Blocks."""
        for name in ("incoming", *(f"{number:02x}" for number in range(256))):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Where a blob is, if it is there."""
        return self._folder / digest[:2] / digest

    def new(self) -> NewBlob:
        """A file for bytes that are still arriving. Blocks."""
        return NewBlob(self.incoming, self.path, durable=self._durable)

    def store(self, data: bytes | bytearray | memoryview) -> str:
        """Keep these bytes; returns their digest once they are safe. Blocks."""
        with self.new() as blob:
            blob.write(data)
            return blob.keep()

    async def write(self, data: bytes) -> str:
        """`store`, in a thread."""
        return await asyncio.to_thread(self.store, data)

    async def read(self, digest: str) -> bytes:
        """A blob's bytes.

        Raises:
            FileNotFoundError: there is none of this digest.
        """
        return await asyncio.to_thread(self.path(digest).read_bytes)

    def delete_older(self, digest: str, written_before: float) -> bool:
        """Remove a blob unless it was written again since then; whether it was removed. Blocks.

        It is taken out of its place before its age is looked at, so that an upload of the same page that ends in
        between is not lost: that one's file is either the one looked at, or comes to the place afterwards.
        """
        place, taken = self.path(digest), self.incoming / f"{digest}{TAKEN}"
        try:
            if place.stat().st_mtime >= written_before:
                return False
            place.rename(taken)
            if taken.stat().st_mtime >= written_before:
                self._put_back(taken, digest)
                return False
            taken.unlink()
        except FileNotFoundError:
            return False
        return True

    def _put_back(self, taken: Path, digest: str) -> None:
        taken.rename(self.path(digest))
        if self._durable:
            sync_folder(self.path(digest).parent)

    def all(self) -> Iterator[StoredBlob]:
        """Every blob there is. Blocks while it looks."""
        for shard in self._folder.iterdir():
            if len(shard.name) == 2:
                for entry in os.scandir(shard):
                    yield StoredBlob(entry.name, entry.stat().st_mtime)

    def free_bytes(self) -> int:
        """Room on the disk for this program."""
        status = os.statvfs(self._folder)
        return status.f_bavail * status.f_frsize
