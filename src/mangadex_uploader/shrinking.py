"""An image becomes the bytes of a page, by the least change that keeps it within the size that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

from mangadex_uploader.damage import libvips
from mangadex_uploader.image_kinds import JPEG, PNG
from mangadex_uploader.images import BadImage

QUALITIES = (95, 90, 85, 80)  # from 90 on libvips keeps the colours at full resolution
PNG_EFFORT = 3  # of 9; four takes a quarter longer for 0 to 15 % less, six up to three times as long
PALETTE_COLOURS = 256
SAMPLE_PX = 256
LEAST_SCALE = 0.1
SAME_PIXELS = "packed tighter as PNG, its pixels are the same"

Fresh = Callable[[], Any]
"""Opens the image again; one that is read sequentially can be saved once."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A file to send; sides in pixels."""

    data: bytes
    mime_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Saving:
    """`change` says what else was needed to keep it small enough, empty if nothing; `usual_bytes`, what without it."""

    mime_type: str
    change: str
    usual_bytes: int
    on_white: bool
    """Whether it was transparent somewhere, and is white there now."""


def encoded(fresh: Fresh, *, lossless: bool, max_bytes: int) -> tuple[Piece, Saving]:
    """Save as PNG if that is to be lossless, else as JPEG of quality 95; if it is too large, change as little as does.

    Raises:
        BadImage: even a tenth of its size is too large.
        pyvips.Error: it cannot be decoded.
    """
    usual_bytes = 0
    for change, piece in _attempts(fresh, lossless=lossless, max_bytes=max_bytes):
        usual_bytes = usual_bytes or len(piece.data)
        if len(piece.data) <= max_bytes:
            on_white = piece.mime_type == JPEG and _is_transparent(fresh())
            return piece, Saving(piece.mime_type, change, usual_bytes, on_white)
    raise BadImage(f"it cannot be made smaller than {max_bytes} bytes; scale it down")


def scaled(image: Any, scale: float) -> Any:
    """Smaller by this factor, with the bits that it had."""
    if not image.hasalpha():
        return image.resize(scale)
    return image.premultiply().resize(scale).unpremultiply().cast(image.format)


def _attempts(fresh: Fresh, *, lossless: bool, max_bytes: int) -> Iterator[tuple[str, Piece]]:
    if lossless:
        yield "", _png(fresh(), compression=PNG_EFFORT, filter="up")
        yield from _lossless(fresh)
    for quality in QUALITIES:
        change = "" if quality == QUALITIES[0] and not lossless else f"sent as JPEG of quality {quality}"
        yield change, (piece := _jpeg(fresh(), quality))
    scale = 1.0
    while scale > LEAST_SCALE:
        scale *= min(0.95, sqrt(max_bytes / len(piece.data)) * 0.98)
        yield f"scaled to {scale:.0%}, as JPEG of quality {quality}", (piece := _jpeg(scaled(fresh(), scale), quality))


def _lossless(fresh: Fresh) -> Iterator[tuple[str, Piece]]:
    """PNG in fewer bytes; at last in fewer bits, which only looks the same."""
    image = fresh()
    has_profile = image.get_typeof("icc-profile-data") != 0  # one of three colours is none of grey
    if image.bands >= 3 and not has_profile and _is_grey(fresh()):
        grey = fresh
        fresh = lambda: _as_grey(grey())  # noqa: E731
    yield SAME_PIXELS, _png(fresh(), compression=9, filter="all")
    if image.format == "ushort":
        yield "16 bits a sample made 8, as PNG", _png(_of_8_bits(fresh()), compression=9, filter="all")
    elif image.bands >= 3 and (piece := _palette(fresh)):
        yield SAME_PIXELS, piece


def _palette(fresh: Fresh) -> Piece | None:
    """With a table of its colours, if that has all of them."""
    image = fresh()
    step = max(1, max(image.width, image.height) // SAMPLE_PX)
    pixels = image.subsample(step, step).write_to_memory()
    if len({pixels[at : at + image.bands] for at in range(0, len(pixels), image.bands)}) > PALETTE_COLOURS:
        return None
    piece = _png(fresh(), compression=9, palette=True, Q=100, dither=0)
    again = libvips().Image.new_from_buffer(piece.data, "", access="sequential")
    is_same = again.bands == image.bands and (again != fresh()).max() == 0
    return piece if is_same else None


def _is_grey(image: Any) -> bool:
    first = image[0]
    return bool(((image[1] != first) | (image[2] != first)).max() == 0)


def _as_grey(image: Any) -> Any:
    grey = image[0].bandjoin(image[3]) if image.bands == 4 else image[0]
    return grey.copy(interpretation="grey16" if image.format == "ushort" else "b-w")


def _is_transparent(image: Any) -> bool:
    opaque = 65_535 if image.format == "ushort" else 255
    return bool(image.hasalpha() and image[image.bands - 1].min() < opaque)


def _of_8_bits(image: Any) -> Any:
    return image.colourspace("b-w" if image.interpretation == "grey16" else "srgb")


def _png(image: Any, **options: Any) -> Piece:
    return Piece(image.pngsave_buffer(keep="icc", **options), PNG, image.width, image.height)


def _jpeg(image: Any, quality: int) -> Piece:
    image = _of_8_bits(image) if image.format == "ushort" else image
    data = image.jpegsave_buffer(Q=quality, keep="icc", background=255)
    return Piece(data, JPEG, image.width, image.height)
