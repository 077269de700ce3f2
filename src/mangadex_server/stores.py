"""What a store of blobs is to the rest of the service, wherever the bytes are."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mangadex_server.new_blob import NewBlob

FOREVER = "public, max-age=31536000, immutable"
"""For caches: the address of a blob has its hash in it."""

SIGNED_S = 3_600
"""How long the address of a blob in a store is good."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that is there, for the sweep."""

    digest: str
    written_at: float


class OpenBlob(Protocol):
    """A blob that is being sent."""

    @property
    def size_bytes(self) -> int:
        """Of the whole."""

    def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """Its bytes from `start` to before `end`; only the whole where the store has no ranges."""

    async def close(self) -> None:
        """Give it back."""


class Blobs(Protocol):
    """Bytes by their SHA-256. What is not `async` blocks."""

    @property
    def has_ranges(self) -> bool:
        """Whether a part of a blob can be sent."""

    @property
    def removes_safely(self) -> bool:
        """Whether nothing can come between looking at a blob's age and removing it; else `removals` has to help."""

    def prepare(self) -> None:
        """Make what has to be there, and drop what ended programs left half-written."""

    def make_folders(self) -> None:
        """Make what has to be there."""

    def new(self) -> NewBlob:
        """A place for bytes that are still arriving."""

    async def write(self, data: bytes, mime_type: str, /) -> str:
        """Keep these bytes; returns their digest once they are safe."""

    async def read(self, digest: str, /) -> bytes:
        """A blob's bytes.

        Raises:
            FileNotFoundError: there is none of this digest.
        """

    async def is_there(self, digest: str, /) -> bool:
        """Whether there is a blob of this digest."""

    async def open(self, digest: str, /) -> OpenBlob:
        """A blob to send.

        Raises:
            FileNotFoundError: there is none of this digest.
        """

    async def address(self, digest: str, method: str, /) -> str:
        """Where others can GET or HEAD it without this service; only of a store that has addresses."""

    def where(self, digest: str, /) -> str:
        """Where whoever runs the service finds a blob."""

    def delete_older(self, digest: str, written_before: float, /) -> bool:
        """Remove a blob unless it was written again since then; whether it was removed."""

    def all(self) -> Iterator[StoredBlob]:
        """Every blob there is."""

    def free_bytes(self) -> int:
        """Room on this machine."""


def disk_room(folder: Path) -> int:
    """Bytes that this program may still write there."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize
