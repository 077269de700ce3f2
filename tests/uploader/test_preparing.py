"""Images that the service would refuse become ones that it takes, and it is said what was done."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import pytest
import pyvips
from drawing import noise, photo, pixels, same, stacked
from pages import draw, draw_animation
from PIL import Image as PillowImage
from preparation import prepared_page

from mangadex_uploader.errors import UploadError
from mangadex_uploader.images import BadImage, inspect
from mangadex_uploader.preparing import Limits, prepare
from mangadex_uploader.shrinking import Piece

MIB = 1 << 20
PHOTO = photo(1, 150, 210)
SEE_THROUGH = photo(2, 60, 80, bands=4)


def prepared_one(data: bytes, limits: Limits | None = None) -> tuple[Piece, tuple[str, ...]]:
    """The one file that is sent, which the uploader's own check takes."""
    limits = limits or Limits()
    prepared = prepared_page(data, limits)
    [piece] = prepared.pieces
    image = inspect(piece.data, max_side_px=limits.max_side_px, max_pixels=limits.max_pixels)
    assert (image.mime_type, image.width, image.height) == (piece.mime_type, piece.width, piece.height)
    assert len(piece.data) <= limits.max_file_bytes
    return piece, prepared.done


def refusal(data: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(BadImage) as raised:
        prepared_page(data, limits or Limits())
    return raised.value.reason


def saved(image: Any, suffix: str) -> bytes:
    data: bytes = image.write_to_buffer(suffix)
    return data


@pytest.mark.parametrize(
    "data",
    [
        draw(width=200, height=300),
        draw(kind="jpeg", width=200, height=300),
        draw(kind="gif", width=200, height=300),
        draw_animation(frames=4),
        saved(PHOTO, ".png[interlace]"),
        saved(PHOTO, ".jpg[interlace]"),
        saved(PHOTO.colourspace("rgb16"), ".png"),
        draw(width=64, height=10_000),
        draw(width=100, height=100) + b"left by an editor",
    ],
)
def test_a_page_that_needs_nothing_stays_the_same_bytes(data: bytes) -> None:
    prepared = prepared_page(data)
    [piece] = prepared.pieces
    assert piece.data is data
    assert prepared.done == ()
    image = inspect(data, max_side_px=10_000, max_pixels=10**9)
    assert (piece.mime_type, piece.width, piece.height) == (image.mime_type, image.width, image.height)


@pytest.mark.parametrize(
    ("suffix", "image", "kind"),
    [
        (".webp[lossless]", PHOTO, "WebP (lossless)"),
        (".webp[lossless,exact]", SEE_THROUGH, "WebP (lossless)"),
        (".tif", PHOTO, "TIFF (lossless)"),
        (".tif[compression=lzw]", SEE_THROUGH, "TIFF (lossless)"),
        (".tif[compression=deflate,tile]", PHOTO.colourspace("b-w"), "TIFF (lossless)"),
        (".tif[compression=lzw,predictor=horizontal]", PHOTO.colourspace("rgb16"), "TIFF (lossless)"),
    ],
)
def test_what_is_lossless_becomes_png_with_equal_pixels(suffix: str, image: Any, kind: str) -> None:
    piece, done = prepared_one(saved(image, suffix))
    assert piece.mime_type == "image/png"
    assert same(pixels(piece.data), image)
    assert pixels(piece.data).format == image.format
    assert done == (f"was {kind}, which the service does not take: sent as PNG",)


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".webp[Q=90]", "WebP (lossy)"),
        (".avif[Q=80,effort=0]", "AVIF"),
        (".avif[Q=80,effort=0,bitdepth=10]", "AVIF"),
        (".tif[compression=jpeg,Q=90]", "TIFF (lossy)"),
    ],
)
def test_what_is_lossy_becomes_jpeg_in_full_colours(suffix: str, kind: str) -> None:
    data = saved(PHOTO, suffix)
    piece, done = prepared_one(data)
    assert piece.mime_type == "image/jpeg"
    found, source = pixels(piece.data), pixels(data).colourspace("srgb")
    assert (found.cast("short") - source).abs().avg() < 3
    assert found.get("jpeg-chroma-subsample") == "4:4:4"
    assert done == (f"was {kind}, which the service does not take: sent as JPEG of quality 95",)


@pytest.mark.parametrize("suffix", [".webp[Q=90]", ".avif[Q=80,effort=0]"])
def test_what_is_transparent_becomes_white_in_a_jpeg_and_is_said(suffix: str) -> None:
    clear = PHOTO.bandjoin(0).cast("uchar").copy(interpretation="srgb")
    piece, done = prepared_one(saved(clear, suffix))
    assert pixels(piece.data).bands == 3
    assert pixels(piece.data).min() >= 253
    assert done[-1] == "what was transparent is white now, since JPEG has no transparency"
    _, done = prepared_one(saved(PHOTO.bandjoin(255), suffix))
    assert "white" not in " ".join(done)


