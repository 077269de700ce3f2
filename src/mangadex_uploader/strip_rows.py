"""The rows of a strip as they are read: which are blank, and how busy the others are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from mangadex_uploader.damage import libvips

CHUNK_ROWS = 16  # what libvips reads at once; more does not stay in the cache of the processor
BAND_ROWS = 512  # what is looked at at once, and so is in memory twice
BLANK_RANGE = 10  # of 255; what JPEG leaves of a plain row
LINE_RANGE = 48  # of 255; what JPEG leaves of a line down the strip
RINGING_PX = 8  # how far from such a line JPEG leaves traces of it
EDGE_ROWS = 4  # next to a run, where the paper around it is looked for

Shade: TypeAlias = tuple[int, ...]
NO_SHADE: Shade = ()


def run_numbers(shades: Sequence[Shade]) -> list[int]:
    """For each row 0 if it is drawn on, and so has no shade, else the number of its run of rows in one colour."""
    runs: list[int] = []
    first: Shade = NO_SHADE
    number = 0
    for row, shade in enumerate(shades):
        if shade and not (row and runs[row - 1] and _is_near(shade, first)):
            number += 1
            first = shade
        runs.append(number if shade else 0)
    return runs


def blank_shade(row: bytes, bands: int) -> Shade:
    """The least samples of a row that is in one colour, as far as JPEG keeps that; none of one that is drawn on."""
    if row == row[:bands] * (len(row) // bands):
        return tuple(row[:bands])
    colours = [row[band::bands] for band in range(bands)]
    for samples in colours:
        near = bytes(range(max(0, samples[0] - BLANK_RANGE), min(255, samples[0] + BLANK_RANGE) + 1))
        if samples.translate(None, near) or max(samples) - min(samples) > BLANK_RANGE:
            return NO_SHADE
    return tuple(map(min, colours))


def _is_near(one: Shade, other: Shade) -> bool:
    return all(abs(a - b) <= BLANK_RANGE for a, b in zip(one, other, strict=True))


class Rows:
    """The rows of a strip that were read and not taken yet."""

    def __init__(self, strip: Any) -> None:
        self._strip = strip
        self.height: int = strip.height
        self._region = libvips().Region.new(strip)  # several crops would each read from the beginning, and cannot
        self._width: int = strip.width
        self._bands: int = strip.bands - strip.hasalpha()
        self._is_plain: bool = strip.format == "uchar" and not strip.hasalpha()
        self._row_bytes: int = self._width * strip.bands * (2 if strip.format == "ushort" else 1)
        self._held = bytearray()
        self._shades: dict[int, Shade] = {}
        self._top = 0

    @property
    def _end(self) -> int:
        return self._top + len(self._held) // self._row_bytes

    def read_to(self, row: int) -> None:
        """Hold all rows above this one."""
        while (start := self._end) < row:
            count = min(CHUNK_ROWS, row - start)
            self._held += self._region.fetch(0, start, self._width, count)

    def take(self, row: int) -> Any:
        """All that is held above this row."""
        size = (row - self._top) * self._row_bytes
        taken, self._held = self._held, self._held[size:]
        del taken[size:]
        self._shades = {at: shade for at, shade in self._shades.items() if at >= row}
        self._top = row
        return self._image(taken)

    def shades(self, first: int, last: int) -> list[Shade]:
        """The colours of these rows; none of a row that is drawn on."""
        for start, end in _bands(first, last):
            if not all(row in self._shades for row in range(start, end)):
                found = [blank_shade(row, self._bands) for row in self._samples(start, end)]
                self._shades.update(enumerate(found, start))
        return [self._shades[row] for row in range(first, last)]

    def is_band(self, first: int, last: int) -> bool:
        """Whether these blank rows, which have others around them, are drawn across a paper of another colour."""
        above = self._samples(max(self._top, first - EDGE_ROWS), first)
        below = self._samples(last, min(self._end, last + EDGE_ROWS))
        edges = [pixel for row in (*above, *below) for pixel in (row[: self._bands], row[-self._bands :])]
        paper, *others = map(tuple, edges)
        return all(_is_near(it, paper) for it in others) and not _is_near(self._shades[first], paper)

    def shades_beside_lines(self, first: int, last: int) -> list[Shade]:
        """The same without the columns that are the same in all these rows, such as a border down the strip."""
        most, least = self._columns(first, last, "max"), self._columns(first, last, "min")
        changing = _widest(most - least) > LINE_RANGE
        changing = changing.rank(2 * RINGING_PX + 1, 1, 0).copy_memory()
        if changing.max() == 0:
            return [NO_SHADE] * (last - first)
        one = bytes(changing.write_to_memory()).index(255)
        found = []
        for band in _bands(first, last):
            image = self._flat(*band)
            instead = image.crop(one, 0, 1, image.height).replicate(image.width, 1)
            image = changing.replicate(1, image.height).ifthenelse(image, instead)
            found += [blank_shade(row, self._bands) for row in _rows_of(image.write_to_memory(), image.height)]
        return found

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

    def _samples(self, first: int, last: int) -> Iterator[bytes]:
        """The same of each row, as bytes."""
        if not self._is_plain:
            return _rows_of(self._flat(first, last).write_to_memory(), last - first)
        start, end = ((row - self._top) * self._row_bytes for row in (first, last))
        with memoryview(self._held) as held:
            return _rows_of(held[start:end], last - first)

    def _flat(self, first: int, last: int) -> Any:
        """Of 8 bits a sample, on white."""
        start, end = ((row - self._top) * self._row_bytes for row in (first, last))
        with memoryview(self._held) as held:
            image = self._image(bytes(held[start:end]))
        image = (image >> 8).cast("uchar") if image.format == "ushort" else image
        return image.flatten(background=255) if image.hasalpha() else image

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


def _rows_of(samples: bytes | memoryview, count: int) -> Iterator[bytes]:
    rows = bytes(samples)
    size = len(rows) // count
    return (rows[at : at + size] for at in range(0, len(rows), size))


def _widest(bands: Any) -> Any:
    """The largest of the bands."""
    return bands[0].bandrank(list(bands[1:]), index=bands.bands - 1) if bands.bands > 1 else bands


def _doubles(image: Any) -> list[float]:
    return list(memoryview(image.cast("double").write_to_memory()).cast("d"))
