"""Whether a part of an image is missing, though its file ends as it should.

The decoders of libvips go on after a fault that they can bridge, and leave grey or nothing for what is missing. Which
fault it was they say in text that is shared by all threads, so the text decides nothing here.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from mangadex_uploader.image_kinds import GIF, JPEG
from mangadex_uploader.printable import printable

BRIDGES_FAULTS = frozenset({JPEG, GIF, None})  # a PNG has checksums; None is TIFF
CLEANED = "its header has faults, though all of its image is there"
ODD_TIFF = "its decoder complains of it"
LOOK_AT_IT = "look at it, or save it again with an image program"
NOT_OF_THE_DECODER = ("vips2", "wbuffer", "VipsTarget", "vips__", " (")  # what a saver says then, and bare numbers

JPEG_START, JPEG_SCAN = b"\xff\xd8", 0xDA
JPEG_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a segment
JPEG_TABLES = frozenset({*range(0xC0, 0xD0), 0xDB, 0xDD})  # ITU T.81, table B.1
JPEG_SEQUENTIAL = frozenset({0xC0, 0xC1})
JPEG_SCAN_MARK, JPEG_END = b"\xff\xda", b"\xff\xd9"
BASELINE = b"\xff\xc0"
USUAL_CODES = bytes.fromhex("10 0002010303020403050504040000017d 01")  # ITU T.81, table K.5: 00 is no empty rest
HOLE = bytes(256)
WHOLE_SPECTRUM = b"\0\x3f\0"


class PartMissing(Exception):  # noqa: N818 - what it is
    """A part of the image is missing. The text is what the decoder said, or empty."""


def libvips() -> Any:
    """libvips, set up for pages; loaded when it is first called for."""
    return _loaded()


@cache
def _loaded() -> Any:
    os.environ.setdefault("VIPS_WARNING", "1")  # no warnings on our standard error; read when it is loaded
    import pyvips  # noqa: PLC0415

    pyvips.concurrency_set(1)  # the pages are the parallel work
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)
    return pyvips


def opened(data: bytes, kind: str | None, fail_on: str) -> Any:
    """All frames, for one reading from top to bottom.

    Raises:
        pyvips.Error: the header cannot be decoded.
    """
    options = {"n": -1} if kind == GIF else {}
    source = libvips().Source.new_from_memory(data)  # `new_from_buffer` would copy it
    return libvips().Image.new_from_source(source, "", access="sequential", fail_on=fail_on, **options)


def decoded(data: bytes, kind: str | None) -> str:
    """Decode all of it. Say what somebody should look at, or nothing.

    Args:
        data: the file.
        kind: its MIME type; None for TIFF.

    Raises:
        PartMissing: the decoder bridges a fault, and pixels are missing.
        pyvips.Error: it cannot be decoded.
    """
    try:
        opened(data, kind, "warning" if kind in BRIDGES_FAULTS else "error").avg()
    except libvips().Error as fault:
        opened(data, kind, "error").avg()
        if kind == GIF:
            raise PartMissing(said(fault)) from fault
        if kind == JPEG:
            _check_scans(data)
        return f"{CLEANED if kind == JPEG else ODD_TIFF}{said(fault)}; {LOOK_AT_IT}"
    if kind == JPEG and HOLE in data:
        _check_hole(jpeg_scans(data))
    return ""


def said(error: Any) -> str:
    """What the decoder said of it, in brackets; what a saver said after it is left out."""
    lines = [line for line in str(error.detail).strip().splitlines() if not line.startswith(NOT_OF_THE_DECODER)]
    return f" ({printable(lines[-1][:200])})" if lines else ""


def _check_scans(data: bytes) -> None:
    try:
        opened(jpeg_scans(data), JPEG, "warning").avg()
    except libvips().Error as fault:
        raise PartMissing(said(fault)) from fault


def _check_hole(scans: bytes) -> None:
    """Look for zeros where a baseline JPEG cannot have them, which decode as shades that nobody drew.

    They can be there where the shortest code says that the rest of a block is empty, and before the end.
    """
    begins = scans.index(JPEG_SCAN_MARK)
    pixels = scans[begins : scans.find(JPEG_END, begins)].rstrip(b"\0")
    if BASELINE in scans[:begins] and USUAL_CODES in scans[:begins] and HOLE in pixels:
        raise PartMissing(f" ({len(HOLE)} zeros or more in it)")


def jpeg_scans(data: bytes) -> bytes:
    """A JPEG without all that its pixels do not need: metadata, and stray bytes before the first scan."""
    kept = bytearray(JPEG_START)
    at, is_sequential = len(JPEG_START), False
    while (at := data.find(b"\xff", at)) >= 0:
        marker = data[at + 1] if at + 1 < len(data) else 0xD9
        if marker in {0x00, 0xFF} or marker in JPEG_ALONE:
            at += 1 if marker == 0xFF else 2
            continue
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == JPEG_SCAN:
            begins = at + 2 + size
            whole = WHOLE_SPECTRUM if is_sequential else data[begins - 3 : begins]
            return bytes(kept) + data[at : begins - 3] + whole + data[begins:]
        if marker in JPEG_TABLES:
            kept += data[at : at + 2 + size]
            is_sequential = is_sequential or marker in JPEG_SEQUENTIAL
        at += 2 + max(size, 2)
    return data
