"""The body of a form before it is parsed: its boundary, and pieces that are worth a pass of the parser."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

from mangadex_server.errors import Invalid

JOIN_BELOW_BYTES = 4096
"""Smaller pieces are joined before parsing: each costs the parser a pass (engines.md 6)."""

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70})(?=[\s;,]|$))', re.IGNORECASE | re.DOTALL
)


def boundary_of(content_type: str) -> str:
    """The boundary, quoted or not (contract 4.3).

    Raises:
        Invalid: not a multipart form, or no usable boundary.
    """
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise Invalid("Send the files as multipart/form-data with a boundary of 1 to 70 characters.")
    return found.group(1) or found.group(2)


async def beginning_with(boundary: str, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body, unless its first piece (4 KB, or all of it) is without the boundary: the rest is not waited for.

    Raises:
        Invalid: it is.
    """
    is_first = True
    async for piece in body:
        if is_first and f"--{boundary}".encode() not in piece:
            raise Invalid("The boundary of the Content-Type is not the one in the body. Send both alike.")
        is_first = False
        yield piece


async def joined(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of 4 KB or more, but the last."""
    small = bytearray()
    async for piece in body:
        if not small and len(piece) >= JOIN_BELOW_BYTES:
            yield piece
            continue
        small += piece
        if len(small) >= JOIN_BELOW_BYTES:
            yield bytes(small)
            small = bytearray()
    if small:
        yield bytes(small)
