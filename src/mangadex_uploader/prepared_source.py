"""A source some of whose pages are sent as other files than the user's: these are kept until the plan is gone."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Lock
from typing import TypeAlias

from mangadex_uploader.chapter import Source
from mangadex_uploader.errors import UploadError

Place: TypeAlias = tuple[int, int]
"""Where kept bytes begin, and how many they are."""


class PreparedSource:
    """Pages as they are sent: prepared ones from a file of its own, others from where the user has them.

    The file has no name, so that nobody else can open it, and is gone with the process, however that ends. Safe to use
    from several threads.
    """

    def __init__(self, original: Source) -> None:
        self.path: Path = original.path
        self.names: Sequence[str] = original.names
        self.ignored: Sequence[str] = original.ignored
        self.warnings: Sequence[str] = original.warnings
        self.order_file: str | None = original.order_file
        self.original = original
        self._file: FileIO | None = None
        self._using = Lock()
        self._places: dict[str, Place] = {}

    def comic_info(self) -> bytes | None:
        """That of the source. See `Source.comic_info`."""
        return self.original.comic_info()

    def keep(self, data: bytes) -> Place:
        """Have these bytes.

        Raises:
            UploadError: there is no room for them.
        """
        with self._using, self._explained():
            file = self._file = self._file or self._opened()
            start = file.seek(0, 2)
            left = memoryview(data)
            while left:
                left = left[file.write(left) :]
        return start, len(data)

    def call(self, place: Place, name: str) -> None:
        """The bytes at this place are the page of this name, or a piece of it."""
        self._places[name] = place

    def read(self, name: str) -> bytes:
        """The bytes to send.

        Raises:
            UploadError: they cannot be read (any more).
        """
        if name not in self._places or self._file is None:
            return self.original.read(name)
        start, size_bytes = self._places[name]
        with self._using, self._explained():
            self._file.seek(start)
            return self._file.read(size_bytes)

    def _opened(self) -> FileIO:
        file = tempfile.TemporaryFile("w+b", 0)  # noqa: SIM115 - closed with this source
        weakref.finalize(self, file.close)
        return file

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = tempfile.tempdir or "the temporary folder"
            raise UploadError(
                f"{self.path.name}: its prepared pages cannot be kept in {folder} ({error.strerror}); make room there, "
                f"or name another folder in TMPDIR, and run the same command again"
            ) from error
