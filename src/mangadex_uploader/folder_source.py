"""Pages in a folder. Only regular files are opened; links to them are followed, links to folders are not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from mangadex_uploader.beside import read_beside, reading_order
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.image_kinds import HEAD_BYTES, is_image
from mangadex_uploader.listing import MOST_ENTRIES, READ_BYTES, UnreadablePage, is_left_out, listed
from mangadex_uploader.printable import printable


class FolderSource:
    """A chapter's folder, or one that has nothing but that folder. Safe to read from several threads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files = _files(path)
        self._label = printable(str(path))
        listing = listed(self._label, self._files, lambda name: looks_like_image(self._files[name]))
        self.names: Sequence[str] = reading_order(self._label, listing, self._read)
        self.ignored: Sequence[str] = listing.ignored
        self.warnings: Sequence[str] = listing.warnings
        self.order_file = listing.order_file
        self._comic_info = listing.comic_info

    def comic_info(self) -> bytes | None:
        """The `ComicInfo.xml`. See `Source.comic_info`."""
        return read_beside(self._label, self._comic_info, self._read) if self._comic_info else None

    def read(self, name: str) -> bytes:
        """A page's bytes.

        Raises:
            UnreadablePage: it is no file, is too large, or may not be read.
            UploadError: it is gone since.
        """
        data = self._read(name, READ_BYTES + 1)
        if len(data) > READ_BYTES:
            raise UnreadablePage(name, f"it has more than {READ_BYTES >> 20} MB; make it smaller")
        return data

    def _read(self, name: str, most_bytes: int) -> bytes:
        file = self._files[name]
        try:
            found = file.stat()
            if not stat.S_ISREG(found.st_mode):
                raise UnreadablePage(name, "it is no file; put the file itself there")
            with file.open("rb") as opened:
                return opened.read(min(found.st_size + 1, most_bytes))
        except FileNotFoundError as error:
            if file.is_symlink():
                raise UnreadablePage(name, "it is a link that leads nowhere; put the file itself there") from error
            raise UploadError(f"{name}: it is no longer in {self._label}; put it back and begin again") from error
        except OSError as error:
            raise UnreadablePage(name, f"it cannot be read ({error.strerror}); see to its permissions") from error


def _files(folder: Path) -> dict[str, Path]:
    """All files by their printable names inside the folder; a folder that is left out ends with `/`."""
    files: dict[str, Path] = {}
    for name, file in _walk(folder):
        if files.setdefault(printable(name), file) != file:
            raise UsageError(f"{printable(str(folder))}: two files are shown as {printable(name)}; rename one of them")
        if len(files) > MOST_ENTRIES:
            raise UsageError(
                f"{printable(str(folder))}: has more than {MOST_ENTRIES} files; give the folder of one chapter"
            )
    return files


def _walk(folder: Path) -> Iterator[tuple[str, Path]]:
    waiting = [("", folder)]
    while waiting:
        prefix, current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if not entry.is_dir(follow_symlinks=False):
                        yield name, Path(entry.path)
                    elif is_left_out(entry.name):
                        yield f"{name}/", Path(entry.path)
                    else:
                        waiting.append((f"{name}/", Path(entry.path)))
        except OSError as error:
            raise UsageError(
                f"{printable(str(current))}: cannot be read ({error.strerror}); see to its permissions"
            ) from error


def looks_like_image(file: Path) -> bool:
    """Whether its first bytes are an image's, or cannot be read."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            return False
        with file.open("rb", buffering=0) as opened:
            return is_image(opened.read(HEAD_BYTES) or b"")
    except OSError:
        return True  # it may be a page, and then has to stop the chapter by its name
