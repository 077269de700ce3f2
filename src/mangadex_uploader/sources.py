"""A path becomes a source of pages."""

from __future__ import annotations

import stat
from pathlib import Path

from mangadex_uploader.archive_source import ArchiveSource
from mangadex_uploader.chapter import Source
from mangadex_uploader.errors import UsageError
from mangadex_uploader.folder_source import FolderSource
from mangadex_uploader.printable import printable

ARCHIVES = frozenset({".zip", ".cbz"})
OTHER_KINDS = {
    ".rar": "rar archives",
    ".cbr": "rar archives",
    ".7z": "7z archives",
    ".cb7": "7z archives",
    ".tar": "tar archives",
    ".cbt": "tar archives",
    ".pdf": "PDF documents",
    ".epub": "EPUB books",
}
SUPPORTED = "a folder with images, a .zip or a .cbz"


def open_source(path: Path, zip_encoding: str | None = None) -> Source:
    """The chapter at a path. `zip_encoding` is that of names in an archive that do not say theirs.

    Raises:
        UsageError: it is none, or not one that can be read, or its `order.txt` does not fit; says what to do.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as error:
        raise UsageError(f"{printable(str(path))}: there is nothing of this name; give {SUPPORTED}") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in it
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"{printable(str(path))}: cannot be read ({reason}); give {SUPPORTED}") from error
    if stat.S_ISDIR(mode):
        return FolderSource(path)
    if stat.S_ISREG(mode) and path.suffix.lower() in ARCHIVES:
        return ArchiveSource(path, zip_encoding)
    raise UsageError(f"{printable(str(path))}: {_described(path, mode)}; give {SUPPORTED}")


def _described(path: Path, mode: int) -> str:
    if not stat.S_ISREG(mode):
        return "is neither a folder nor a file"
    kind = OTHER_KINDS.get(path.suffix.lower())
    return f"{kind} are not supported" if kind else "is no chapter"
