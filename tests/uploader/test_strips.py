"""Strips are cut between panels, and nothing of them is lost."""

from __future__ import annotations

from typing import Any

import pytest
import pyvips
from drawing import Strip, noise, photo, pixels, same, stacked, strip
from preparation import prepared_page

from mangadex_uploader.images import inspect
from mangadex_uploader.preparing import Limits
from mangadex_uploader.shrinking import Piece
from mangadex_uploader.strips import best_blank

LIMITS = Limits(max_side_px=1_000)
LEAST = 250  # a quarter of the side, where that is less than 400


def cuts(pieces: tuple[Piece, ...]) -> list[int]:
    """The row that each piece but the first begins with."""
    rows, row = [], 0
    for piece in pieces[:-1]:
        row += piece.height
        rows.append(row)
    return rows


def goes_through_ink(drawn: Strip, row: int) -> bool:
    return any(first < row < end for first, end in drawn.panels)


def has_blank_in_reach(drawn: Strip, top: int) -> bool:
    """Whether a piece that begins at `top` could end at a blank row and leave no sliver."""
    last = min(top + LIMITS.max_side_px, drawn.image.height - LEAST)
    return any(not drawn.is_ink(row) for row in range(top + LEAST, last))


@pytest.mark.parametrize("seed", range(120))
def test_no_cut_crosses_ink_where_a_blank_row_is_in_reach(seed: int) -> None:
    panel_rows = (80, 600) if seed % 3 else (500, 2_500)  # of the latter some leave no choice
    drawn = strip(seed, height=2_000 + 61 * seed, panel_rows=panel_rows)
    prepared = prepared_page(drawn.image.pngsave_buffer(compression=1), LIMITS)
    assert same(stacked([piece.data for piece in prepared.pieces]), drawn.image)
    assert all(LEAST <= piece.height <= 1_000 for piece in prepared.pieces)
    rows = cuts(prepared.pieces)
    crossing = [row for row in rows if goes_through_ink(drawn, row)]
    for top, row in zip([0, *rows], rows, strict=False):
        assert row not in crossing or not has_blank_in_reach(drawn, top)
    there_is_none = "there was no blank row to cut at, so it goes through the drawing at row "
    assert prepared.doubts == ((there_is_none + ", ".join(map(str, crossing)),) if crossing else ())


def test_the_strips_of_these_tests_leave_a_choice_and_leave_none() -> None:
    drawn = [strip(seed, height=2_000 + 61 * seed, panel_rows=(500, 2_500)) for seed in (3, 30, 60, 90)]
    found = [prepared_page(one.image.pngsave_buffer(compression=1), LIMITS) for one in drawn]
    crossing = [goes_through_ink(one, row) for one, it in zip(drawn, found, strict=True) for row in cuts(it.pieces)]
    assert True in crossing
    assert False in crossing


def test_a_strip_of_130_000_rows_has_fourteen_pieces_of_about_equal_height() -> None:
    drawn = strip(7, width=16, height=130_000, panel_rows=(300, 900), gutter_rows=(40, 200))
    prepared = prepared_page(drawn.image.pngsave_buffer(compression=1))
    assert len(prepared.pieces) == 14
    assert all(8_000 < piece.height <= 10_000 for piece in prepared.pieces)
    assert same(stacked([piece.data for piece in prepared.pieces]), drawn.image)
    for piece in prepared.pieces:
        image = inspect(piece.data, max_side_px=10_000, max_pixels=200_000_000)
        assert (image.mime_type, image.width, image.height) == (piece.mime_type, piece.width, piece.height)
    assert prepared.done[0] == "strip of 16 x 130000 px, a side may have 10000: cut into 14 at blank rows"


@pytest.mark.parametrize("suffix", [".jpg[Q=90]", ".jpg[Q=90,interlace]", ".png[interlace]", ".webp[lossless]"])
def test_strips_of_other_kinds_are_cut_between_panels(suffix: str) -> None:
    drawn = strip(4, width=80, height=6_000, panel_rows=(100, 500), gutter_rows=(40, 120))
    prepared = prepared_page(drawn.image.write_to_buffer(suffix), LIMITS)
    assert not [row for row in cuts(prepared.pieces) if goes_through_ink(drawn, row)]
    assert sum(piece.height for piece in prepared.pieces) == 6_000
    is_jpeg = suffix.startswith(".jpg")
    assert {piece.mime_type for piece in prepared.pieces} == {"image/jpeg" if is_jpeg else "image/png"}
    whole = stacked([piece.data for piece in prepared.pieces])
    assert (whole.cast("short") - drawn.image).abs().avg() < (6 if is_jpeg else 0.001)


def test_without_a_blank_row_the_quietest_is_cut_at_and_said() -> None:
    ink = noise(1, 60, 1_500)
    calm = ink.draw_rect([90, 90, 90], 2, 700, 58, 3, fill=True)  # not all of the row
    prepared = prepared_page(calm.pngsave_buffer(), LIMITS)
    assert [piece.height for piece in prepared.pieces] in ([700, 800], [701, 799], [702, 798])
    assert "goes through the drawing" in prepared.doubts[0]