def animation(frames: int, suffix: str) -> bytes:
    strip = pyvips.Image.arrayjoin([photo(number, 80, 60) for number in range(frames)], across=1).copy()
    strip.set_type(pyvips.GValue.gint_type, "page-height", 60)
    strip.set_type(pyvips.GValue.array_int_type, "delay", [70 + 10 * number for number in range(frames)])
    return saved(strip, suffix)


@pytest.mark.parametrize("suffix", [".webp[lossless]", ".webp[Q=80]"])
def test_an_animated_webp_becomes_a_gif_of_as_many_frames(suffix: str) -> None:
    piece, done = prepared_one(animation(5, suffix))
    assert (piece.mime_type, piece.width, piece.height) == ("image/gif", 80, 60)
    moving = pyvips.Image.new_from_buffer(piece.data, "", n=-1)
    assert moving.get_n_pages() == 5
    assert moving.get("delay") == [70, 80, 90, 100, 110]
    assert "sent as GIF, of 5 frames" in done[0]


def test_an_animation_that_is_too_large_is_refused() -> None:
    gif, webp = animation(4, ".gif"), animation(4, ".webp")
    small = Limits(max_file_bytes=2_000)
    assert "animated GIF of 80 x 60 px" in refusal(gif, small)
    assert "MB as GIF" in refusal(webp, small)
    assert "scale it down" in refusal(webp, Limits(max_side_px=70))
    assert "make it smaller" in refusal(gif, Limits(max_side_px=70))
    assert "animated PNG" in refusal(apng(draw(width=80, height=90)), Limits(max_side_px=70))


def apng(data: bytes) -> bytes:
    """With the chunk that announces frames; its checksum is right enough for who looks at the name alone."""
    at = data.index(b"IDAT") - 4
    return data[:at] + struct.pack(">I4sIII", 8, b"acTL", 2, 0, 0) + data[at:]


@pytest.mark.parametrize("suffix", [".webp[lossless]", ".webp[Q=90]", ".tif", ".avif[effort=0]"])
def test_the_position_and_other_metadata_are_dropped(suffix: str) -> None:
    where = PHOTO.copy()
    where.set_type(pyvips.GValue.gstr_type, "exif-ifd3-GPSLatitude", "35/1 41/1 22/1")
    where.set_type(pyvips.GValue.gstr_type, "exif-ifd0-Model", "A telephone")
    where.set_type(pyvips.GValue.blob_type, "xmp-data", b"<x:xmpmeta>A telephone</x:xmpmeta>")
    data = saved(where, suffix)
    piece, done = prepared_one(data)
    assert not [field for field in pixels(piece.data).get_fields() if "GPS" in field or "xmp" in field]
    assert b"A telephone" in data
    assert b"A telephone" not in piece.data
    if any("-GPS" in field for field in pixels(data).get_fields()):
        assert done[-1] == "the position at which it was taken was left out"


@pytest.mark.parametrize(("orientation", "turned"), [(3, PHOTO.rot180()), (6, PHOTO.rot90()), (8, PHOTO.rot270())])
def test_pages_are_turned_upright(orientation: int, turned: Any) -> None:
    image = PHOTO.copy()
    image.set_type(pyvips.GValue.gint_type, "orientation", orientation)
    piece, done = prepared_one(saved(image, ".webp[lossless]"))
    assert same(pixels(piece.data), turned)
    assert "turned upright, as its metadata says" in done


def test_the_colours_of_printing_become_those_of_screens_and_a_profile_stays() -> None:
    cmyk = PHOTO.icc_transform("cmyk", input_profile="srgb")
    piece, done = prepared_one(saved(cmyk, ".tif"))
    assert (pixels(piece.data).interpretation, pixels(piece.data).bands) == ("srgb", 3)
    assert (pixels(piece.data).cast("short") - PHOTO).abs().avg() < 25
    assert "CMYK, the colours of printing, made sRGB" in done
    wide = PHOTO.icc_transform("p3", input_profile="srgb")
    piece, _ = prepared_one(saved(wide, ".webp[lossless]"))
    assert pixels(piece.data).get("icc-profile-data") == wide.get("icc-profile-data")
    assert same(pixels(piece.data), wide)


