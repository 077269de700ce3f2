"""A finished chapter's folder or archive is moved out of the way: never over something else, never in part."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from mangadex_uploader.copying import copy, flush, is_same, remove, remove_wholly, room
from mangadex_uploader.errors import UploadError, UsageError
from mangadex_uploader.printable import printable
from mangadex_uploader.whereabouts import placed

TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EISDIR}


def check_away(folder: Path, paths: Iterable[Path]) -> None:
    """Make sure that what is moved into `folder` is then elsewhere than these paths, and in none of them.

    Raises:
        UsageError: it is not, or `folder` is none.
    """
    place, label = Path(os.path.realpath(folder)), printable(str(folder))
    if place.exists() and not place.is_dir():
        raise UsageError(f"--move-done: {label} is no folder: name another one.")
    for path in paths:
        if Path(os.path.realpath(path)) in (place, *place.parents):
            raise UsageError(
                f"--move-done: {label} is in {printable(str(path))}, and would be taken for a chapter of it: name a "
                f"folder elsewhere."
            )
        if Path(placed(path)).parent == place:
            raise UsageError(f"--move-done: {printable(str(path))} is in {label} already: name a folder elsewhere.")


def move_into(folder: Path, path: Path) -> Path:
    """Move a file or folder into `folder`; where its name is taken there, with a number. Its new path.

    What is there already with the same bytes was moved by a run that was cut off: then only the old one goes. Across
    file systems it is copied, compared, and then removed. A link stays one, and leads where it led.

    Raises:
        UploadError: it could not be moved wholly; says what is where.
    """
    path = Path(placed(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _check_elsewhere(path, folder)
        _check_links(path)
        for number in count(1):
            target = folder / _numbered(path, number)
            if not os.path.lexists(target):
                if _moved(path, target):
                    return target
            elif not path.is_symlink() and is_same(path, target):
                remove_wholly(path, target)
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


def _moved_by_copying(path: Path, target: Path) -> bool:
    """As `_moved`. What fails leaves `path` as it was."""
    with room(path.parent), room(target.parent) as beside:  # the first one tells whether it can be taken from there
        part = beside / target.name
        try:
            copy(path, part)
            if not is_same(path, part):
                raise OSError(errno.EIO, "the copy differs")
            if os.path.lexists(target):
                return False
            part.rename(target)
        finally:
            remove(part)
    flush(target.parent)
    try:
        remove_wholly(path, target)
    except OSError:
        remove(target)
        raise
    return True


def _rename(path: Path, target: Path) -> None:
    """A folder takes no place that is taken; for all else that is made sure by a link, which does not either."""
    mode = path.lstat().st_mode
    if stat.S_ISDIR(mode):
        path.rename(target)
        return
    if stat.S_ISLNK(mode):
        target.symlink_to(_from_there(path, target), target_is_directory=path.is_dir())
    else:
        try:
            target.hardlink_to(path)
        except OSError as error:
            if error.errno in TAKEN | {errno.EXDEV}:
                raise
            path.rename(target)  # a file system without links; nobody else has the name, as was seen a moment ago
            return
    try:
        path.unlink()
    except OSError:
        target.unlink()
        raise


def _from_there(path: Path, target: Path) -> Path:
    """What a link leads to, as it has to be written in its new place."""
    leads_to = path.readlink()
    if leads_to.is_absolute():
        return leads_to
    return Path(os.path.relpath(path.parent / leads_to, os.path.realpath(target.parent)))


def _check_elsewhere(path: Path, folder: Path) -> None:
    if folder.samefile(path.parent):
        raise OSError(errno.EINVAL, "it is there already")


def _check_links(path: Path) -> None:
    """Refuse a folder with links in it that would lead elsewhere from another place.

    Raises:
        OSError: there is one, or it cannot be seen.
    """
    if path.is_symlink() or not path.is_dir():
        return
    for current, folders, files in os.walk(path, onerror=_raise):
        for link in (Path(current, name) for name in folders + files):
            if not link.is_symlink():
                continue
            leads_to = link.readlink()
            goes_along = Path(placed(link.parent / leads_to)).is_relative_to(path)
            if goes_along == leads_to.is_absolute():
                name = printable(str(link.relative_to(path)))
                raise OSError(errno.EINVAL, f"the link {name} in it would lead elsewhere from there")


def _raise(error: OSError) -> None:
    raise error
