"""A strip that is higher than a page may be becomes pieces, cut where nothing is drawn.

It is read once, from top to bottom, and what is held of it is less than two pieces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from mangadex_uploader.images import _libvips

CHUNK_ROWS = 16  # what libvips reads at once; more does not stay in the cache of the processor
GLANCE_PX = 8  # a row is looked at in so many first: most rows are seen to be drawn on
LEAST_ROWS = 400  # a lower piece is a sliver, which readers take for a fault
EASE = 0.95  # of the height that is allowed; the rest is room to move a cut into a gutter
BLANK_RANGE = 10  # of 255; what JPEG leaves of a plain row
GUTTER_ROWS = 20  # fewer may be the space between two lines of text
DETOUR_ROWS = 1_000  # that are gone to cut in a gutter instead
MARGIN_ROWS = 40  # kept between a cut and what is drawn
REACHES = (300, 1_200, 4_800)  # rows from the ideal cut that are looked at first


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a strip from `top` on; `through_content` is said of the cut at its end."""

    image: Any
    top: int
    through_content: bool = False


def slices(strip: Any, *, max_rows: int) -> Iterator[Slice]:
    """Cut a strip near equal heights, in the blank rows that are nearest.

    A cut goes through what is drawn only where all rows that a piece may end with are drawn on.

    Args:
        strip: of 8 or 16 bits a sample; may be opened for sequential reading.
        max_rows: that a piece may have.

    Raises:
        pyvips.Error: the strip cannot be decoded.
    """
    rows = _Rows(strip)
    least = min(LEAST_ROWS, max_rows // 4)
    top, height = 0, strip.height
    while height - top > max_rows:
        last = min(top + max_rows, height - least)
        count = ceil((height - top) / (max_rows * EASE))
        at, through_content = _cut(rows, top + least, last, top + (height - top) // count)
        yield Slice(rows.take(at), top, through_content)
        top = at
    rows.read_to(height)
    yield Slice(rows.take(height), top)


def best_blank(is_blank: Sequence[bool], ideal: int) -> tuple[int, int] | None:
    """The place to cut in the run of blank rows that is nearest, and how far it is; a thin run counts as farther."""
    found = []
    start = 0
    for blank, run in groupby(is_blank):
        end = start + len(list(run))
        if blank:
            margin = min((end - start) // 2, MARGIN_ROWS)
            at = min(max(ideal, start + margin), end - margin)
            detour = DETOUR_ROWS if end - start < GUTTER_ROWS else 0
            found.append((abs(at - ideal) + detour, at))
        start = end
    return (min(found)[1], min(found)[0]) if found else None


def _cut(rows: _Rows, first: int, last: int, ideal: int) -> tuple[int, bool]:
    """The row that begins the next piece, and whether the cut goes through what is drawn."""
    ideal = min(max(ideal, first), last)
    for reach in (*REACHES, last - first):
        start, end = max(first, ideal - reach), min(last, ideal + reach)
        rows.read_to(end)
        best = best_blank(rows.are_blank(start, end), ideal - start)
        if best is not None and (best[1] <= reach or end - start == last - first):
            return start + best[0], False
    busyness = rows.busyness(first, last)
    return first + min(range(last - first), key=lambda row: (busyness[row], abs(first + row - ideal))), True


class _Rows:
    """The rows of a strip that were read and not taken yet."""

    def __init__(self, strip: Any) -> None:
        self._strip = strip
        self._region = _libvips().Region.new(strip)  # several crops would each read from the beginning, and cannot
        self._row_bytes: int = strip.width * strip.bands * (2 if strip.format == "ushort" else 1)
        self._held = bytearray()
        self._top = 0

    @property
    def _end(self) -> int:
        return self._top + len(self._held) // self._row_bytes

    def read_to(self, row: int) -> None:
        while (start := self._end) < row:
            count = min(CHUNK_ROWS, row - start)
            self._held += self._region.fetch(0, start, self._strip.width, count)

    def take(self, row: int) -> Any:
        """All that is held above this row."""
        size = (row - self._top) * self._row_bytes
        taken, self._held = self._held, self._held[size:]
        del taken[size:]
        self._top = row
        return self._image(taken)

    def are_blank(self, first: int, last: int) -> list[bool]:
        """Whether all pixels of a row are nearly the same."""
        image = self._flat(first, last)
        blank = _blank_rows(image.subsample(GLANCE_PX, 1))
        if True not in blank:
            return blank
        start, end = blank.index(True), len(blank) - blank[::-1].index(True)
        blank[start:end] = _blank_rows(image.crop(0, start, image.width, end - start))
        return blank

    def busyness(self, first: int, last: int) -> list[float]:
        """How much neighbours differ along each row."""
        image = self._flat(first, last)
        left, right = (image.crop(x, 0, image.width - 1, image.height) for x in (0, 1))
        return _doubles(_widest((left - right).abs().project()[1]))

    def _flat(self, first: int, last: int) -> Any:
        start, end = ((row - self._top) * self._row_bytes for row in (first, last))
        with memoryview(self._held) as held:
            image = self._image(bytes(held[start:end]))
        return image.flatten(background=65_535 if image.format == "ushort" else 255) if image.hasalpha() else image

    def _image(self, rows: bytes | bytearray) -> Any:
        strip = self._strip
        image = _libvips().Image.new_from_memory(
            rows, strip.width, len(rows) // self._row_bytes, strip.bands, strip.format
        )
        image = image.copy(interpretation=strip.interpretation)
        if strip.get_typeof("icc-profile-data"):
            image.set_type(_libvips().GValue.blob_type, "icc-profile-data", strip.get("icc-profile-data"))
        return image


def _blank_rows(image: Any) -> list[bool]:
    row_of = _libvips().Image.xyz(image.width, image.height)[1].cast("ushort")
    most, least = (image.hist_find_indexed(row_of, combine=it) for it in ("max", "min"))
    limit = BLANK_RANGE * (257 if image.format == "ushort" else 1)
    return [spread <= limit for spread in _doubles(_widest(most - least))]


def _widest(bands: Any) -> Any:
    """The largest of the bands."""
    return bands[0].bandrank(list(bands[1:]), index=bands.bands - 1) if bands.bands > 1 else bands


def _doubles(image: Any) -> list[float]:
    return list(memoryview(image.cast("double").write_to_memory()).cast("d"))
