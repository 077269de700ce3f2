"""What a page's bytes say about themselves, without decoding them: kind, size, and whether the end is there. Pure.

The full decode comes after the commit, in `processing`; damage inside is found there or never (engines.md 7).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mangadex_server.errors import Invalid
from mangadex_server.settings import ImageFormat

Size: TypeAlias = tuple[int, int]

HEAD_BYTES = 256
JUNK_BYTES = 8 << 10  # what cameras and editors leave behind the end mark
MAX_STEPS = 4_096  # segments or boxes; a hostile file has millions

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PNG_END = b"IEND\xaeB\x60\x82"
JPEG_END = b"\xff\xd9"
GIF_END = b"\x00;"  # the end of the last block, then the trailer: one byte alone would be there by chance too often
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
JPEG_BARE = frozenset({0x01, 0xFF, *range(0xD0, 0xD8)})  # markers without a length, and fill
JPEG_SCAN = 0xDA
AVIF_BRANDS = frozenset({b"avif", b"avis"})

NAMES: dict[ImageFormat, str] = {"jpeg": "JPEG", "png": "PNG", "gif": "GIF", "webp": "WebP", "avif": "AVIF"}
EXTENSIONS: dict[ImageFormat, str] = {"jpeg": "jpg", "png": "png", "gif": "gif", "webp": "webp", "avif": "avif"}
STRANGERS = (
    (b"%PDF", "a PDF document"),
    (b"PK\x03\x04", "a zip archive"),
    (b"Rar!", "a rar archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"BM", "a BMP image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"8BPS", "a Photoshop document"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"<", "a text file such as SVG or HTML"),
)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What the header says; sides in pixels."""

    format: ImageFormat
    mime_type: str
    width: int
    height: int
    extension: str


def inspect(head_to_tail: bytes | memoryview, *, formats: Sequence[ImageFormat], max_side_px: int) -> ImageInfo:
    """Look at a whole file.

    Raises:
        Invalid: with what is wrong and what to do about it; the caller names the file.
    """
    with memoryview(
        head_to_tail
    ) as data:  # released even when an error's traceback lives on: it may be of a mapped file
        return _inspected(data, formats, max_side_px)


def _inspected(data: memoryview, formats: Sequence[ImageFormat], max_side_px: int) -> ImageInfo:
    if not data:
        raise Invalid("it is empty; send the bytes of an image")
    head = bytes(data[:HEAD_BYTES])
    kind = _kind(head)
    if kind is None or kind not in formats:
        raise Invalid(f"it is {_described(head, kind)}; send it as {_listed(formats)}")
    try:
        width, height = SIZES[kind](data)
    except struct.error as error:
        raise _cut_off(kind) from error
    _check_sides(width, height, max_side_px)
    return ImageInfo(kind, f"image/{kind}", width, height, EXTENSIONS[kind])


def _kind(head: bytes) -> ImageFormat | None:
    if head.startswith(PNG_SIGNATURE):
        return "png"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "webp"
    return "avif" if head[4:8] == b"ftyp" and not AVIF_BRANDS.isdisjoint(_brands(head)) else None


