"""Draws manga pages for tests and the demo: panels, bubbles, screentone, and a number to read the order by.

The shading of one band is noise, whose height makes the file about as large as asked. The same arguments give the same
bytes.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pyvips

Kind: TypeAlias = Literal["png", "jpeg", "gif"]

SUFFIXES: dict[Kind, str] = {"png": ".png", "jpeg": ".jpg", "gif": ".gif"}
SAVERS: dict[Kind, str] = {
    "png": ".png[compression=1,filter=none]",
    "jpeg": ".jpg[Q=92]",
    "gif": ".gif[effort=1,dither=0]",
}
SMALLEST_PX = 64  # below it there is no room to draw
INK, PAPER, GREY = 20, 255, 128
SIGMA = 36
SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
PLACES = {
    "a": (0, 0, 4, 1),
    "b": (3, 0, 1, 4),
    "c": (3, 3, 1, 4),
    "d": (0, 6, 4, 1),
    "e": (0, 3, 1, 4),
    "f": (0, 0, 1, 4),
    "g": (0, 3, 4, 1),
}


def draw(
    number: int = 1, *, width: int = 1400, height: int = 2000, kind: Kind = "png", size_bytes: int | None = None
) -> bytes:
    """One page, within about a tenth of `size_bytes`.

    Raises:
        ValueError: pages of these sides are smaller or larger.
    """
    if min(width, height) < SMALLEST_PX:
        return _saved(_noise(number, width, height), kind)
    page = _line_art(number, width, height)
    if size_bytes is None:
        return _saved(page, kind)
    least, most = _range(width, height, kind)
    rows = round(height * (size_bytes - least) / (most - least))
    if not 0 <= rows <= height:
        raise ValueError(f"a {kind} of {width} x {height} px has {least} to {most} bytes")
    shading = _noise(0, width, height).wrap(x=number * 37 % width)
    return _saved(_shaded(page, shading, rows), kind)


def draw_animation(frames: int = 3, *, width: int = 80, height: int = 60) -> bytes:
    """A GIF of several frames."""
    strip = pyvips.Image.arrayjoin([_noise(number, width, height) for number in range(frames)], across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", height)
    data: bytes = strip.gifsave_buffer(effort=1)
    return data


def draw_as(suffix: str, *, width: int = 80, height: int = 60) -> bytes:
    """In any form that libvips writes, such as `.webp` or `.png[interlace]`."""
    data: bytes = _noise(1, width, height).write_to_buffer(suffix)
    return data


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A folder with these files, by their names inside it."""
    for name, data in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return folder


def write_archive(path: Path, files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An archive with these files, in this order."""
    with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def draw_chapter(
    count: int,
    *,
    kinds: Iterable[Kind] = ("png",),
    size_bytes: int | None = None,
    width: int = 1400,
    height: int = 2000,
) -> dict[str, bytes]:
    """Pages by names in reading order; the kinds take turns."""
    turns = list(kinds)
    files = {}
    for number in range(1, count + 1):
        kind = turns[number % len(turns)]
        data = draw(number, width=width, height=height, kind=kind, size_bytes=size_bytes)
        files[f"{number:03d}{SUFFIXES[kind]}"] = data
    return files


def _line_art(number: int, width: int, height: int) -> Any:
    art = _art(width, height)
    figure = _figure(number).zoom(scale := max(1, width // 120), scale)
    return art.insert(figure, width // 30, width // 30)


@cache
def _art(width: int, height: int) -> Any:
    """What all pages of a size have in common."""
    gap = max(4, width // 60)
    page = pyvips.Image.black(width, height) + PAPER
    tone = pyvips.Image.sines(width, height, hfreq=width / 16, vfreq=height / 16) > 0.3
    page = page.cast("uchar")
    for left, top, panel_width, panel_height in _panels(width, height, gap):
        panel = (pyvips.Image.black(panel_width, panel_height) + PAPER).cast("uchar")
        panel = panel.insert(tone.crop(left, top, panel_width, panel_height // 8).ifthenelse(GREY, PAPER), 0, 0)
        panel = panel.draw_line(INK, 0, 0, panel_width // 2, panel_height - 1)
        panel = panel.draw_line(INK, panel_width - 1, 0, panel_width // 2, panel_height - 1)
        middle = (panel_width // 2, panel_height // 2, min(panel_width, panel_height) // 4)
        panel = panel.draw_circle(PAPER, *middle, fill=True).draw_circle(INK, *middle, fill=False)
        panel = panel.draw_rect(INK, 0, 0, panel_width, panel_height, fill=False)
        page = page.insert(panel, left, top)
    return page.copy_memory()


def _panels(width: int, height: int, gap: int) -> list[tuple[int, int, int, int]]:
    """Left, top, width, height: one across the page, two below it, one across."""
    row = (height - 4 * gap) // 3
    half = (width - 3 * gap) // 2
    rows = [gap + number * (row + gap) for number in range(3)]
    return [
        (gap, rows[0], width - 2 * gap, row),
        (gap, rows[1], half, row),
        (2 * gap + half, rows[1], half, row),
        (gap, rows[2], width - 2 * gap, row),
    ]


def _figure(number: int) -> Any:
    digits = str(number)
    figure = (pyvips.Image.black(5 * len(digits) + 1, 9) + PAPER).cast("uchar")
    for place, digit in enumerate(digits):
        for segment in SEGMENTS[int(digit)]:
            left, top, width, height = PLACES[segment]
            figure = figure.draw_rect(INK, 5 * place + 1 + left, 1 + top, width, height, fill=True)
    return figure


@cache
def _range(width: int, height: int, kind: Kind) -> tuple[int, int]:
    """Bytes without shading, and shaded all over."""
    return len(_saved(_line_art(1, width, height), kind)), len(_saved(_noise(0, width, height), kind))


@cache
def _noise(number: int, width: int, height: int) -> Any:
    return pyvips.Image.gaussnoise(width, height, mean=GREY, sigma=SIGMA, seed=number).cast("uchar").copy_memory()


def _shaded(page: Any, noise: Any, rows: int) -> Any:
    return page.insert(noise.crop(0, 0, noise.width, rows), 0, page.height - rows) if rows else page


def _saved(page: Any, kind: Kind) -> bytes:
    data: bytes = page.copy(interpretation="b-w").write_to_buffer(SAVERS[kind])
    return data
