"""Looking at files without decoding them, on real images made by libvips and on any bytes."""

from __future__ import annotations

import mmap
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st

from mangadex_server.errors import Invalid
from mangadex_server.images import EXTENSIONS, ImageInfo, inspect
from mangadex_server.settings import ImageFormat

ALL: tuple[ImageFormat, ...] = ("jpeg", "png", "gif", "webp", "avif")
DEFAULT: tuple[ImageFormat, ...] = ("jpeg", "png", "gif")
WIDTH, HEIGHT = 70, 30


def picture(width: int = WIDTH, height: int = HEIGHT) -> Any:
    noise = pyvips.Image.gaussnoise(width, height, mean=128, sigma=40, seed=7)
    return noise.bandjoin([noise, noise]).cast("uchar").copy(interpretation="srgb")


def animated_gif() -> bytes:
    frames = [(picture() + 10 * number).cast("uchar") for number in range(4)]
    joined = pyvips.Image.arrayjoin(frames, across=1).copy()
    joined.set_type(pyvips.GValue.gint_type, "page-height", HEIGHT)
    data: bytes = joined.gifsave_buffer()
    return data


def as_file(options: str) -> Callable[[], bytes]:
    return lambda: picture().write_to_buffer(options)


MADE: dict[str, tuple[ImageFormat, Callable[[], bytes]]] = {
    "jpeg": ("jpeg", as_file(".jpg")),
    "progressive": ("jpeg", as_file(".jpg[interlace]")),
    "png": ("png", as_file(".png")),
    "interlaced": ("png", as_file(".png[interlace]")),
    "gif": ("gif", as_file(".gif")),
    "animated": ("gif", animated_gif),
    "webp": ("webp", as_file(".webp")),
    "lossless webp": ("webp", as_file(".webp[lossless]")),
    "extended webp": ("webp", lambda: picture().bandjoin(200).webpsave_buffer()),
    "avif": ("avif", as_file(".avif")),
}


def seen(data: bytes | memoryview, formats: tuple[ImageFormat, ...] = ALL, max_side_px: int = 10_000) -> ImageInfo:
    return inspect(data, formats=formats, max_side_px=max_side_px)


def refusal(data: bytes | memoryview, formats: tuple[ImageFormat, ...] = DEFAULT, max_side_px: int = 10_000) -> str:
    with pytest.raises(Invalid) as refused:
        seen(data, formats, max_side_px)
    return refused.value.detail


@pytest.mark.parametrize("name", MADE)
def test_real_images(name: str) -> None:
    kind, make = MADE[name]
    expected = ImageInfo(kind, f"image/{kind}", WIDTH, HEIGHT, EXTENSIONS[kind])
    assert seen(make()) == expected
    assert seen(memoryview(make())) == expected


@pytest.mark.parametrize("name", MADE)
def test_cut_off_anywhere(name: str) -> None:
    data = MADE[name][1]()
    for length in range(len(data)):
        with pytest.raises(Invalid):
            seen(data[:length])


@pytest.mark.parametrize("name", MADE)
def test_cut_off_at_the_end_says_so(name: str) -> None:
    assert "is cut off" in refusal(MADE[name][1]()[:-1], ALL)


@pytest.mark.parametrize("name", MADE)
def test_some_padding_at_the_end_is_tolerated(name: str) -> None:
    assert seen(MADE[name][1]() + bytes(1_000)).width == WIDTH


@pytest.mark.parametrize("name", ["jpeg", "png"])
def test_some_junk_at_the_end_is_tolerated_and_much_is_not(name: str) -> None:
    data = MADE[name][1]()
    assert seen(data + b"camera" * 100).width == WIDTH
    assert "is cut off" in refusal(data + b"archive" * 10_000)


