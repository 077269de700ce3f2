"""Whether an image is one that the service takes, from its first byte to its last pixel.

libvips is loaded with the first image, not before: a command that looks at none need not wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mangadex_uploader.damage import PartMissing, decoded, libvips, opened, said
from mangadex_uploader.image_kinds import GIF, JPEG, PNG, foreign_image, mime_type

NAMES = {PNG: "PNG", JPEG: "JPEG", GIF: "GIF"}
PNG_END = b"IEND\xaeB\x60\x82"
JPEG_SCAN, JPEG_END = b"\xff\xda", b"\xff\xd9"
GIF_HEADER_BYTES = 13
GIF_IMAGE, GIF_EXTENSION, GIF_END = 0x2C, 0x21, 0x3B
SAVE_AGAIN = "save it again with an image program"


@dataclass(frozen=True, slots=True)
class Image:
    """What the checks found; sides in pixels. `doubt` is what somebody should look at, empty if nothing."""

    mime_type: str
    width: int
    height: int
    doubt: str = ""


class BadImage(Exception):  # noqa: N818 - what it is
    """The service would not take it, or readers would not see it. `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def inspect(data: bytes, *, max_side_px: int, max_pixels: int) -> Image:
    """Look at a whole file, and decode all of it.

    Args:
        data: the file.
        max_side_px: that a side may have.
        max_pixels: that all frames may have together; half as many where the decoder holds the whole image.

    Raises:
        BadImage: with what is wrong and what to do.
    """
    check_is_whole(data)
    kind = mime_type(data)
    if kind is None:
        raise BadImage(_foreign(data))
    try:
        image = opened(data, kind, "error")
        width, height = image.width, image.get_page_height()
        _check_size(image, width, height, max_side_px, max_pixels)
    except libvips().Error as error:
        raise undecodable(error) from error
    return Image(kind, width, height, checked(data, kind))


def checked(data: bytes, kind: str | None) -> str:
    """Decode all of it. Say what somebody should look at, or nothing.

    Args:
        data: the file.
        kind: its MIME type; None for TIFF.

    Raises:
        BadImage: it is damaged.
    """
    try:
        return decoded(data, kind)
    except PartMissing as error:
        raise BadImage(f"it is damaged, a part of its image is missing{error}; get the file again") from error
    except libvips().Error as error:
        raise undecodable(error) from error


def undecodable(error: Any) -> BadImage:
    """What a `pyvips.Error` means to people."""
    return BadImage(f"it cannot be decoded{said(error)}, so it is damaged; get it again, or {SAVE_AGAIN}")


def check_is_whole(data: bytes) -> None:
    """Look whether there is anything, and of a PNG, JPEG or GIF whether its end is there.

    Raises:
        BadImage: a part is missing.
    """
    if not data:
        raise BadImage("it is empty; get the file again")
    kind = mime_type(data)
    if kind and not _is_complete(kind, data):
        raise BadImage(f"it is cut off, the end of the {NAMES[kind]} image is missing; get the whole file")


def _foreign(data: bytes) -> str:
    if kind := foreign_image(data):
        return f"it is {kind}, which the service does not take; save it as PNG or JPEG"
    return "it is no image, or a damaged one; save it as PNG, JPEG or GIF"


def _is_complete(kind: str, data: bytes) -> bool:
    """Whether the end mark is there. What cameras and editors leave behind it is no part of the image."""
    if kind == PNG:
        return PNG_END in data
    if kind == JPEG:
        return data.rfind(JPEG_END) > data.find(JPEG_SCAN) > 0
    return _gif_ends(data)


def _gif_ends(data: bytes) -> bool:
    """Whether its blocks lead to the trailer (GIF89a, 12): that byte alone is everywhere."""
    try:
        at = GIF_HEADER_BYTES + _gif_colours(data[10])
        while data[at] != GIF_END:
            if data[at] == GIF_IMAGE:
                at += 11 + _gif_colours(data[at + 9])
            elif data[at] == GIF_EXTENSION:
                at += 2
            else:
                return False
            while length := data[at]:
                at += 1 + length
            at += 1
    except IndexError:
        return False
    return True


def _gif_colours(packed: int) -> int:
    """Bytes of the table of colours that this field announces."""
    return 3 << (packed & 7) + 1 if packed & 0x80 else 0


def _check_size(image: Any, width: int, height: int, max_side_px: int, max_pixels: int) -> None:
    if max(width, height) > max_side_px:
        raise BadImage(f"it is {width} x {height} px, a side may have {max_side_px}; scale it or split it")
    is_held_whole = image.get_typeof("interlaced") != 0  # progressive JPEG, interlaced PNG
    limit = max_pixels // 2 if is_held_whole else max_pixels
    if image.width * image.height > limit:
        raise BadImage(f"it has {image.width * image.height} pixels in all, it may have {limit}; scale it down")
