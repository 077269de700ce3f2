"""Files that stand beside the pages: the order that somebody wrote down, and what a program noted about the chapter."""

from __future__ import annotations

import codecs
from collections.abc import Callable

from mangadex_uploader.errors import UsageError
from mangadex_uploader.listing import Listing, UnreadablePage
from mangadex_uploader.order_file import ORDER_FILE, read_order

MOST_BYTES = 1 << 20  # 500 names have some kilobytes

Read = Callable[[str, int], bytes]
"""At most so many bytes of a file, by its name inside the source. Raises UnreadablePage."""


def reading_order(source: str, listing: Listing, read: Read) -> tuple[str, ...]:
    """The pages as `order.txt` has them, or by their names where there is none. Messages call it `source`.

    Raises:
        UsageError: the file cannot be read, or does not fit the pages.
    """
    if listing.order_file is None:
        return listing.pages
    text = _text(source, read_beside(source, listing.order_file, read))
    try:
        return tuple(read_order(text, listing.pages))
    except UsageError as error:
        raise UsageError(f"{source}: {error}") from error


def read_beside(source: str, name: str, read: Read) -> bytes:
    """All of such a file.

    Raises:
        UsageError: it cannot be read, or is too large.
    """
    try:
        data = read(name, MOST_BYTES + 1)
    except UnreadablePage as error:
        raise UsageError(f"{source}: {error}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{source}: {name}: it has more than {MOST_BYTES >> 20} MB; mend it, or take it away")
    return data


def _text(source: str, data: bytes) -> str:
    is_wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # as PowerShell's `>` writes
    try:
        return data.decode("utf-16" if is_wide else "utf-8")
    except UnicodeError as error:
        raise UsageError(f"{source}: {ORDER_FILE}: it is not in UTF-8; save it as that") from error