def test_the_end_of_an_embedded_preview_is_not_the_end() -> None:
    data = MADE["jpeg"][1]()
    preview = b"\xff\xe1" + struct.pack(">H", 2 + len(data)) + data
    whole = data[:2] + preview + data[2:]
    assert seen(whole).width == WIDTH
    assert "is cut off" in refusal(whole[:-2])


def test_a_jpeg_without_a_picture() -> None:
    assert "no picture" in refusal(b"\xff\xd8\xff\xe0\x00\x04ab\xff\xd9")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"hello", "no image known here"),
        (b"%PDF-1.7 ...", "a PDF document"),
        (b"PK\x03\x04....", "a zip archive"),
        (b"Rar!\x1a\x07", "a rar archive"),
        (b"BM......", "a BMP image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a HEIC image"),
    ],
)
def test_strangers_are_named(data: bytes, expected: str) -> None:
    reason = refusal(data)
    assert expected in reason
    assert "send" in reason


def test_kinds_that_are_not_allowed_are_named_with_those_that_are() -> None:
    assert refusal(MADE["webp"][1]()) == "it is a WebP image; send it as JPEG, PNG or GIF"
    assert refusal(MADE["avif"][1]()) == "it is an AVIF image; send it as JPEG, PNG or GIF"
    assert refusal(MADE["png"][1](), ("jpeg",)) == "it is a PNG image; send it as JPEG"


@pytest.mark.parametrize("name", MADE)
def test_the_longest_side(name: str) -> None:
    data = MADE[name][1]()
    assert seen(data, max_side_px=WIDTH).width == WIDTH
    assert refusal(data, ALL, WIDTH - 1).startswith(f"it is 70 x 30 px, a side may have {WIDTH - 1};")


def test_a_bomb_is_refused_by_its_header() -> None:
    data = bytearray(MADE["png"][1]())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    assert "60000 x 60000" in refusal(bytes(data))


def test_no_size() -> None:
    data = bytearray(MADE["png"][1]())
    data[16:20] = bytes(4)
    assert "0 x 30 px" in refusal(bytes(data))


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff" + b"\xff" * 20_000_000,
        b"\xff\xd8" + b"\xff\xe0\x00\x02" * 5_000_000,
        b"\xff\xd8\xff\xd0" + b"\xff\xd0" * 10_000_000,
        b"\x00\x00\x00\x10ftypavif\x00\x00\x00\x00" + b"\x00\x00\x00\x08free" * 2_500_000,
    ],
    ids=["fill", "segments", "restarts", "boxes"],
)
def test_hostile_files_take_no_time(data: bytes) -> None:
    started = time.thread_time()
    refusal(data, ALL)
    assert time.thread_time() - started < 0.1


def test_a_mapped_file_can_be_closed_after_a_refusal(tmp_path: Path) -> None:
    for number, (_, make) in enumerate(MADE.values()):
        path = tmp_path / str(number)
        path.write_bytes(make()[:-1])
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            with memoryview(mapped) as view, pytest.raises(Invalid) as refused:
                seen(view)
            mapped.close()  # while the error is alive; BufferError if anything of it holds the bytes
        assert refused.value.detail


STARTS = (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF", b"\x00\x00\x00\x14ftypavif")


@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
def test_any_bytes(start: bytes, rest: bytes) -> None:
    _image_or_refusal(start + rest)


WHOLE = {name: make() for name, (_, make) in MADE.items()}


@given(name=st.sampled_from(sorted(WHOLE)), at=st.integers(0, 600), patch=st.binary(min_size=1, max_size=8))
def test_any_damage(name: str, at: int, patch: bytes) -> None:
    data = bytearray(WHOLE[name])
    data[at : at + len(patch)] = patch
    _image_or_refusal(bytes(data))


def _image_or_refusal(data: bytes) -> None:
    try:
        info = seen(data)
    except Invalid as refused:
        assert refused.detail  # noqa: PT017 - either outcome is good
    else:
        assert 0 < info.width <= 10_000
        assert 0 < info.height <= 10_000
