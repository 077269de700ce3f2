"""Whether all pixels of an image are as they were drawn, as far as its file says."""

from __future__ import annotations

import struct

from mangadex_uploader.images import BadImage

AVIF_COLOURS = b"colrnclx"  # then three numbers of two bytes: primaries, transfer, matrix (ISO 14496-12, 12.1.5)
TIFF_COMPRESSION = 259
TIFF_LOSSLESS = frozenset({1, 2, 3, 4, 5, 8, 32_773, 32_946, 34_925, 50_000})
TIFF_SHORT = 3


def is_lossless(data: bytes, name: str) -> bool:
    """Of an image whose kind has this name for people.

    Raises:
        BadImage: it is a TIFF that does not say how it is packed.
    """
    if name == "WebP":
        return _webp_is_lossless(data)
    if name == "TIFF":
        return _tiff_compression(data) in TIFF_LOSSLESS
    if name == "AVIF":
        return _avif_is_rgb(data)
    return name in {"PNG", "GIF"}


def _avif_is_rgb(data: bytes) -> bool:
    """Whether its colours are stored as RGB (ITU H.273, matrix 0), as they are for no loss, and hardly for another."""
    at = data.find(AVIF_COLOURS)
    return at >= 0 and data[at + 12 : at + 14] == b"\0\0"


def _webp_is_lossless(data: bytes) -> bool:
    """Whether its image is a chunk `VP8L` (RFC 9649, 2.6 and 2.7)."""
    at = 12
    while at + 8 <= len(data) and data[at : at + 4] not in {b"VP8L", b"VP8 "}:
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return data[at : at + 4] == b"VP8L"


def _tiff_compression(data: bytes) -> int:
    """Of the first image (TIFF 6.0, section 2); 1, which is none, where it is not said."""
    order = "<" if data.startswith(b"II") else ">"
    try:
        [at] = struct.unpack_from(f"{order}I", data, 4)
        [count] = struct.unpack_from(f"{order}H", data, at)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(f"{order}HH", data, entry)
            if tag == TIFF_COMPRESSION:
                [value] = struct.unpack_from(f"{order}{'H' if kind == TIFF_SHORT else 'I'}", data, entry + 8)
                return int(value)
    except struct.error as error:
        raise BadImage("it is a damaged TIFF; save it again with an image program") from error
    return 1