def test_a_page_that_is_too_wide_is_scaled() -> None:
    piece, done = prepared_one(saved(photo(3, 1_200, 90), ".png"), Limits(max_side_px=1_000))
    assert (piece.width, piece.height) == (1_000, 75)
    assert done == ("was 1200 px wide, a side may have 1000: scaled to 1000 x 75 px",)


def test_a_page_of_more_than_20_mb_becomes_small_enough() -> None:
    data = saved(noise(1, 2_800, 2_600), ".png")
    assert len(data) > 20 * MIB
    piece, done = prepared_one(data)
    assert (piece.mime_type, piece.width, piece.height) == ("image/jpeg", 2_800, 2_600)
    assert done == (f"had {len(data) / MIB:.1f} MB, a page may have 20 MB: sent as JPEG of quality 95",)


FEW_COLOURS = (noise(5, 400, 300) > 127).ifthenelse(250, 9).cast("uchar").copy(interpretation="srgb")
GREY = noise(6, 300, 200, bands=1)
IN_RGB = GREY.bandjoin([GREY, GREY]).copy(interpretation="srgb")


@pytest.mark.parametrize(
    ("data", "kept_bytes"),
    [
        (saved(photo(4, 400, 600), ".png[compression=0]"), 350_000),
        (saved(FEW_COLOURS, ".png"), 53_000),
        (saved(IN_RGB, ".png"), 62_000),
    ],
    ids=["stored", "eight colours", "grey in RGB"],
)
def test_what_can_be_smaller_without_loss_keeps_its_pixels(data: bytes, kept_bytes: int) -> None:
    assert len(data) > kept_bytes
    piece, done = prepared_one(data, Limits(max_file_bytes=kept_bytes))
    assert piece.mime_type == "image/png"
    assert same(pixels(piece.data).colourspace("srgb"), pixels(data))
    assert "its pixels are the same" in done[0] or "besides the image" in done[0]


