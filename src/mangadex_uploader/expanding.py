"""Which chapters a path holds: one, or a folder of several."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from mangadex_uploader import chapter_names
from mangadex_uploader.comic_info import COMIC_INFO
from mangadex_uploader.errors import UsageError
from mangadex_uploader.folder_source import looks_like_image
from mangadex_uploader.listing import is_left_out, is_page
from mangadex_uploader.order_file import ORDER_FILE
from mangadex_uploader.ordering import in_reading_order
from mangadex_uploader.printable import printable
from mangadex_uploader.sources import ARCHIVES, OTHER_KINDS
from mangadex_uploader.whereabouts import placed

Wrong: TypeAlias = Callable[[Path, UsageError], None]
"""Is told of a folder, and what is wrong with it."""

OF_ONE_CHAPTER = {COMIC_INFO.casefold(), ORDER_FILE.casefold()}


def expanded(path: Path, wrong: Wrong | None = None) -> list[Path]:
    """The chapters at a path, in natural order. One with images in it is a chapter, and so is all that is no folder.

    What is in a folder of chapters may be one in turn, such as a volume. `wrong` is told what is wrong with such a
    folder; without it that is raised.

    Raises:
        UsageError: the folder has images beside folders or archives with others, or cannot be read.
    """
    found = _chapters_at(path)
    return found if found == [path] else [chapter for inner in found for chapter in expanded_inside(inner, wrong)]


def expanded_inside(path: Path, wrong: Wrong | None = None) -> list[Path]:
    """As `expanded`, of what is in a folder of chapters.

    Folders in one with a number of its own are no chapters: `c12/1` and `c12/2` are hardly chapters 1 and 2.
    """
    try:
        found = _chapters_at(path)
    except UsageError as error:
        if wrong is None:
            raise
        wrong(path, error)
        return []
    is_one = _leads_back(path) or (_has_number(path) and all(it.is_dir() for it in found))
    return [path] if found == [path] or is_one else [it for inner in found for it in expanded_inside(inner, wrong)]


def holds_nothing(path: Path) -> bool:
    """Whether it is a folder without anything in it that may be a chapter, or a page of one."""
    return path.is_dir() and not _has(path, lambda it: _is_archive(it) or _is_image(it))


def _chapters_at(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    inside = _inside(path)
    chapters = _chapters_in(inside)
    images = [it.name for it in inside if _is_image(it)]
    if images:
        _check_unmixed(path, images[0], chapters)
        return [path]
    if not chapters or (len(chapters) == 1 and _is_wrapping(path, inside, chapters[0])):
        return [path]
    return chapters


def chapters_in(folder: Path) -> list[Path]:
    """The folders and archives in a folder, in natural order.

    Raises:
        UsageError: it cannot be read.
    """
    return _chapters_in(_inside(folder))


def _inside(folder: Path) -> list[Path]:
    try:
        return [it for it in folder.iterdir() if not is_left_out(it.name)]
    except OSError as error:
        hint = "; see to its permissions" if isinstance(error, PermissionError) else ""
        raise UsageError(f"{printable(str(folder))}: cannot be read ({error.strerror}){hint}") from error


def _chapters_in(inside: list[Path]) -> list[Path]:
    """Also archives that cannot be read, which must not be missed in silence."""
    found = [it for it in inside if it.is_dir() or _is_archive(it)]
    by_name = {it.name: it for it in found}
    return [by_name[name] for name in in_reading_order(by_name)]


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() in ARCHIVES | OTHER_KINDS.keys()


def _is_image(path: Path) -> bool:
    return path.is_file() and is_page(path.name, lambda _name: looks_like_image(path))


def _check_unmixed(path: Path, image: str, chapters: list[Path]) -> None:
    others = [it for it in chapters if not it.is_dir() or _has_images(it)]
    if others:
        raise UsageError(
            f"{printable(str(path))}: has images ({printable(image)}) beside what may be other chapters "
            f"({printable(others[0].name)}), so that it is neither one chapter nor a folder of chapters; move the "
            f"images into a folder of their own, or give each chapter's path"
        )


def _has_images(folder: Path) -> bool:
    return _has(folder, _is_image)


def _has(folder: Path, is_it: Callable[[Path], bool]) -> bool:
    """Whether there is such a file anywhere in it; what cannot be read may be one."""
    try:
        for current, folders, files in os.walk(folder, onerror=_raise):
            folders[:] = [name for name in folders if not is_left_out(name)]
            if any(is_it(Path(current, name)) for name in files):
                return True
    except OSError:
        return True
    return False


def _raise(error: OSError) -> None:
    raise error


def _leads_back(path: Path) -> bool:
    """Whether it is a link to a folder that it is in."""
    return path.is_symlink() and Path(placed(path)).is_relative_to(os.path.realpath(path))


def _is_wrapping(path: Path, inside: list[Path], only: Path) -> bool:
    """Whether a folder with one other in it is a chapter itself, as its files or its name say."""
    if not only.is_dir():
        return False
    if any(it.name.casefold() in OF_ONE_CHAPTER for it in inside):
        return True
    return _has_number(path) and not _has_number(only)


def _has_number(path: Path) -> bool:
    return chapter_names.parse(Path(os.path.abspath(path)).name).chapter is not None  # noqa: PTH100 - links stay
