"""Ids as people give them: bare, or in the address of a page of the website. What is neither is a name."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import urlsplit

from mangadex_uploader.errors import UsageError
from mangadex_uploader.ordering import folded

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACES = {"manga": ("title", "manga"), "group": ("group",)}
_NOT_COMPARED = frozenset("PZ")  # Unicode's categories of punctuation and separators


def id_in(kind: str, text: str, origin: str) -> str | None:
    """The id of a manga or group in what was given; None where that is a name.

    Args:
        kind: `manga` or `group`.
        text: an id, an address or a name.
        origin: where it was given, for the message.

    Raises:
        UsageError: it is the address of something else.
    """
    given = text.strip()
    if re.fullmatch(_ID, given.lower()):
        return given.lower()
    if not re.match("https?://", given, re.IGNORECASE):
        return None
    places = _PLACES[kind]
    found = re.search(rf"/(?:{'|'.join(places)})/({_ID})(?:/|$)", urlsplit(given).path.lower())
    if not found:
        example = f"https://mangadex.org/{places[0]}/..."
        raise UsageError(f"{origin}: {given!r} is no address like {example}: copy one of them.")
    return found.group(1)


def compared(name: str) -> str:
    """A manga's or group's name for comparison: case, width, punctuation and blanks do not count."""
    whole = folded(name)
    letters = "".join(it for it in whole if unicodedata.category(it)[0] not in _NOT_COMPARED)
    return letters or whole.strip()


def chapter_page(host: str, chapter_id: str) -> str:
    """Where people read a chapter: on the website of an `api.` host, else on this project's own service."""
    scheme, _, rest = host.partition("://")
    if rest.startswith("api."):
        return f"{scheme}://{rest.removeprefix('api.')}/chapter/{chapter_id}"
    return f"{host}/chapter/{chapter_id}/read"