def test_losses_grow_only_as_far_as_they_must() -> None:
    data = saved(noise(7, 400, 400), ".png")
    sizes = {quality: len(saved(noise(7, 400, 400), f".jpg[Q={quality}]")) for quality in (95, 85, 80)}
    for quality in (95, 85, 80):
        _, done = prepared_one(data, Limits(max_file_bytes=sizes[quality] + 100))
        assert done[0].endswith(f": sent as JPEG of quality {quality}")
    piece, done = prepared_one(data, Limits(max_file_bytes=sizes[80] // 2))
    assert 200 < piece.width < 330
    assert f"scaled to {piece.width / 400:.0%}"[:11] in done[0]
    assert "cannot be made smaller" in refusal(data, Limits(max_file_bytes=100))


def test_a_large_jpeg_stays_jpeg_and_a_large_webp_says_why_it_is_none() -> None:
    jpeg = saved(noise(8, 300, 300), ".jpg[Q=100]")
    piece, done = prepared_one(jpeg, Limits(max_file_bytes=len(jpeg) - 1))
    assert piece.mime_type == "image/jpeg"
    assert "saved again" in done[0]
    _, done = prepared_one(saved(noise(8, 300, 300), ".webp[lossless]"), Limits(max_file_bytes=220_000))
    assert done[0] == "was WebP (lossless), which the service does not take: sent as JPEG"
    assert done[1] == "as PNG it would have 0.3 MB, a page may have 0.209808 MB: sent as JPEG of quality 90"


def bmp(width: int, height: int) -> bytes:
    """Of 24 bits a pixel (Windows' BITMAPINFOHEADER): rows from the bottom up, blue first, each of whole words."""
    image = photo(11, width, height)
    rows = [image.crop(0, y, width, 1).write_to_memory() for y in reversed(range(height))]
    drawn = b"".join(
        b"".join(row[at : at + 3][::-1] for at in range(0, len(row), 3)) + bytes(-len(row) % 4) for row in rows
    )
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54 + len(drawn), 0, 54, 40, width, height, 1, 24, *6 * [0]) + drawn


def test_bmp_becomes_png_with_equal_pixels() -> None:
    piece, done = prepared_one(bmp(31, 40))
    assert piece.mime_type == "image/png"
    assert same(pixels(piece.data), photo(11, 31, 40))
    assert done == ("was BMP, which the service does not take: sent as PNG",)


@pytest.mark.parametrize(
    ("mode", "raw", "shown"),
    [
        ("L", bytes(range(12)), list(range(12))),
        ("1", b"\x50\xa0\xf0", [0, 255, 0, 255, 255, 0, 255, 0, 255, 255, 255, 255]),
        ("P", bytes(range(12)), [value for index in range(12) for value in (index, 255 - index, 7)]),
        ("RGBA", bytes(range(48)), [value for value in range(48) if value % 4 < 3]),  # the fourth has no meaning in it
    ],
)
def test_bmp_of_other_depths_keeps_its_pixels(mode: str, raw: bytes, shown: list[int]) -> None:
    drawn = PillowImage.frombytes(mode, (4, 3), raw)
    if mode == "P":
        drawn.putpalette(bytes(value for index in range(256) for value in (index, 255 - index, 7)))
    file = BytesIO()
    drawn.save(file, "BMP")
    piece, _ = prepared_one(file.getvalue())
    assert list(bytes(pixels(piece.data).write_to_memory())) == shown


def test_a_tall_bmp_is_cut_and_each_piece_is_handed_over_in_order() -> None:
    pieces: list[Piece] = []
    told = prepare(bmp(20, 2_500), pieces.append, Limits(max_side_px=1_000))
    assert len(pieces) > 2
    assert same(stacked([piece.data for piece in pieces]), photo(11, 20, 2_500))
    assert told.done[0] == "was BMP, which the service does not take: sent as PNG"


def test_pieces_are_handed_over_before_the_next_but_one_is_read() -> None:
    strip = noise(12, 30, 4_000)
    whole = strip.pngsave_buffer(compression=1)
    pieces: list[Piece] = []
    with pytest.raises(BadImage, match="it cannot be decoded"):
        prepare(whole[: len(whole) * 9 // 10], pieces.append, Limits(max_side_px=1_000))
    assert len(pieces) >= 2
    assert same(pixels(pieces[0].data), strip.crop(0, 0, 30, pieces[0].height))


def test_what_keeps_the_pieces_may_end_it() -> None:
    def full(piece: Piece) -> None:
        raise UploadError("no room")

    with pytest.raises(UploadError, match="no room"):
        prepare(bmp(20, 2_500), full, Limits(max_side_px=1_000))


def damaged(data: bytes) -> bytes:
    return data[: len(data) // 2]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is no image"),
        (b"<html>404</html>", "it is no image"),
        (b"BM" + bytes(80), "it is a BMP that cannot be decoded (Unsupported BMP header type (0))"),
        (bmp(5, 40)[:300], "it is a BMP that cannot be decoded (image file is truncated"),
        (bmp(5, 40)[:18] + struct.pack("<ii", 60_000, 60_000) + bmp(5, 40)[26:], "it has 3600000000 pixels in all"),
        (b"\xff\x0a" + bytes(80), "it is JPEG XL, which cannot be read here"),
        (b"\0\0\0\x18ftypheic" + bytes(80), "it is HEIC, which cannot be read here"),
        (b"\0\0\0\x18ftypavis" + bytes(80), "it is an animated AVIF, which cannot be read here"),
        (damaged(saved(PHOTO, ".webp[lossless]")), "it cannot be decoded"),
        (damaged(saved(PHOTO, ".webp[Q=90]")), "it cannot be decoded"),
        (damaged(saved(PHOTO, ".tif[compression=lzw]")), "it cannot be decoded"),
        (damaged(saved(PHOTO, ".avif[effort=0]")), "it cannot be decoded"),
        (damaged(saved(photo(1, 8, 12_000), ".png")), "it cannot be decoded"),
        (damaged(saved(photo(1, 8, 12_000), ".jpg")), "it cannot be decoded"),
        (b"\x89PNG\r\n\x1a\n", "it cannot be decoded"),
        (b"II*\0" + bytes(4), "it cannot be decoded"),
        (saved(PHOTO.cast("float"), ".tif"), "it has samples of the kind float"),
    ],
)
def test_what_cannot_be_prepared_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    assert refusal(data).startswith(reason)


def test_several_images_in_a_file_are_not_reduced_to_the_first() -> None:
    pages = pyvips.Image.arrayjoin([PHOTO, PHOTO], across=1).copy()
    pages.set_type(pyvips.GValue.gint_type, "page-height", PHOTO.height)
    assert refusal(saved(pages, ".tif")) == "it is TIFF with 2 images in it; save each as a file"


def test_giants_are_refused_by_their_header() -> None:
    flat = saved(pyvips.Image.black(9_000, 9_000), ".png")
    giant = flat[:16] + struct.pack(">II", 60_000, 60_000) + flat[24:]
    assert refusal(giant).startswith("it has 3600000000 pixels in all, it may have 200000000")
    assert refusal(flat, Limits(max_pixels=80_000_000)).startswith("it has 81000000 pixels in all")
    webp = saved(pyvips.Image.black(100, 100), ".webp")
    assert refusal(webp, Limits(max_pixels=19_999)).startswith("it has 10000 pixels in all, it may have 9999")
