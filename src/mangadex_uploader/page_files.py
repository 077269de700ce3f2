"""One page of the user's becomes the files to send for it: as it is, or prepared."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from mangadex_uploader import preparing
from mangadex_uploader.chapter import MIB, PlannedPage, Source
from mangadex_uploader.images import BadImage, Image, check_is_whole, inspect
from mangadex_uploader.prepared_source import Place, PreparedSource
from mangadex_uploader.shrinking import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the service takes (contract 4.6). The pixels are those of all frames of a page, as its readers decode it."""

    page_bytes: int = 20 * MIB
    pages: int = 500
    total_bytes: int = 150 * MIB
    side_px: int = 10_000
    pixels: int = 200_000_000

    @property
    def of_a_page(self) -> preparing.Limits:
        """Those that a page is prepared for."""
        return preparing.Limits(self.side_px, self.page_bytes, self.pixels)


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class File:
    """A file to send that the service would take."""

    name: str
    digest: str
    size_bytes: int
    image: Image

    def at(self, position: int) -> PlannedPage:
        """As a page of the chapter."""
        image = self.image
        return PlannedPage(
            position, self.name, self.digest, self.size_bytes, image.mime_type, image.width, image.height
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the user's, as the files to send for it; `done` and `doubts` say what was done to get them."""

    name: str
    files: tuple[File, ...]
    done: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


Look: TypeAlias = Callable[[str], Page]
"""Looks at the page of this name; raises UnreadablePage or BadImage."""


def as_is(source: Source, limits: Limits, name: str) -> Page:
    """The user's own bytes.

    Raises:
        BadImage: the service would refuse them.
        UploadError: they cannot be read.
    """
    return _untouched(name, source.read(name), limits)


def prepared_page(source: PreparedSource, limits: Limits, name: str) -> Page:
    """What the service takes, kept in `source` where it is not the user's own bytes.

    Raises:
        BadImage: nothing can be made of it that the service would take.
        UploadError: it cannot be read, or there is no room for what was made of it.
    """
    data = source.original.read(name)
    check_is_whole(data)  # cut off says more than whatever its decoder says
    made: list[tuple[File, Place]] = []

    def keep(piece: Piece) -> None:
        if piece.data is not data:
            made.append((_file(name, piece.data, limits), source.keep(piece.data)))

    told = preparing.prepare(data, keep, limits.of_a_page)
    if not made:
        return _untouched(name, data, limits)
    files = []
    for number, (file, place) in enumerate(made, start=1):
        called = name if len(made) == 1 else f"{name} ({number} of {len(made)})"
        source.call(place, called)
        files.append(replace(file, name=called))
    return Page(name, tuple(files), told.done, tuple(f"{name}: {doubt}" for doubt in told.doubts))


def _untouched(name: str, data: bytes, limits: Limits) -> Page:
    file = _file(name, data, limits)
    return Page(name, (file,), doubts=(f"{name}: {file.image.doubt}",) if file.image.doubt else ())


def _file(name: str, data: bytes, limits: Limits) -> File:
    if len(data) > limits.page_bytes:
        raise BadImage(f"it has {len(data) / MIB:.1f} MB, a page may have {limits.page_bytes / MIB:g}; make it smaller")
    image = inspect(data, max_side_px=limits.side_px, max_pixels=limits.pixels)
    return File(name, hashlib.sha256(data).hexdigest(), len(data), image)
