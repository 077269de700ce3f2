"""What tells whether files were changed, without reading them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def signature(path: Path) -> str:
    """The same while names, sizes and times of a file, or of all in a folder, stay the same.

    Raises:
        OSError: it is gone, or cannot be looked at.
    """
    found = path.stat()
    if not path.is_dir():
        return _digest([f"{path.name} {found.st_size} {found.st_mtime_ns}"])
    lines = [f"{path.name} {found.st_mtime_ns}"]
    for folder, folders, files in os.walk(path, onerror=_raise):
        folders.sort()
        for name in sorted(files):
            file = Path(folder) / name
            its = file.lstat()
            lines.append(f"{file.relative_to(path)} {its.st_size} {its.st_mtime_ns}")
    return _digest(lines)


def _digest(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode(errors="surrogateescape")).hexdigest()


def _raise(error: OSError) -> None:
    raise error
