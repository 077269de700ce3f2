"""Pages that the service would refuse become ones that it takes. What was done, and why, is said in words.

A page that needs nothing stays the bytes that it is. Others lose what is in them besides the image, such as the
position of the camera; the colour profile stays.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

from mangadex_uploader.chapter import MIB
from mangadex_uploader.converting import Opened, open_page
from mangadex_uploader.damage import libvips
from mangadex_uploader.image_kinds import GIF, JPEG
from mangadex_uploader.images import NAMES, BadImage, checked, undecodable
from mangadex_uploader.page_room import PageRoom
from mangadex_uploader.shrinking import QUALITIES, Fresh, Piece, Saving, encoded, scaled
from mangadex_uploader.strips import slices

Keep = Callable[[Piece], None]
"""Takes a file to send."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the service takes (contract 4.6); the pixels are those of `checking.Limits`."""

    max_side_px: int = 10_000
    max_file_bytes: int = 20 * MIB
    max_pixels: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Told:
    """What was done to a page, and why, and what of it somebody should look at; in words."""

    done: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()


LIMITS = Limits()
ROOM = PageRoom()
LARGE_PIECE_BYTES = 128 << 20  # is saved before the next is read
PIECES_AT_ONCE = 2  # one is saved while the next is read


def prepare(data: bytes, keep: Keep, limits: Limits = LIMITS) -> Told:
    """Make of one page what the service takes. A page that needs nothing is not decoded, and nothing is told of it.

    Args:
        data: the page.
        keep: is called with each file to send, in reading order, as soon as it is made, in this thread.
        limits: what the service takes.

    Raises:
        BadImage: it is no image, is damaged, or nothing can be made of it that the service takes; what was kept of the
            page is to be forgotten.
    """
    try:
        page = open_page(data, max_pixels=limits.max_pixels)
        if page.mime_type and max(page.width, page.height) <= limits.max_side_px and len(data) <= limits.max_file_bytes:
            keep(Piece(data, page.mime_type, page.width, page.height))
            return Told()
        with ROOM.holding(_needed_bytes(page, limits)):
            doubts = _doubts(page)
            told = _animation(page, keep, limits) if page.frames > 1 else _still(page, keep, limits)
    except libvips().Error as error:
        raise undecodable(error) from error
    return Told((*told.done, *page.notes), (*told.doubts, *doubts))


def _needed_bytes(page: Opened, limits: Limits) -> int:
    """At most, of its samples; most decoders hold less of a page that is no strip."""
    rows = min(page.height * page.frames, PIECES_AT_ONCE * limits.max_side_px)
    return page.width * rows * page.pixel_bytes


def _doubts(page: Opened) -> list[str]:
    """Of a page that its decoder might take though a part is missing; what is damaged is not prepared."""
    if page.mime_type not in {JPEG, GIF} and not page.is_tiff:
        return []
    doubt = checked(page.data, page.mime_type)
    return [doubt] if doubt else []


def _animation(page: Opened, keep: Keep, limits: Limits) -> Told:
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
    keep(Piece(data, GIF, page.width, page.height))
    how = f"was {page.kind}, which the service does not take: sent as GIF, of {page.frames} frames in 256 colours"
    return Told((how,))


def _allowed(limits: Limits) -> str:
    return f"where a side may have {limits.max_side_px} px and a page {limits.max_file_bytes / MIB:g} MB"


def _still(page: Opened, keep: Keep, limits: Limits) -> Told:
    scale = min(1.0, limits.max_side_px / page.width)
    fresh: Fresh = page.image if scale == 1 else lambda: scaled(page.image(), scale)
    image = fresh()
    if image.height > limits.max_side_px:
        results, cut = _strip(image, page, keep, limits)
    else:
        piece, saving = encoded(fresh, lossless=page.is_lossless, max_bytes=limits.max_file_bytes)
        keep(piece)
        results, cut = [saving], Told()
    sent = " and ".join(sorted({NAMES[it.mime_type] for it in results}))
    if page.is_lossless is False and sent == "JPEG":
        sent += f" of quality {QUALITIES[0]}"
    done = []
    if not page.mime_type:
        done.append(f"was {page.kind}, which the service does not take: sent as {sent}")
    pieces = [f"the pieces were saved as {sent}"] if page.mime_type and len(results) > 1 else []
    if scale < 1:
        sides = f"{image.width} x {image.height} px"
        done.append(f"was {page.width} px wide, a side may have {limits.max_side_px}: scaled to {sides}")
    return Told((*done, *cut.done, *pieces, *_smaller(page, results, limits)), cut.doubts)


def _strip(strip: Any, page: Opened, keep: Keep, limits: Limits) -> tuple[list[Saving], Told]:
    """Its pieces, of which two are in memory: one is saved while the next is read."""
    before: Future[tuple[Piece, Saving]] | None = None
    results: list[Saving] = []
    crossing: list[int] = []
    sides = f"{strip.width} x {strip.height} px"
    with ThreadPoolExecutor(1, thread_name_prefix="piece") as pool:
        for piece in slices(strip, max_rows=limits.max_side_px):
            if piece.through_content:
                crossing.append(piece.top + piece.image.height)
            is_large = piece.image.width * piece.image.height * page.pixel_bytes > LARGE_PIECE_BYTES
            saving = pool.submit(_encoded_slice, piece.image, page.is_lossless, limits)
            del piece
            if before:
                results.append(_kept(before, keep))
            if is_large:
                wait([saving])
            before = saving
        if before:
            results.append(_kept(before, keep))
    count = f"strip of {sides}, a side may have {limits.max_side_px}: cut into {len(results)}"
    if not crossing:
        return results, Told((f"{count} at blank rows",))
    rows = ", ".join(str(row) for row in crossing)
    doubt = f"there was no blank row to cut at, so it goes through the drawing at row {rows}"
    return results, Told((count,), (doubt,))


def _kept(saved: Future[tuple[Piece, Saving]], keep: Keep) -> Saving:
    piece, saving = saved.result()
    keep(piece)
    return saving


def _encoded_slice(image: Any, is_lossless: bool, limits: Limits) -> tuple[Piece, Saving]:
    return encoded(lambda: image, lossless=is_lossless, max_bytes=limits.max_file_bytes)


def _smaller(page: Opened, results: list[Saving], limits: Limits) -> list[str]:
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
