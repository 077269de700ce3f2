"""A page as the files that are sent for it, all in memory."""

from __future__ import annotations

from typing import NamedTuple

from mangadex_uploader.preparing import LIMITS, Limits, prepare
from mangadex_uploader.shrinking import Piece


class Prepared(NamedTuple):
    """The files in reading order, and what was told."""

    pieces: tuple[Piece, ...]
    done: tuple[str, ...]
    doubts: tuple[str, ...]


def prepared_page(data: bytes, limits: Limits = LIMITS) -> Prepared:
    pieces: list[Piece] = []
    told = prepare(data, pieces.append, limits)
    return Prepared(tuple(pieces), told.done, told.doubts)
