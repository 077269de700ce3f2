"""Pages in a zip archive, read one by one into memory.

Nothing that the archive says about itself is trusted: what is read is counted.
"""

from __future__ import annotations

import io
import weakref
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from mangadex_uploader.beside import read_beside, reading_order
from mangadex_uploader.entry_names import EntryNames, entry_names
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.image_kinds import HEAD_BYTES, is_image
from mangadex_uploader.listing import MOST_ENTRIES, READ_BYTES, UnreadablePage, listed
from mangadex_uploader.printable import printable

DIRECTORY_BYTES = 2 << 20  # the archive's list of names, read at once by the standard library
MOST_BYTES = 1 << 30  # of all pages, unpacked; a chapter may have 150 MB (contract 4.6)
STEP_BYTES = 1 << 20
MOST_RATIO = 200  # images are compressed already
RATIO_FREE_BYTES = 1 << 20  # a blank page of some kilobytes may well shrink a thousandfold

METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # the library inflates others without a limit on memory
ENCRYPTED = 1 << 0  # of the general purpose bit flag (APPNOTE 4.4.4)
LOCAL_HEADER_BYTES = 30  # APPNOTE 4.3.7, without the name
DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OverflowError, ValueError, OSError)
AGAIN = "pack the archive again"


class ArchiveSource:
    """A `.zip` or `.cbz`. Safe to read from several threads."""

    def __init__(self, path: Path, zip_encoding: str | None = None) -> None:
        self.path = path
        self._label = printable(str(path))
        self._as_found = _signature(path)
        self._opened = _opened(path)
        found = _names(path, self._opened, zip_encoding)
        self._entries = _by_name(found.names, self._opened.infolist())
        self._overlapping = _overlapping(self._opened.infolist())
        listing = listed(self._label, self._entries, self._looks_like_image)
        _check_total(path, (self._entries[name][0] for name in listing.pages))
        self.names: Sequence[str] = reading_order(self._label, listing, self._read)
        self.ignored: Sequence[str] = listing.ignored
        self.warnings: Sequence[str] = (*found.warnings, *listing.warnings)
        self.order_file = listing.order_file
        self._comic_info = listing.comic_info

    def comic_info(self) -> bytes | None:
        """The `ComicInfo.xml`. See `Source.comic_info`."""
        return read_beside(self._label, self._comic_info, self._read) if self._comic_info else None

    def read(self, name: str) -> bytes:
        """A page's bytes.

        Raises:
            UnreadablePage: it is damaged, encrypted, or not what the archive says.
            UploadError: the archive was changed since.
        """
        if _signature(self.path) != self._as_found:
            raise UploadError(f"{self.path}: was changed since it was looked at; begin again")
        data = self._read(name, READ_BYTES + 1)
        if len(data) > READ_BYTES:
            raise UnreadablePage(name, f"it has more than {READ_BYTES >> 20} MB; make it smaller")
        if len(data) != self._entries[name][0].file_size:
            raise UnreadablePage(name, f"its size is not what the archive says; {AGAIN}")
        return data

    def _read(self, name: str, size_bytes: int) -> bytes:
        entry, *others = self._entries[name]
        if others:
            raise UnreadablePage(name, f"the archive has it {len(others) + 1} times; {AGAIN}")
        if problem := self._problem(entry):
            raise UnreadablePage(name, f"{problem}; {AGAIN}")
        data = bytearray()
        try:
            with self._opened.open(entry) as page:
                while step := page.read(min(STEP_BYTES, size_bytes - len(data))):
                    data += step
        except DAMAGES as error:
            raise UnreadablePage(name, f"it is damaged ({printable(str(error))}); {AGAIN}") from error
        return bytes(data)

    def _problem(self, entry: zipfile.ZipInfo) -> str | None:
        if entry.flag_bits & ENCRYPTED:
            return "it is encrypted"
        if entry.compress_type not in METHODS:
            return f"it is compressed by a method that is not supported (number {entry.compress_type})"
        if entry.header_offset in self._overlapping:
            return "it shares its bytes with another entry"
        if entry.file_size > RATIO_FREE_BYTES and entry.file_size > MOST_RATIO * entry.compress_size:
            return f"it would grow from {entry.compress_size} to {entry.file_size} bytes, as no image does"
        return None

    def _looks_like_image(self, name: str) -> bool:
        try:
            return is_image(self._read(name, HEAD_BYTES))
        except UnreadablePage:
            return True  # it may be a page, and then has to stop the chapter by its name


class _BoundedFile(io.FileIO):
    """Does not let the standard library load a list of names of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > DIRECTORY_BYTES:
            raise zipfile.BadZipFile(f"its list of names has more than {DIRECTORY_BYTES >> 20} MB")
        return super().read(size) or b""


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        file = _BoundedFile(path)
        try:
            archive = zipfile.ZipFile(file)
        except BaseException:
            file.close()
            raise
    except DAMAGES as error:
        reason = error.strerror if isinstance(error, OSError) else printable(str(error))
        raise UsageError(f"{printable(str(path))}: cannot be read as a zip archive ({reason}); {AGAIN}") from error
    weakref.finalize(archive, file.close)  # a source is not closed by anybody: it ends with its plan
    return archive


def _signature(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        problem = f"{printable(str(path))}: cannot be read any more ({error.strerror}); put it back and begin again"
        raise UploadError(problem) from error
    return found.st_ino, found.st_size, found.st_mtime_ns


def _names(path: Path, archive: zipfile.ZipFile, zip_encoding: str | None) -> EntryNames:
    infos = archive.infolist()
    if len(infos) > MOST_ENTRIES:
        raise UsageError(f"{printable(str(path))}: has {len(infos)} entries, at most {MOST_ENTRIES} are looked at")
    try:
        return entry_names(infos, zip_encoding)
    except UsageError as error:
        raise UsageError(f"{printable(str(path))}: {error}") from error


def _by_name(names: Iterable[str], infos: Iterable[zipfile.ZipInfo]) -> dict[str, list[zipfile.ZipInfo]]:
    """All files by their printable names; several where a name is not the only one of its kind."""
    entries: dict[str, list[zipfile.ZipInfo]] = {}
    for name, info in zip(names, infos, strict=True):
        if not name.endswith("/"):
            entries.setdefault(printable(name), []).append(info)
    return entries


def _check_total(path: Path, pages: Iterable[zipfile.ZipInfo]) -> None:
    """No page grows beyond its declared size, so that this bounds the work as well."""
    if (total := sum(page.file_size for page in pages)) > MOST_BYTES:
        raise UsageError(f"{printable(str(path))}: its pages have {total >> 20} MB together; pack fewer")


def _overlapping(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Where entries begin that share bytes, as those of bombs do."""
    found: set[int] = set()
    by_place = sorted(infos, key=lambda info: info.header_offset)
    for one, other in pairwise(by_place):
        if one.header_offset + LOCAL_HEADER_BYTES + one.compress_size > other.header_offset:
            found |= {one.header_offset, other.header_offset}
    return found
