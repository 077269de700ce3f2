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
    """
    .jpg .jpeg .jpe .jif .jfif .pjp .pjpeg .png .apng .gif .webp .avif .bmp .dib .tif .tiff .jxl .jp2 .heic .heif
    """.split()  # noqa: SIM905
)
"""Also those that the service does not take: such a page stops its chapter, it is not left out."""
OTHER_SUFFIXES = frozenset(
    """
    .txt .nfo .md .xml .json .toml .ini .html .htm .url .db .psd .pdf .zip .cbz .rar .cbr .7z
    """.split()  # noqa: SIM905
)
"""What these are is left out without a look. All other files are pages if they are images."""
LEFT_BY_PROGRAMS = frozenset({"__macosx", "@eadir", "thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", ".nomedia"})
"""Previews of the pages, and how their folder is shown: by macOS, Synology's servers, Windows and Android."""
APPLE_DOUBLE = "._"  # before the name of a file: what macOS knows of it
SHOWN = 3
TOP = "."


class UnreadablePage(UploadError):  # noqa: N818 - what it is
    """One page cannot be read, and reading it again will not help."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.page_problem = PageProblem(name, reason)


@dataclass(frozen=True, slots=True)
class Listing:
    """Names inside a source, with `/` between folders: the pages in the order of their names, and what is none.

    `order_file` and `comic_info` are beside the pages or at the top.
    """

    pages: tuple[str, ...]
    ignored: tuple[str, ...]
    order_file: str | None
    comic_info: str | None
    warnings: tuple[str, ...] = ()


def listed(source: str, names: Iterable[str], is_image: Callable[[str], bool]) -> Listing:
    """Find the one folder that has the pages.

    Args:
        source: how messages call it.
        names: of all files.
        is_image: looks into a file whose name does not say what it is.

    Raises:
        UsageError: there are no pages, or those of several chapters, or two files `order.txt`.
    """
    pages: list[str] = []
    ignored: list[str] = []
    for name in names:
        (pages if is_page(name, is_image) else ignored).append(name)
    folders = in_reading_order({str(PurePosixPath(name).parent) for name in pages})
    if not folders:
        held = f"it holds {_some(in_reading_order(ignored))}" if ignored else "it is empty"
        raise UsageError(
            f"{source}: is no chapter, since there are no images in it ({held}); give a folder with images"
        )
    if len(folders) > 1:
        found = _some(["the top" if one == TOP else one for one in folders])
        raise UsageError(f"{source}: has images in {len(folders)} folders ({found}); give the folder of one chapter")
    order_file = _order_file(source, ignored, folders[0])
    comic_info = _named(COMIC_INFO, ignored, folders[0]) or _named(COMIC_INFO, ignored, TOP)
    ignored = in_reading_order(name for name in ignored if name not in {order_file, comic_info})
    unseen = [name for name in ignored if _may_be_missed(name) and is_image(name)]
    return Listing(tuple(in_reading_order(pages)), tuple(ignored), order_file, comic_info, _warnings(unseen))


def is_left_out(component: str) -> bool:
    """Whether a file or folder of this name, and all in it, is not looked at: hidden, or left by a program."""
    return component.startswith(".") or component.casefold() in LEFT_BY_PROGRAMS


def is_left_by_program(name: str) -> bool:
    """Whether nobody put it there as a file of their own, and nobody wants to hear of it."""
    components = name.rstrip("/").split("/")
    return any(it.casefold() in LEFT_BY_PROGRAMS or it.startswith(APPLE_DOUBLE) for it in components)


def is_page(name: str, is_image: Callable[[str], bool]) -> bool:
    """Whether a file is a page: by its name, or where that does not say it, by `is_image`, which looks into it."""
    if name.endswith("/") or _is_hidden(name) or _is_backup(name):
        return False
    suffix = _suffix(name)
    return suffix in PAGE_SUFFIXES or (suffix not in OTHER_SUFFIXES and is_image(name))


def _is_hidden(name: str) -> bool:
    return any(is_left_out(component) for component in name.split("/") if component != "..")


def _is_backup(name: str) -> bool:
    """What an editor keeps of the page that it has changed: sent beside that, it would be a page too many."""
    return name.endswith("~") or _suffix(name) in {".bak", ".orig"}


def _suffix(name: str) -> str:
    """In small letters, without the blanks of `1. png`. What comes after a dot is not always one: `Vol.1 - 001`."""
    return "".join(PurePosixPath(name).suffix.lower().split())


def _may_be_missed(name: str) -> bool:
    """Whether somebody may take it for a page, although it is left out for its name."""
    folder, _, file = name.rpartition("/")
    if not file or is_left_by_program(name) or _is_hidden(folder):
        return False
    return (_is_hidden(file) or _is_backup(file)) and _suffix(file) not in OTHER_SUFFIXES


def _warnings(unseen: list[str]) -> tuple[str, ...]:
    if not unseen:
        return ()
    return (
        f"hidden files and backups are left out, of which these are images: {_some(unseen)}; rename what is a page",
    )


def _order_file(source: str, names: list[str], folder: str) -> str | None:
    beside, at_top = _named(ORDER_FILE, names, folder), _named(ORDER_FILE, names, TOP)
    if beside and at_top and beside != at_top:
        raise UsageError(f"{source}: has two orders of its pages, {beside} and {at_top}; take one of them away")
    return beside or at_top


def _named(wanted: str, names: list[str], folder: str) -> str | None:
    """The file of this name in the folder; its case does not count, unless there are several."""
    inside = [name for name in names if str(PurePosixPath(name).parent) == folder and not name.endswith("/")]
    called = [name for name in inside if PurePosixPath(name).name.casefold() == wanted.casefold()]
    return min(called, key=lambda name: (PurePosixPath(name).name != wanted, name), default=None)


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