def test_a_strip_of_16_bits_and_transparency_stays_one() -> None:
    drawn = strip(9, height=2_500).image.bandjoin(255).colourspace("rgb16")
    data = drawn.pngsave_buffer(bitdepth=16)
    prepared = prepared_page(data, LIMITS)
    assert pixels(prepared.pieces[0].data).format == "ushort"
    assert same(stacked([piece.data for piece in prepared.pieces]), pixels(data))
    assert "at blank rows" in prepared.done[0]


@pytest.mark.parametrize(
    ("runs", "ideal", "found"),
    [
        ("ink 10", 5, None),
        ("ink 500, blank 200, ink 500", 600, (600, 0)),
        ("ink 500, blank 200, ink 500", 510, (540, 30)),
        ("ink 500, blank 200, ink 500", 900, (660, 240)),
        ("ink 500, blank 6, ink 494, blank 100, ink 9", 503, (1_040, 537)),
        ("ink 500, blank 6, ink 2000, blank 100, ink 9", 503, (503, 1_000)),
        ("blank 30, ink 100", 90, (15, 75)),
    ],
)
def test_a_gutter_is_preferred_to_the_space_between_two_lines(
    runs: str, ideal: int, found: tuple[int, int] | None
) -> None:
    rows = [kind == "blank" for run in runs.split(", ") for kind, count in [run.split()] for _ in range(int(count))]
    assert best_blank(rows, ideal) == found


def plain(width: int, height: int, colour: tuple[int, ...] = (255, 255, 255)) -> Any:
    return (pyvips.Image.black(width, height) + list(colour)).cast("uchar").copy(interpretation="srgb")


def cut(image: Any, limits: Limits = LIMITS, suffix: str = ".png[compression=1]") -> tuple[list[int], tuple[str, ...]]:
    """Where, and what was told."""
    prepared = prepared_page(image.write_to_buffer(suffix), limits)
    return cuts(prepared.pieces), prepared.done + prepared.doubts


@pytest.mark.parametrize(("height", "count"), [(1_010, 2), (1_300, 2), (1_990, 2), (2_400, 3), (2_990, 3), (5_000, 5)])
def test_without_blank_rows_there_are_as_few_cuts_as_do_and_equal_heights(height: int, count: int) -> None:
    rows, told = cut(photo(3, 80, height))
    heights = [end - top for top, end in zip([0, *rows], [*rows, height], strict=True)]
    assert len(heights) == count
    assert all(abs(it - height / count) <= 130 for it in heights)
    assert max(heights) <= 1_000
    assert "goes through the drawing" in told[-1]


def with_a_band(rows: int) -> Any:
    """Lines that lean, on white up to both sides, and a black band across all of them."""
    image = plain(100, 1_600)
    for y in range(0, 1_600, 12):
        image = image.draw_line([0, 0, 0], 12, y, 88, y + 12).draw_line([0, 0, 0], 88, y, 12, y + 12)
    return image.draw_rect([0, 0, 0], 0, 796, 100, rows, fill=True).copy_memory()


def test_a_line_across_the_drawing_is_no_blank_row() -> None:
    _, told = cut(with_a_band(9))
    assert "goes through the drawing" in told[-1]


def test_a_gutter_is_preferred_to_a_nearer_band_across_the_drawing() -> None:
    image = with_a_band(30).draw_rect([255, 255, 255], 0, 620, 100, 60, fill=True)
    [row], told = cut(image)
    assert 620 < row < 680
    assert "at blank rows" in told[0]


def test_a_gutter_between_panels_without_margins_is_blank() -> None:
    image = noise(1, 60, 1_600).draw_rect([255, 255, 255], 0, 700, 60, 10, fill=True)
    [row], told = cut(image)
    assert 700 < row < 710
    assert "at blank rows" in told[0]


@pytest.mark.parametrize(
    ("left", "columns", "grey", "suffix"),
    [
        (0, 8, 0, ".png[compression=1]"),
        (92, 8, 0, ".png[compression=1]"),
        (90, 1, 180, ".png[compression=1]"),
        (0, 8, 0, ".jpg[Q=80]"),
        (92, 8, 0, ".jpg[Q=80]"),
    ],
)
def test_a_line_down_the_whole_strip_does_not_hide_the_gutters(suffix: str, left: int, columns: int, grey: int) -> None:
    drawn = strip(6, width=100, height=2_700, panel_rows=(150, 400), gutter_rows=(40, 80))
    lined = drawn.image.draw_rect([grey, grey, grey], left, 0, columns, drawn.image.height, fill=True).copy_memory()
    rows, told = cut(lined, suffix=suffix)
    assert not [row for row in rows if goes_through_ink(drawn, row)]
    assert "at blank rows" in told[0]
