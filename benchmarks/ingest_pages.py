"""Pages and the requests that carry them, drawn once for all servers of `ingest.py`."""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of a file."""

    path: Path
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class Form:
    """The multipart body of one request, in a file, and where its pages are in it."""

    body: Span
    pages: list[Span]


def write_forms(folder: Path, *, count: int, pages: int, page_bytes: int) -> list[Form]:
    """So many bodies, each with pages of its own."""
    names = (folder / f"{page_bytes}-{number:02}.form" for number in range(count))
    return [_write_form(name, [page(page_bytes) for _ in range(pages)]) for name in names]


def _write_form(path: Path, pages: list[bytes]) -> Form:
    spans = []
    with path.open("wb") as file:
        for number, data in enumerate(pages, start=1):
            file.write(
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file{number}"; filename="{number}.png"\r\n'
                "Content-Type: image/png\r\n\r\n".encode()
            )
            spans.append(Span(path, file.tell(), len(data)))
            file.write(data + b"\r\n")
        file.write(f"--{BOUNDARY}--\r\n".encode())
        return Form(Span(path, 0, file.tell()), spans)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
