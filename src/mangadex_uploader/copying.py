"""Copying, comparing and removing, where nothing can be renamed: each is done wholly or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mangadex_uploader.errors import UploadError
from mangadex_uploader.printable import printable

OURS = ".mangadex-"
"""How the folders begin in which something is not yet there, or not yet gone."""

BLOCK_BYTES = 1 << 20


def remove_wholly(path: Path, its_copy: Path) -> None:
    """Remove what was copied, unless it was changed meanwhile.

    Raises:
        OSError: it cannot be, or was changed, and is as it was.
        UploadError: something of it is left.
    """
    with room(path.parent) as beside:
        aside = beside / path.name
        path.rename(aside)
        try:
            is_copied = os.path.lexists(its_copy) and is_same(aside, its_copy)  # not if both are one, mounted twice
        except OSError:
            _put_back(aside, path)
            raise
        if not is_copied:
            _put_back(aside, path)
            raise OSError(errno.EBUSY, "it was changed meanwhile")
        try:
            remove(aside)
        except OSError as error:
            raise UploadError(
                f"{printable(str(path))}: is in {printable(str(its_copy))} now, wholly; but the old one cannot be "
                f"removed ({error.strerror or error}), and what is left of it is in {printable(str(aside))}: remove "
                f"that yourself"
            ) from error


def _put_back(aside: Path, path: Path) -> None:
    if os.path.lexists(path):
        raise UploadError(
            f"{printable(str(path))}: is finished, but cannot be moved: it was changed meanwhile, and something else "
            f"has its name now; it is in {printable(str(aside))}"
        )
    try:
        aside.rename(path)
    except OSError as error:
        raise UploadError(
            f"{printable(str(path))}: is finished, but cannot be moved, and cannot have its name back "
            f"({error.strerror or error}); it is in {printable(str(aside))}"
        ) from error


def is_same(one: Path, other: Path) -> bool:
    """Whether two files, links or folders are the same to the byte."""
    mode = one.lstat().st_mode
    if stat.S_IFMT(mode) != stat.S_IFMT(other.lstat().st_mode):
        return False
    if stat.S_ISLNK(mode):
        return one.readlink() == other.readlink()
    if stat.S_ISREG(mode):
        return _has_same_bytes(one, other)
    if not stat.S_ISDIR(mode):
        return False
    inside = sorted(it.name for it in one.iterdir())
    return inside == sorted(it.name for it in other.iterdir()) and all(
        is_same(one / name, other / name) for name in inside
    )


def _has_same_bytes(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as first, other.open("rb") as second:
        while block := first.read(BLOCK_BYTES):
            if block != second.read(BLOCK_BYTES):
                return False
    return True


def copy(path: Path, target: Path) -> None:
    """Copy it so that it is on disk when this returns."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(path.readlink(), target_is_directory=path.is_dir())
    elif stat.S_ISREG(mode):
        with path.open("rb") as source, target.open("xb") as made:
            shutil.copyfileobj(source, made, BLOCK_BYTES)
            made.flush()
            os.fsync(made.fileno())
        shutil.copystat(path, target)
    elif stat.S_ISDIR(mode):
        if not os.access(path, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids):
            raise PermissionError(errno.EACCES, f"nothing can be removed from its folder {printable(path.name)}")
        target.mkdir()
        for inner in path.iterdir():
            copy(inner, target / inner.name)
        flush(target)
        shutil.copystat(path, target)
    else:
        raise OSError(errno.EINVAL, f"{printable(path.name)} is neither a folder nor a file")


def flush(folder: Path) -> None:
    """Make sure that the names in it are on disk, where the system can do that for a folder."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def room(folder: Path) -> Iterator[Path]:
    """A folder in which something can be kept for as long as the block; with something left in it, it stays."""
    made = Path(tempfile.mkdtemp(prefix=OURS, dir=folder))
    try:
        yield made
    finally:
        if not any(made.iterdir()):
            made.rmdir()


def remove(path: Path) -> None:
    """Remove a file, a link or a folder with all that is in it; what is not there is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
