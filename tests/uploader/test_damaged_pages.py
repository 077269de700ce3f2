"""Pages of which a part is missing stop a chapter by name; odd ones that are whole go through and are told of."""

from __future__ import annotations

import struct
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import pyvips
from drawing import photo, pixels, same
from pages import write_folder
from PIL import Image as PillowImage
from preparation import prepared_page

from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.checking import plan_chapter
from mangadex_uploader.errors import BadPages
from mangadex_uploader.images import BadImage, inspect
from mangadex_uploader.preparing import Limits

PHOTO = photo(1, 600, 800)
STRIP = photo(2, 60, 2_600)
SMALL = Limits(max_side_px=1_000)
look = partial(inspect, max_side_px=10_000, max_pixels=200_000_000)


def by_vips(image: Any = PHOTO, **options: Any) -> bytes:
    data: bytes = image.jpegsave_buffer(Q=90, **options)
    return data


def by_pillow(image: Any = PHOTO, mode: str = "RGB", **options: Any) -> bytes:
    drawn = PillowImage.frombytes("RGB", (image.width, image.height), bytes(image.write_to_memory())).convert(mode)
    file = BytesIO()
    drawn.save(file, **{"format": "JPEG", **options})
    return file.getvalue()


def without_the_rest(data: bytes) -> bytes:
    return data[: len(data) // 3] + b"\xff\xd9"


def zeroed(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(4_000) + data[middle + 4_000 :]


def with_segment(data: bytes, marker: int, body: bytes) -> bytes:
    return data[:2] + struct.pack(">BBH", 255, marker, len(body) + 2) + body + data[2:]


def without_jfif(data: bytes) -> bytes:
    return data[:2] + data[20:]


def before(data: bytes, marker: bytes, junk: bytes) -> bytes:
    at = data.index(marker)
    return data[:at] + junk + data[at:]


def plan_of(folder: Path, *, as_is: bool = False, **pages: bytes) -> Plan:
    path = write_folder(folder / "chapter", {f"{name}.jpg": data for name, data in pages.items()})
    chapter = Chapter(path=path, manga="32d76d19-8a05-4db0-9fc2-e0b0648fe9d0", language="en", chapter="1")
    return plan_chapter(replace(chapter, as_is=as_is), now=datetime(2026, 1, 1, tzinfo=UTC))


EXIF = PillowImage.Exif()
EXIF[0x10F] = "A camera"
WHOLE = {
    "libvips": by_vips(),
    "libvips, progressive": by_vips(interlace=True),
    "libvips, restart markers": by_vips(restart_interval=4),
    "libvips, progressive, restart markers": by_vips(interlace=True, restart_interval=2),
    "libvips, optimised": by_vips(interlace=True, optimize_coding=True, trellis_quant=True, optimize_scans=True),
    "Pillow": by_pillow(quality=75),
    "Pillow, progressive": by_pillow(progressive=True),
    "Pillow, EXIF": by_pillow(exif=EXIF),
    "Pillow, a profile that is none": by_pillow(icc_profile=b"x" * 3_000),
    "Pillow, CMYK": by_pillow(mode="CMYK"),
    "Pillow, grey": by_pillow(mode="L"),
    "a profile": by_vips(PHOTO.icc_transform("p3", input_profile="srgb"), keep="all"),
    "bytes after the end": by_pillow() + b"left by an editor" * 9,
    "a second image after the end": by_pillow() + by_vips(),
    "padding before the end": by_pillow()[:-2] + bytes(5_000) + b"\xff\xd9",
    "fill bytes": before(by_pillow(), b"\xff\xdb", b"\xff\xff\xff"),
    "sides that are no whole blocks": by_vips(photo(3, 601, 799)),
    "damaged EXIF": with_segment(by_pillow(), 0xE1, b"Exif\0\0" + b"\x99" * 40),
}
ODD = {
    "zeros before a table": before(by_pillow(), b"\xff\xdb", bytes(3)),
    "letters before the scan": before(by_vips(), b"\xff\xda", b"xyz"),
    "letters before a progressive scan": before(by_vips(interlace=True), b"\xff\xda", b"xyz"),
    "a revision of JFIF that is none": by_pillow().replace(b"JFIF\0\x01\x01", b"JFIF\0\x03\x01"),
    "an Adobe transform that is none": with_segment(without_jfif(by_pillow()), 0xEE, b"Adobe\0\x64\0\0\0\0\x07"),
    "a scan that says it is progressive": by_pillow().replace(b"\x03\x11\x00\x3f\x00", b"\x03\x11\x00\x00\x00"),
}
CODED = {name: WHOLE[name] for name in list(WHOLE)[:8]}


@pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE)
def test_jpegs_of_many_writers_go_through(data: bytes) -> None:
    assert look(data).doubt == ""


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_an_odd_header_is_told_of_and_stops_nothing(tmp_path: Path, data: bytes) -> None:
    for as_is in (True, False):
        plan = plan_of(tmp_path / str(as_is), as_is=as_is, page_1=data, page_2=WHOLE["libvips"])
        [said] = plan.warnings
        assert said.startswith("page_1.jpg: its header has faults, though all of its image is there")
        assert [page.size_bytes for page in plan.pages] == [len(data), len(WHOLE["libvips"])]


@pytest.mark.parametrize("data", CODED.values(), ids=CODED)
def test_a_jpeg_whose_rest_is_missing_is_refused_though_it_ends_as_it_should(data: bytes) -> None:
    with pytest.raises(BadImage, match=r"missing|cannot be decoded"):
        look(without_the_rest(data))


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_an_odd_header_hides_nothing_that_is_missing(data: bytes) -> None:
    with pytest.raises(BadImage, match=r"missing|cannot be decoded"):
        look(without_the_rest(data))


@pytest.mark.parametrize(
    "data",
    [
        by_vips(),
        by_vips(photo(9, 400, 3_000)),
        by_vips(interlace=True),
        by_vips(restart_interval=4),
        by_pillow(),
        by_pillow(progressive=True),
    ],
)
def test_zeros_in_the_middle_of_a_jpeg_are_refused(data: bytes) -> None:
    with pytest.raises(BadImage, match=r"missing|cannot be decoded"):
        look(zeroed(data))


def test_a_flat_page_of_which_most_is_zeros_goes_through() -> None:
    flat = by_pillow(pyvips.Image.black(1_400, 2_000, bands=3), optimize=True)
    assert bytes(256) in flat
    assert look(flat).doubt == ""


def test_a_damaged_page_stops_the_chapter_by_name(tmp_path: Path) -> None:
    for as_is in (True, False):
        with pytest.raises(BadPages) as raised:
            plan_of(tmp_path / str(as_is), as_is=as_is, page_1=by_vips(), page_2=without_the_rest(by_vips()))
        [problem] = raised.value.problems
        assert problem.name == "page_2.jpg"
        assert "a part of its image is missing" in problem.problem
        assert "get the file again" in problem.problem


@pytest.mark.parametrize("options", [{}, {"interlace": True}, {"restart_interval": 1}])
def test_a_strip_of_which_half_is_missing_is_not_cut(options: dict[str, Any]) -> None:
    with pytest.raises(BadImage, match=r"missing|cannot be decoded"):
        prepared_page(without_the_rest(by_vips(STRIP, **options)), SMALL)


def test_an_odd_strip_is_cut_and_told_of() -> None:
    prepared = prepared_page(before(by_vips(STRIP), b"\xff\xdb", bytes(3)), SMALL)
    assert len(prepared.pieces) >= 3
    assert prepared.doubts[-1].startswith("its header has faults, though all of its image is there")


def first_block(gif: bytes) -> int:
    """Where the first block of the image is (GIF89a, 20 to 22), in a file with one table of colours."""
    descriptor = gif.index(b"\x2c" + bytes(4) + struct.pack("<HH", 300, 200))
    return descriptor + 11


def test_a_gif_with_a_hole_in_its_colours_is_refused() -> None:
    gif = photo(6, 300, 200).gifsave_buffer()
    assert look(gif).doubt == ""
    block = first_block(gif)
    assert gif[block] == 255
    first = block + 256
    with pytest.raises(BadImage, match=r"cannot be decoded|missing"):
        look(gif[: first + 1] + b"\xff" * gif[first] + gif[first + 1 + gif[first] :])


BROKEN_BY = {
    "half": lambda data: data[: len(data) // 2],
    "overwritten": lambda data: data[: len(data) // 2] + b"\xa5" * 99 + data[len(data) // 2 + 99 :],
}


@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({"format": "WEBP", "lossless": True}, "half"),
        ({"format": "WEBP", "quality": 80}, "half"),
        ({"format": "WEBP", "quality": 80}, "overwritten"),
        ({"format": "TIFF"}, "half"),
        ({"format": "TIFF", "compression": "tiff_adobe_deflate"}, "overwritten"),
    ],
)
def test_a_broken_page_that_would_be_converted_is_called_damaged(options: dict[str, Any], how: str) -> None:
    with pytest.raises(BadImage) as raised:
        prepared_page(BROKEN_BY[how](by_pillow(**options)))
    assert raised.value.reason.startswith("it cannot be decoded")
    assert "it is damaged" in raised.value.reason
    assert "2png" not in raised.value.reason
    assert "write" not in raised.value.reason


def test_an_avif_in_rgb_is_lossless_and_becomes_png_with_equal_pixels() -> None:
    image = photo(5, 90, 70)
    prepared = prepared_page(image.heifsave_buffer(compression="av1", lossless=True, effort=0))
    [piece] = prepared.pieces
    assert piece.mime_type == "image/png"
    assert same(pixels(piece.data), image)
    assert prepared.done == ("was AVIF (lossless), which the service does not take: sent as PNG",)
