"""Pages and the requests that carry them, drawn once for all servers of `ingest.py`."""

from __future__ import annotations

import os
import struct
import zlib
from math import isqrt
from pathlib import Path

BOUNDARY = "0123456789abcdef0123456789abcdef"


def page(size_bytes: int) -> bytes:
    """A grey PNG of noise of about this size; no two are alike."""
    side = isqrt(size_bytes)
    noise = os.urandom(side * side)
    rows = b"".join(b"\0" + noise[start : start + side] for start in range(0, side * side, side))
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + _chunk(b"IDAT", zlib.compress(rows, 0))
        + _chunk(b"IEND", b"")
    )


def form(pages: list[bytes]) -> bytes:
    """The multipart body of one request."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file{number}"; filename="{number}.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + data
        + b"\r\n"
        for number, data in enumerate(pages, start=1)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def write_forms(folder: Path, *, count: int, pages: int, page_bytes: int) -> list[Path]:
    """So many bodies, each with pages of its own, in files."""
    files = []
    for number in range(count):
        file = folder / f"{page_bytes}-{number:02}.form"
        file.write_bytes(form([page(page_bytes) for _ in range(pages)]))
        files.append(file)
    return files


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
