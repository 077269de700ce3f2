"""Ids as people give them: bare, or in the address of a page of the website."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from mangadex_uploader.errors import UsageError

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLACES = {"manga": ("title", "manga"), "group": ("group",)}


def id_in(option: str, text: str) -> str:
    """The id in what `--manga` or `--group` was given.

    Raises:
        UsageError: there is none, or it is of something else.
    """
    given = text.strip()
    if re.fullmatch(_ID, given.lower()):
        return given.lower()
    places = _PLACES[option]
    path = urlsplit(given).path.lower() if re.match("https?://", given) else ""
    found = re.search(rf"/(?:{'|'.join(places)})/({_ID})(?:/|$)", path)
    if not found:
        example = f"https://mangadex.org/{places[0]}/..."
        raise UsageError(f"--{option}: {given!r} is neither an id nor an address like {example}: copy one of them.")
    return found.group(1)


def chapter_page(host: str, chapter_id: str) -> str:
    """Where people read a chapter: on the website of an `api.` host, else on this project's own service."""
    scheme, _, rest = host.partition("://")
    if rest.startswith("api."):
        return f"{scheme}://{rest.removeprefix('api.')}/chapter/{chapter_id}"
    return f"{host}/chapter/{chapter_id}/read"
