"""What of the things in a folder or archive are the pages of one chapter. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from mangadex_uploader.comic_info import COMIC_INFO
from mangadex_uploader.errors import PageProblem, UploadError, UsageError
from mangadex_uploader.order_file import ORDER_FILE
from mangadex_uploader.ordering import in_reading_order

MOST_ENTRIES = 5_000  # a chapter has 500 pages; more than this is somebody's whole disk, or a bomb
READ_BYTES = 64 << 20
"""A page that has more is not read to its end. What the service takes is less, and checked later."""

PAGE_SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .gif .webp .avif .bmp .tif .tiff .jxl .heic .heif".split()  # noqa: SIM905
)
"""Also those that the service does not take: such a page stops its chapter, it is not left out."""
LEFT_BY_PROGRAMS = frozenset({"__macosx", "@eadir"})  # previews of the pages, made by macOS and by Synology's servers
SHOWN = 3


class UnreadablePage(UploadError):  # noqa: N818 - what it is
    """One page cannot be read, and reading it again will not help."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.page_problem = PageProblem(name, reason)


@dataclass(frozen=True, slots=True)
class Listing:
    """Names inside a source, with `/` between folders: the pages in the order of their names, and what is none.

    `order_file` is beside the pages, `comic_info` there or at the top.
    """

    pages: tuple[str, ...]
    ignored: tuple[str, ...]
    order_file: str | None
    comic_info: str | None


def listed(source: str, names: Iterable[str], is_image: Callable[[str], bool]) -> Listing:
    """Find the one folder that has the pages.

    Args:
        source: how messages call it.
        names: of all files.
        is_image: looks into a file whose name does not say what it is.

    Raises:
        UsageError: there are no pages, or those of several chapters.
    """
    pages: list[str] = []
    ignored: list[str] = []
    for name in names:
        (pages if _is_page(name, is_image) else ignored).append(name)
    folders = in_reading_order({str(PurePosixPath(name).parent) for name in pages})
    if not folders:
        held = f"it holds {_some(in_reading_order(ignored))}" if ignored else "it is empty"
        raise UsageError(
            f"{source}: is no chapter, since there are no images in it ({held}); give a folder with images"
        )
    if len(folders) > 1:
        found = _some(["the top" if one == "." else one for one in folders])
        raise UsageError(f"{source}: has images in {len(folders)} folders ({found}); give the folder of one chapter")
    order_file = _named(ORDER_FILE, ignored, folders)
    comic_info = _named(COMIC_INFO, ignored, [*folders, "."])
    ignored = [name for name in ignored if name not in {order_file, comic_info}]
    return Listing(tuple(in_reading_order(pages)), tuple(in_reading_order(ignored)), order_file, comic_info)


def is_left_out(component: str) -> bool:
    """Whether a file or folder of this name, and all in it, is not looked at: hidden, or left by a program."""
    return component.startswith(".") or component.casefold() in LEFT_BY_PROGRAMS


def _is_page(name: str, is_image: Callable[[str], bool]) -> bool:
    if name.endswith("/") or any(is_left_out(component) for component in name.split("/") if component != ".."):
        return False
    suffix = PurePosixPath(name).suffix.lower()
    if suffix.strip(".0123456789"):  # "page 1.5" has no suffix
        return suffix in PAGE_SUFFIXES
    return is_image(name)


def _named(wanted: str, names: list[str], folders: Iterable[str]) -> str | None:
    """The file of this name in the first folder that has one; its case does not count, unless there are several."""
    for folder in folders:
        inside = [name for name in names if str(PurePosixPath(name).parent) == folder and not name.endswith("/")]
        called = [name for name in inside if PurePosixPath(name).name.casefold() == wanted.casefold()]
        if called:
            return min(called, key=lambda name: (PurePosixPath(name).name != wanted, name))
    return None


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
