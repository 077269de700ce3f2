"""Pages that the service would refuse become ones that it takes. What was done, and why, is said in words.

A page that needs nothing stays the bytes that it is. Others lose what is in them besides the image, such as the
position of the camera; the colour profile stays.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from mangadex_uploader.chapter import MIB
from mangadex_uploader.converting import Opened, open_page
from mangadex_uploader.image_kinds import GIF
from mangadex_uploader.images import NAMES, SAVE_AGAIN, BadImage, _detail, _libvips
from mangadex_uploader.shrinking import QUALITIES, Encoded, Fresh, Piece, encoded, scaled
from mangadex_uploader.strips import slices

PIECES_HELD = 2  # of a strip: one is saved while the next is read


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes (contract 4.6); the pixels are those of `checking.Limits`."""

    max_side_px: int = 10_000
    max_file_bytes: int = 20 * MIB
    max_pixels: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """The files to send for a page, in reading order, and what was done to get them; nothing if `done` is empty."""

    name: str
    pieces: tuple[Piece, ...]
    done: tuple[str, ...] = ()


LIMITS = Limits()


def prepare(name: str, data: bytes, limits: Limits = LIMITS) -> Prepared:
    """Make of one page what the service takes. A page that needs nothing is not decoded.

    Raises:
        BadImage: it is no image, is damaged, or nothing can be made of it that the service takes.
    """
    try:
        page = open_page(data, max_pixels=limits.max_pixels)
        if page.mime_type and max(page.width, page.height) <= limits.max_side_px and len(data) <= limits.max_file_bytes:
            return Prepared(name, (Piece(data, page.mime_type, page.width, page.height),))
        pieces, done = _animation(page, limits) if page.frames > 1 else _still(page, limits)
    except _libvips().Error as error:
        raise BadImage(f"it cannot be decoded{_detail(error)}; {SAVE_AGAIN}") from error
    return Prepared(name, pieces, (*done, *page.notes))


def _animation(page: Opened, limits: Limits) -> tuple[tuple[Piece, ...], list[str]]:
    size = f"{page.width} x {page.height} px and {len(page.data) / MIB:.1f} MB"
    if page.mime_type:
        raise BadImage(f"it is an {page.kind} of {size}, {_allowed(limits)}; make it smaller")
    if max(page.width, page.height) > limits.max_side_px:
        raise BadImage(f"it is an {page.kind} of {size}, {_allowed(limits)}; scale it down")
    data = page.image().gifsave_buffer(keep="none")
    if len(data) > limits.max_file_bytes:
        raise BadImage(
            f"it is an {page.kind}, and has {len(data) / MIB:.1f} MB as GIF, {_allowed(limits)}; scale it down"
        )
    done = f"was {page.kind}, which the service does not take: sent as GIF, of {page.frames} frames in 256 colours"
    return (Piece(data, GIF, page.width, page.height),), [done]


def _allowed(limits: Limits) -> str:
    return f"where a side may have {limits.max_side_px} px and a page {limits.max_file_bytes / MIB:g} MB"


def _still(page: Opened, limits: Limits) -> tuple[tuple[Piece, ...], list[str]]:
    scale = min(1.0, limits.max_side_px / page.width)
    fresh: Fresh = page.image if scale == 1 else lambda: scaled(page.image(), scale)
    image = fresh()
    if image.height > limits.max_side_px:
        results, how = _strip(image, page, limits)
    else:
        results, how = [encoded(fresh, lossless=page.is_lossless, max_bytes=limits.max_file_bytes)], []
    sent = " and ".join(sorted({NAMES[it.piece.mime_type] for it in results}))
    if page.is_lossless is False and sent == "JPEG":
        sent += f" of quality {QUALITIES[0]}"
    done = []
    if not page.mime_type:
        done.append(f"was {page.kind}, which the service does not take: sent as {sent}")
    elif len(results) > 1:
        how.append(f"the pieces were saved as {sent}")
    if scale < 1:
        sides = f"{image.width} x {image.height} px"
        done.append(f"was {page.width} px wide, a side may have {limits.max_side_px}: scaled to {sides}")
    return tuple(it.piece for it in results), [*done, *how, *_smaller(page, results, limits)]


def _strip(strip: Any, page: Opened, limits: Limits) -> tuple[list[Encoded], list[str]]:
    """Its pieces, two at a time: one is saved while the next is read."""
    waiting: deque[Future[Encoded]] = deque()
    results: list[Encoded] = []
    crossing: list[int] = []
    sides = f"{strip.width} x {strip.height} px"
    with ThreadPoolExecutor(PIECES_HELD, thread_name_prefix="piece") as pool:
        for piece in slices(strip, max_rows=limits.max_side_px):
            if piece.through_content:
                crossing.append(piece.top + piece.image.height)
            waiting.append(pool.submit(_encoded_slice, piece.image, page.is_lossless, limits))
            del piece
            if len(waiting) == PIECES_HELD:
                results.append(waiting.popleft().result())
        results += [it.result() for it in waiting]
    count = f"strip of {sides}, a side may have {limits.max_side_px}: cut into {len(results)}"
    if not crossing:
        return results, [f"{count} at blank rows"]
    rows = ", ".join(str(row) for row in crossing)
    return results, [count, f"warning: there was no blank row to cut at, so it goes through the drawing at row {rows}"]


def _encoded_slice(image: Any, is_lossless: bool, limits: Limits) -> Encoded:
    return encoded(lambda: image, lossless=is_lossless, max_bytes=limits.max_file_bytes)


def _smaller(page: Opened, results: list[Encoded], limits: Limits) -> list[str]:
    allowed = f"a page may have {limits.max_file_bytes / MIB:g} MB"
    usual = "PNG" if page.is_lossless else "JPEG"
    done = []
    for number, result in enumerate(results, start=1):
        which = f"piece {number}" if len(results) > 1 else "it"
        if page.mime_type and len(results) == 1 and len(page.data) > limits.max_file_bytes:
            change = result.change or "saved again, without what was in it besides the image"
            done.append(f"had {len(page.data) / MIB:.1f} MB, {allowed}: {change}")
        elif result.change:
            done.append(f"as {usual} {which} would have {result.usual_bytes / MIB:.1f} MB, {allowed}: {result.change}")
    if any(it.on_white for it in results):
        done.append("what was transparent is white now, since JPEG has no transparency")
    return done
