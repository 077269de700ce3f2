"""The rows of a strip as they are read: which are blank, and how busy the others are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from mangadex_uploader.damage import libvips

CHUNK_ROWS = 16  # what libvips reads at once; more does not stay in the cache of the processor
BAND_ROWS = 512  # what is looked at at once, and so is in memory twice
GLANCE_PX = 8  # a row is looked at in so many first: most rows are seen to be drawn on
BLANK_RANGE = 10  # of 255; what JPEG leaves of a plain row
LINE_RANGE = 48  # of 255; what JPEG leaves of a line down the strip
RINGING_PX = 8  # how far from such a line JPEG leaves traces of it
EDGE_ROWS = 4  # next to a run, where the paper around it is looked for

Shade: TypeAlias = tuple[float, ...]
NO_SHADE: Shade = ()


@dataclass(frozen=True, slots=True)
class Looks:
    """Of each row whether it is blank, its colour if it is, and those of its first and last pixel.

    `limit` is how much samples of the same colour may differ.
    """

    limit: int
    blank: list[bool]
    shades: list[Shade]
    edges: list[tuple[Shade, Shade]]

    def runs(self) -> list[int]:
        """For each row 0 if it is drawn on, else the number of its run of rows in one colour."""
        runs: list[int] = []
        first: Shade = NO_SHADE
        number = 0
        for row, blank in enumerate(self.blank):
            if blank and not (row and runs[row - 1] and self._is_near(self.shades[row], first)):
                number += 1
                first = self.shades[row]
            runs.append(number if blank else 0)
        return runs

    def is_band(self, start: int, end: int) -> bool:
        """Whether the rows from `start` to before `end` are drawn across a paper of another colour."""
        around = [*self.edges[max(0, start - EDGE_ROWS) : start], *self.edges[end : end + EDGE_ROWS]]
        papers = [edge for edges in around for edge in edges]
        if start == 0 or end == len(self.blank) or not all(self._is_near(it, papers[0]) for it in papers):
            return False
        return not self._is_near(self.shades[start], papers[0])

    def _is_near(self, one: Shade, other: Shade) -> bool:
        return all(abs(a - b) <= self.limit for a, b in zip(one, other, strict=True))


class Rows:
    """The rows of a strip that were read and not taken yet."""

    def __init__(self, strip: Any) -> None:
        self._strip = strip
        self.height: int = strip.height
        self._unit = 257 if strip.format == "ushort" else 1
        self._region = libvips().Region.new(strip)  # several crops would each read from the beginning, and cannot
        self._row_bytes: int = strip.width * strip.bands * (2 if strip.format == "ushort" else 1)
        self._held = bytearray()
        self._top = 0

    @property
    def _end(self) -> int:
        return self._top + len(self._held) // self._row_bytes

    def read_to(self, row: int) -> None:
        """Hold all rows above this one."""
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

    def looks(self, first: int, last: int) -> Looks:
        """How these rows look."""
        parts = [_glanced(self._flat(*band)) for band in _bands(first, last)]
        return _joined(parts, BLANK_RANGE * self._unit)

    def beside_lines(self, first: int, last: int) -> Looks:
        """The same without the columns that are the same in all these rows, such as a border down the strip."""
        limit = BLANK_RANGE * self._unit
        most, least = self._columns(first, last, "max"), self._columns(first, last, "min")
        changing = _widest(most - least) > LINE_RANGE * self._unit
        changing = changing.rank(2 * RINGING_PX + 1, 1, 0).copy_memory()
        if changing.max() == 0:
            return Looks(limit, [False] * (last - first), [NO_SHADE] * (last - first), [])
        parts = []
        for band in _bands(first, last):
            image = self._flat(*band)
            mask = changing.replicate(1, image.height)
            parts.append(_looks(mask.ifthenelse(image, 0), mask.ifthenelse(image, 255 * self._unit), limit))
        return _joined(parts, limit)

    def busyness(self, first: int, last: int) -> list[float]:
        """How much neighbours differ along each row, and each row from those above and below."""
        image = self._flat(first, last)
        left, right = (image.crop(x, 0, image.width - 1, image.height) for x in (0, 1))
        along = _doubles(_widest((left - right).abs().project()[1]))
        upper, lower = (image.crop(0, y, image.width, image.height - 1) for y in (0, 1))
        down = _doubles(_widest((upper - lower).abs().project()[1]))
        return [row + (above + below) / 2 for row, above, below in zip(along, [0, *down], [*down, 0], strict=True)]

    def _columns(self, first: int, last: int, combine: str) -> Any:
        """The largest or smallest sample of each column, as one row."""
        found = None
        for band in _bands(first, last):
            image = self._flat(*band)
            column = libvips().Image.xyz(image.width, image.height)[0].cast("ushort")
            part = image.hist_find_indexed(column, combine=combine).crop(0, 0, image.width, 1)
            if found is not None:
                part = ((part > found) if combine == "max" else (part < found)).ifthenelse(part, found)
            found = part.copy_memory()
        return found

    def _flat(self, first: int, last: int) -> Any:
        start, end = ((row - self._top) * self._row_bytes for row in (first, last))
        with memoryview(self._held) as held:
            image = self._image(bytes(held[start:end]))
        return image.flatten(background=65_535 if image.format == "ushort" else 255) if image.hasalpha() else image

    def _image(self, rows: bytes | bytearray) -> Any:
        strip = self._strip
        image = libvips().Image.new_from_memory(
            rows, strip.width, len(rows) // self._row_bytes, strip.bands, strip.format
        )
        image = image.copy(interpretation=strip.interpretation)
        if strip.get_typeof("icc-profile-data"):
            image.set_type(libvips().GValue.blob_type, "icc-profile-data", strip.get("icc-profile-data"))
        return image


def _bands(first: int, last: int) -> Iterator[tuple[int, int]]:
    for start in range(first, last, BAND_ROWS):
        yield start, min(start + BAND_ROWS, last)


def _glanced(image: Any) -> Looks:
    """Most rows are seen at a glance to be drawn on."""
    limit = BLANK_RANGE * (257 if image.format == "ushort" else 1)
    glance = image.subsample(GLANCE_PX, 1)
    blank = _looks(glance, glance, limit).blank
    edges = _edges(image)
    if True not in blank:
        return Looks(limit, blank, [NO_SHADE] * len(blank), edges)
    start, end = blank.index(True), len(blank) - blank[::-1].index(True)
    seen = image.crop(0, start, image.width, end - start)
    found = _looks(seen, seen, limit)
    blank[start:end] = found.blank
    shades = [NO_SHADE] * start + found.shades + [NO_SHADE] * (len(blank) - end)
    return Looks(limit, blank, shades, edges)


def _looks(for_most: Any, for_least: Any, limit: int) -> Looks:
    """Of each row, from its largest and its smallest samples."""
    row_of = libvips().Image.xyz(for_most.width, for_most.height)[1].cast("ushort")
    most = for_most.hist_find_indexed(row_of, combine="max")
    least = for_least.hist_find_indexed(row_of, combine="min")
    blank = [spread <= limit for spread in _doubles(_widest(most - least))]
    return Looks(limit, blank, _shades(least), [])


def _edges(image: Any) -> list[tuple[Shade, Shade]]:
    left, right = (_shades(image.crop(x, 0, 1, image.height)) for x in (0, image.width - 1))
    return list(zip(left, right, strict=True))


def _joined(parts: Sequence[Looks], limit: int) -> Looks:
    return Looks(
        limit,
        [it for part in parts for it in part.blank],
        [it for part in parts for it in part.shades],
        [it for part in parts for it in part.edges],
    )


def _shades(image: Any) -> list[Shade]:
    """The pixels of an image with one row or one column."""
    samples = _doubles(image)
    return [tuple(samples[at : at + image.bands]) for at in range(0, len(samples), image.bands)]


def _widest(bands: Any) -> Any:
    """The largest of the bands."""
    return bands[0].bandrank(list(bands[1:]), index=bands.bands - 1) if bands.bands > 1 else bands


def _doubles(image: Any) -> list[float]:
    return list(memoryview(image.cast("double").write_to_memory()).cast("d"))