def _brands(head: bytes) -> list[bytes]:
    """The main brand and the compatible ones (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(head[:4]), len(head))
    return [head[8:12], *(head[at : at + 4] for at in range(16, end, 4))]


def _described(head: bytes, kind: ImageFormat | None) -> str:
    if kind:
        return f"{'an' if kind == 'avif' else 'a'} {NAMES[kind]} image"
    if head[4:8] == b"ftyp":
        return "a HEIC image or a video"
    return next((name for start, name in STRANGERS if head.startswith(start)), "no image known here, or cut off")


def _listed(formats: Sequence[ImageFormat]) -> str:
    *most, last = (NAMES[one] for one in formats)
    return f"{', '.join(most)} or {last}" if most else last


def _check_sides(width: int, height: int, max_side_px: int) -> None:
    if not width or not height:
        raise Invalid(f"its size is {width} x {height} px; save it again with an image program")
    if max(width, height) > max_side_px:
        raise Invalid(f"it is {width} x {height} px, a side may have {max_side_px}; scale it down or split it")


def _cut_off(kind: ImageFormat) -> Invalid:
    return Invalid(f"it is cut off: the end of the {NAMES[kind]} image is missing; send the whole file")


def _damaged(kind: ImageFormat, what: str) -> Invalid:
    return Invalid(f"it is a damaged {NAMES[kind]} image: {what}; save it again with an image program")


def _png(data: memoryview) -> Size:
    length, chunk, width, height = struct.unpack_from(">I4sII", data, 8)
    if (length, chunk) != (13, b"IHDR"):
        raise _damaged("png", "its header is missing")
    if PNG_END not in bytes(data[-JUNK_BYTES:]):
        raise _cut_off("png")
    return width, height


def _jpeg(data: memoryview) -> Size:
    size: Size | None = None
    for marker, start, end in _jpeg_segments(data):
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 1)
            size = width, height
        elif marker == JPEG_SCAN and size:
            if JPEG_END not in bytes(data[max(end, len(data) - JUNK_BYTES) :]):  # not the end of a preview before it
                raise _cut_off("jpeg")
            return size
    raise _damaged("jpeg", "it has no picture")


def _jpeg_segments(data: memoryview) -> Iterator[tuple[int, int, int]]:
    """Marker, start of the payload, end of the segment, up to and with the first scan's header."""
    at = 2
    for _ in range(MAX_STEPS):
        prefix, marker = struct.unpack_from(">BB", data, at)
        if prefix != 0xFF or marker == JPEG_END[1]:
            return
        if marker in JPEG_BARE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from(">H", data, at + 2)
        if length < 2:
            return
        yield marker, at + 4, at + 2 + length
        if marker == JPEG_SCAN:
            return
        at += 2 + length


def _gif(data: memoryview) -> Size:
    width, height = struct.unpack_from("<HH", data, 6)
    if not bytes(data[-JUNK_BYTES:]).rstrip(b"\x00").endswith(GIF_END):
        raise _cut_off("gif")
    return width, height


def _webp(data: memoryview) -> Size:
    length, chunk = struct.unpack_from("<4xI4x4s", data)
    if length + 8 > len(data):
        raise _cut_off("webp")
    if length + 8 < len(data) - JUNK_BYTES:
        raise _damaged("webp", "its length is not what its header says")
    if chunk == b"VP8X":
        low_w, high_w, low_h, high_h = struct.unpack_from("<HBHB", data, 24)
        return (high_w << 16 | low_w) + 1, (high_h << 16 | low_h) + 1
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if chunk != b"VP8 ":
        raise _damaged("webp", "it has no picture")
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _avif(data: memoryview) -> Size:
    boxes = {kind: (start, end) for kind, start, end in _boxes(data, 0, len(data))}
    if not {b"ftyp", b"meta", b"mdat"} <= boxes.keys() or max(boxes.values())[1] < len(data) - JUNK_BYTES:
        raise _cut_off("avif")
    start, end = boxes[b"meta"]
    start += 4  # version and flags
    for name in (b"iprp", b"ipco"):
        start, end = next(((s, e) for kind, s, e in _boxes(data, start, end) if kind == name), (end, end))
    sizes = [struct.unpack_from(">II", data, s + 4) for kind, s, _ in _boxes(data, start, end) if kind == b"ispe"]
    if not sizes:
        raise _damaged("avif", "it says no size")
    width, height = max(sizes, key=lambda size: size[0] * size[1])  # the others are thumbnails and tiles
    return width, height


def _boxes(data: memoryview, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the payload of the complete boxes (ISO/IEC 14496-12, 4.2)."""
    for _ in range(MAX_STEPS):
        if at + 16 > end:
            return
        length, kind, long_length = struct.unpack_from(">I4sQ", data, at)
        start = at + (16 if length == 1 else 8)
        stop = {0: end, 1: at + long_length}.get(length, at + length)
        if not start <= stop <= end:
            return
        yield kind, start, stop
        at = stop


SIZES: dict[ImageFormat, Callable[[memoryview], Size]] = {
    "jpeg": _jpeg,
    "png": _png,
    "gif": _gif,
    "webp": _webp,
    "avif": _avif,
}
