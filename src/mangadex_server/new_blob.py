"""A blob while its bytes arrive: a file of its writer alone, hashed as it grows; it ends as a blob or not at all.

Its writer holds a lock on it, which ends with the writer, also by a kill; so a start can tell what was left behind.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

Place: TypeAlias = Callable[[Path, int, str, str], None]
"""Takes a whole file out of its folder into its place: path, descriptor, digest and type of what is in it."""


class NewBlob:
    """Dropped at the end of a `with`, unless it was kept. Everything blocks; one thread at a time."""

    def __init__(self, incoming: Path, place: Place) -> None:
        self._place = place
        self._hash = hashlib.sha256()
        self._size_bytes = 0
        self._path, self._descriptor = _locked_file(incoming)
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self.drop()

    def write(self, *pieces: bytes | bytearray | memoryview) -> None:
        """Append these."""
        for piece in pieces:
            self._hash.update(piece)
            self._size_bytes += len(piece)
            left = memoryview(piece)
            while left:
                left = left[os.write(self._descriptor, left) :]

    @contextmanager
    def view(self) -> Iterator[memoryview]:
        """All bytes so far, to look into."""
        if not self._size_bytes:  # which cannot be mapped
            yield memoryview(b"")
            return
        with mmap.mmap(self._descriptor, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view

    def keep(self, mime_type: str) -> str:
        """Make it a blob; returns its digest once it is safe."""
        digest = self._hash.hexdigest()
        self._place(self._path, self._descriptor, digest, mime_type)
        self._is_open = False
        os.close(self._descriptor)
        return digest

    def drop(self) -> None:
        """Forget it, unless it was kept or dropped before."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._path.unlink(missing_ok=True)
        finally:
            os.close(self._descriptor)


def remove_leftover(path: Path) -> None:
    """Remove an arriving file, unless its writer lives."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it has just become a blob
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        pass  # its writer has the lock
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder safe."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _locked_file(folder: Path) -> tuple[Path, int]:
    while True:
        path = folder / f"{random.getrandbits(128):032x}"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # taken for a leftover between the two steps
