"""A finished chapter's folder or archive is moved out of the way, and overwrites nothing."""

from __future__ import annotations

import errno
import filecmp
import os
import shutil
from itertools import count
from pathlib import Path

from mangadex_uploader.errors import UploadError
from mangadex_uploader.printable import printable

TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}
PART = ".part"


def move_into(folder: Path, path: Path) -> Path:
    """Move a file or folder into `folder`; where its name is taken there, with a number. Its new path.

    Across file systems it is copied, compared, and then removed.

    Raises:
        UploadError: it could not be moved, and is still where it was.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            target = folder / _numbered(path, number)
            if not os.path.lexists(target) and _moved(path, target):
                return target
    except OSError as error:
        raise UploadError(
            f"{printable(str(path))}: is finished, but cannot be moved to {printable(str(folder))} "
            f"({error.strerror or error}); move it yourself"
        ) from error
    raise AssertionError("there is always another number")


def _numbered(path: Path, number: int) -> str:
    if number == 1:
        return path.name
    return f"{path.name} ({number})" if path.is_dir() else f"{path.stem} ({number}){path.suffix}"


def _moved(path: Path, target: Path) -> bool:
    """Whether the name was free to the end."""
    try:
        _rename(path, target)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        if error.errno != errno.EXDEV:
            raise
        return _moved_by_copying(path, target)
    return True


def _rename(path: Path, target: Path) -> None:
    """A folder takes no place that is taken; for a file that is made sure by a link, which does not either."""
    if path.is_dir():
        path.rename(target)
        return
    try:
        target.hardlink_to(path)
    except OSError as error:
        if error.errno in TAKEN | {errno.EXDEV}:
            raise
        path.rename(target)  # a file system without links; nobody else has the name, as was seen a moment ago
    else:
        path.unlink()


def _moved_by_copying(path: Path, target: Path) -> bool:
    part = target.with_name(f".{target.name}.{os.getpid()}{PART}")
    try:
        if path.is_dir():
            shutil.copytree(path, part, symlinks=True)
        else:
            shutil.copy2(path, part)
        if not _is_same(path, part):
            raise OSError(errno.EIO, "the copy differs")
        if os.path.lexists(target):
            return False
        part.rename(target)
    finally:
        _remove(part)
    _remove(path)
    return True


def _is_same(one: Path, other: Path) -> bool:
    if not one.is_dir():
        return filecmp.cmp(one, other, shallow=False)
    names = {it.relative_to(one) for it in one.rglob("*")}
    if names != {it.relative_to(other) for it in other.rglob("*")}:
        return False
    return all(filecmp.cmp(one / it, other / it, shallow=False) for it in names if (one / it).is_file())


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
