"""Page bytes in a folder, named by their SHA-256. A name is there only when its bytes are there as a whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import BinaryIO

from mangadex_server.new_blob import NewBlob, remove_leftover, sync_folder
from mangadex_server.stores import StoredBlob, disk_room

CHUNK_BYTES = 256 << 10

TAKEN = ".taken"
"""Ends the name of a blob that the sweep has taken out of its place; a kill in between must not lose it."""


class LocalBlobs:
    """Writes so that what is acknowledged survives a power loss: data, then name, then folder (engines.md 4).

    `durable=False` leaves the syncs out, and then survives a kill of the program only.
    """

    has_ranges = True
    removes_safely = True

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

    def where(self, digest: str) -> str:
        """`path`, as text."""
        return str(self.path(digest))

    def new(self) -> NewBlob:
        """A file for bytes that are still arriving. Blocks."""
        return NewBlob(self.incoming, self._put)

    def store(self, data: bytes | bytearray | memoryview, mime_type: str = "") -> str:
        """Keep these bytes; returns their digest once they are safe. Blocks."""
        with self.new() as blob:
            blob.write(data)
            return blob.keep(mime_type)

    async def write(self, data: bytes, mime_type: str) -> str:
        """`store`, in a thread."""
        return await asyncio.to_thread(self.store, data, mime_type)

    async def read(self, digest: str) -> bytes:
        """A blob's bytes.

        Raises:
            FileNotFoundError: there is none of this digest.
        """
        return await asyncio.to_thread(self.path(digest).read_bytes)

    async def is_there(self, digest: str) -> bool:
        """Whether there is a blob of this digest."""
        return await asyncio.to_thread(self.path(digest).exists)

    async def open(self, digest: str) -> LocalBlob:
        """A blob to send.

        Raises:
            FileNotFoundError: there is none of this digest.
        """
        return LocalBlob(await asyncio.to_thread(self.path(digest).open, "rb"))

    async def address(self, digest: str, method: str) -> str:
        """There is none: `Settings` asks for a store."""
        raise NotImplementedError(digest)

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
        return disk_room(self._folder)

    def _put(self, path: Path, descriptor: int, digest: str, _mime_type: str) -> None:
        place = self.path(digest)
        if self._durable:
            os.fdatasync(descriptor)
        path.rename(place)
        if self._durable:
            sync_folder(place.parent)


class LocalBlob:
    """A blob that is being sent, read in a thread while it is."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = os.fstat(file.fileno()).st_size

    async def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes from `start` to before `end`.

        Raises:
            OSError: it is shorter than it was.
        """
        self._file.seek(start)
        left = end - start
        while left > 0:
            chunk = await asyncio.to_thread(self._file.read, min(CHUNK_BYTES, left))
            if not chunk:
                raise OSError("a blob is shorter than it was")
            left -= len(chunk)
            yield chunk

    async def close(self) -> None:
        """Close its file."""
        self._file.close()
