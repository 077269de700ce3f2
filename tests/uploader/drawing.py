"""Draws strips whose panels and gutters are known, and other images that nobody else draws. Same seed, same pixels."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import pyvips

PAPERS = ((255, 255, 255), (0, 0, 0), (246, 240, 225))
FRAME = (128, 20, 60)  # differs from every paper
FRAME_PX = 2
GREY, SIGMA = 128, 50
NOISE_SCALE = 16


@dataclass(frozen=True, slots=True)
class Strip:
    """The drawing, and the rows of its panels: from the first up to but not including the last."""

    image: Any
    panels: tuple[tuple[int, int], ...]

    def is_ink(self, row: int) -> bool:
        return any(first <= row < end for first, end in self.panels)


def strip(
    seed: int,
    *,
    width: int = 64,
    height: int = 5_000,
    panel_rows: tuple[int, int] = (80, 600),
    gutter_rows: tuple[int, int] = (1, 120),
    grain: float = 0,
) -> Strip:
    """Panels of random ink in a frame, so that each of their rows is drawn on, with plain paper between.

    `grain` is the strength of the noise on the panels: the more, the larger the file.
    """
    dice = random.Random(seed)
    paper = dice.choice(PAPERS)
    parts, panels, row = [], [], 0
    while row < height:
        rows = dice.randint(*gutter_rows)
        parts.append(_plain(width, rows, paper))
        row += rows
        rows = dice.randint(*panel_rows)
        parts.append(_panel(dice, width, rows, paper, grain))
        panels.append((row, row + rows))
        row += rows
    whole = _stacked(parts).crop(0, 0, width, height)
    return Strip(whole, tuple((first, min(end, height)) for first, end in panels if first < height))


def noise(seed: int, width: int, height: int, bands: int = 3) -> Any:
    """What no format makes much smaller."""
    dice = random.Random(seed)
    pixels = dice.randbytes(width * height * bands)
    image = pyvips.Image.new_from_memory(pixels, width, height, bands, "uchar")
    return image.copy(interpretation="srgb" if bands >= 3 else "b-w")


def photo(seed: int, width: int, height: int, bands: int = 3) -> Any:
    """Soft shapes: what lossy formats are made for."""
    small = noise(seed, width // 16 + 2, height // 16 + 2, bands)
    return small.resize(16, kernel="cubic").crop(0, 0, width, height).copy_memory()


def pixels(data: bytes) -> Any:
    """The image of a file, decoded."""
    return pyvips.Image.new_from_buffer(data, "").copy_memory()


def same(one: Any, other: Any) -> bool:
    """Whether all pixels are equal."""
    if (one.width, one.height, one.bands) != (other.width, other.height, other.bands):
        return False
    return bool((one != other).max() == 0)


def stacked(files: list[bytes]) -> Any:
    """Images below one another."""
    return _stacked([pixels(data) for data in files])


def _plain(width: int, rows: int, colour: tuple[int, ...]) -> Any:
    return (pyvips.Image.black(width, rows) + list(colour)).cast("uchar").copy(interpretation="srgb")


def _panel(dice: random.Random, width: int, rows: int, paper: tuple[int, ...], grain: float) -> Any:
    tint = [dice.uniform(0.4, 1) for _ in range(3)]
    soft = pyvips.Image.gaussnoise(
        width // NOISE_SCALE + 1, rows // NOISE_SCALE + 1, mean=GREY, sigma=SIGMA, seed=dice.randrange(1 << 30)
    ).resize(NOISE_SCALE, kernel="linear")
    shades = (soft.crop(0, 0, width, rows) / 32).floor() * 32  # flat areas with edges, as in most webtoons
    if grain:
        shades += pyvips.Image.gaussnoise(width, rows, mean=0, sigma=grain, seed=dice.randrange(1 << 30))
    panel = (shades * tint).cast("uchar").copy(interpretation="srgb").copy_memory()
    for _ in range(rows // 60):
        ends = [dice.randrange(width), dice.randrange(rows), dice.randrange(width), dice.randrange(rows)]
        panel = panel.draw_line([20, 20, 20], *ends)
    for x in (0, width - FRAME_PX):
        panel = panel.draw_rect(list(FRAME), x, 0, FRAME_PX, rows, fill=True)
    margin = dice.randint(1, width // 8)
    inner = panel.crop(0, 0, width - margin, rows)
    return _plain(width, rows, paper).insert(inner, margin // 2, 0).copy_memory()


def _stacked(parts: list[Any]) -> Any:
    while len(parts) > 1:
        parts = [
            parts[at].join(parts[at + 1], "vertical") if at + 1 < len(parts) else parts[at]
            for at in range(0, len(parts), 2)
        ]
    return parts[0].copy_memory()
