"""A strip that is higher than a page may be becomes pieces, cut where nothing is drawn.

It is read once, from top to bottom, and what is held of it is less than two pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil
from typing import Any

from mangadex_uploader.strip_rows import Rows, run_numbers

LEAST_ROWS = 400  # a lower piece is a sliver, which readers take for a fault
EASE = 0.95  # of the height that is allowed; the rest is room to move a cut into a gutter
GUTTER_ROWS = 20  # fewer may be the space between two lines of text
DETOUR_ROWS = 1_000  # that are gone to cut in a gutter instead
MARGIN_ROWS = 40  # kept between a cut and what is drawn
NEAR_PART = 16  # of the height that is allowed: how far a cut through what is drawn may be from equal heights
REACHES = (300, 1_200, 4_800)  # rows from the ideal cut that are looked at first


IsBand = Callable[[int, int], bool]


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a strip from `top` on; `through_content` is said of the cut at its end."""

    image: Any
    top: int
    through_content: bool = False


def slices(strip: Any, *, max_rows: int) -> Iterator[Slice]:
    """Cut a strip near equal heights, in the blank rows that are nearest.

    A cut goes through what is drawn only where all rows that a piece may end with are drawn on; then there are as few
    pieces as there can be.

    Args:
        strip: of 8 or 16 bits a sample; may be opened for sequential reading.
        max_rows: that a piece may have.

    Raises:
        pyvips.Error: the strip cannot be decoded.
    """
    rows = Rows(strip)
    least = min(LEAST_ROWS, max_rows // 4)
    top, height = 0, strip.height
    while height - top > max_rows:
        last = min(top + max_rows, height - least)
        count = ceil((height - top) / (max_rows * EASE))
        at = _blank_cut(rows, top + least, last, top + (height - top) // count)
        through_content = at is None
        if at is None:
            at = _quiet_cut(rows, top, max_rows)
        yield Slice(rows.take(at), top, through_content)
        top = at
    rows.read_to(height)
    yield Slice(rows.take(height), top)


def best_blank(rows: Sequence[int], ideal: int, is_band: IsBand | None = None) -> tuple[int, int] | None:
    """The place to cut in the run of blank rows that is nearest, and how far it is; some runs count as farther.

    Args:
        rows: 0 for one that is drawn on; rows next to each other with the same other number are a run.
        ideal: the place that is sought.
        is_band: whether the rows from the first to before the second are drawn across a paper of another colour.
    """
    found = []
    start = 0
    for blank, run in groupby(rows):
        end = start + len(list(run))
        if blank:
            margin = min((end - start) // 2, MARGIN_ROWS)
            at = min(max(ideal, start + margin), end - margin)
            is_thin = end - start < GUTTER_ROWS
            crosses = is_band is not None and is_band(start, end)
            if not (is_thin and crosses):
                found.append((abs(at - ideal) + (DETOUR_ROWS if is_thin or crosses else 0), at))
        start = end
    return (min(found)[1], min(found)[0]) if found else None


def _blank_cut(rows: Rows, first: int, last: int, ideal: int) -> int | None:
    """The row that begins the next piece, if what is above it is blank."""
    ideal = min(max(ideal, first), last)
    for reach in (*REACHES, last - first):
        start, end = max(first, ideal - reach), min(last, ideal + reach)
        rows.read_to(end)

        def is_band(above: int, below: int, start: int = start, end: int = end) -> bool:
            return above > 0 and below < end - start and rows.is_band(start + above, start + below)

        best = best_blank(run_numbers(rows.shades(start, end)), ideal - start, is_band)
        if best is not None and (best[1] <= reach or end - start == last - first):
            return start + best[0]
    runs = run_numbers(rows.shades_beside_lines(first, last))
    best = best_blank([run if count >= GUTTER_ROWS else 0 for run, count in _counted(runs)], ideal - first)
    return None if best is None else first + best[0]


def _counted(runs: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Each row's run, and how many rows that has."""
    for run, members in groupby(runs):
        count = len(list(members))
        yield from ((run, count) for _ in range(count))


def _quiet_cut(rows: Rows, top: int, max_rows: int) -> int:
    """The least busy row near that which leaves equal heights, and as few pieces as there can be."""
    left = rows.height - top
    count = ceil(left / max_rows)
    ideal, near = top + left // count, max_rows // NEAR_PART
    first = max(ideal - near, top + left - (count - 1) * max_rows)
    last = min(ideal + near, top + max_rows)
    if first == last:
        return last
    rows.read_to(last)
    busyness = rows.busyness(first, last)
    return first + min(range(last - first), key=lambda row: (busyness[row], abs(first + row - ideal)))
