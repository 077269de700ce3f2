"""A file becomes an image in plain colours, and what is known of it from its header.

What can be read is what libvips reads with its untrusted loaders blocked: PNG, JPEG, GIF, WebP, AVIF and TIFF; and
BMP, through Pillow. The loader of JPEG XL is not built, and for HEIC there is no decoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mangadex_uploader.bitmaps import bmp_image, bmp_sides
from mangadex_uploader.damage import libvips
from mangadex_uploader.image_kinds import foreign_image, mime_type
from mangadex_uploader.images import NAMES, BadImage
from mangadex_uploader.losslessness import is_lossless

UNREADABLE = frozenset({"JPEG XL", "HEIC", "HEIC or AVIF"})  # unless libvips was built otherwise
HELD_WHOLE = frozenset({"WebP", "AVIF"})  # by their decoders
ANIMATED_AVIF = b"ftypavis"
SAVE_OTHERWISE = "save it as PNG or JPEG"


@dataclass(frozen=True, slots=True)
class Opened:
    """A page whose header was read.

    Attributes:
        kind: for people, such as `WebP (lossless)`.
        mime_type: that of an image that the service takes, else None.
        is_lossless: whether all its pixels are as they were drawn, as far as the file says.
        width: of a frame, upright; in pixels.
        height: of a frame, upright; in pixels.
        pixel_bytes: that a pixel has in memory.
        notes: what becomes of its colours and its metadata when it is saved again.
    """

    data: bytes
    kind: str
    mime_type: str | None
    is_lossless: bool
    frames: int
    width: int
    height: int
    pixel_bytes: int
    is_turned: bool
    notes: tuple[str, ...]

    @property
    def is_tiff(self) -> bool:
        """Whether it is one, of which libvips bridges faults."""
        return self.kind.startswith("TIFF")

    def image(self) -> Any:
        """The image in 8 or 16 bits of grey or RGB, upright, for one reading from top to bottom; all frames.

        Raises:
            BadImage: it is a BMP that cannot be decoded.
            pyvips.Error: it cannot be decoded.
        """
        if self.kind == "BMP":
            return bmp_image(self.data)
        image = _load(self.data, frames=self.frames, access="random" if self.is_turned else "sequential")
        return _in_plain_colours(image.autorot() if self.is_turned else image)


def open_page(data: bytes, *, max_pixels: int) -> Opened:
    """Read the header.

    Raises:
        BadImage: it is no image, cannot be read here, or is larger than is decoded; see `images.inspect` for the limit.
    """
    taken = mime_type(data)
    name = NAMES[taken] if taken else foreign_image(data)
    if name is None:
        raise BadImage("it is no image, or a damaged one; save it as PNG, JPEG or GIF")
    if name == "BMP":
        return _open_bmp(data, max_pixels)
    image = _header(data, name)
    frames = _frames(data, name, image)
    _check_size(image, name, frames, max_pixels)
    if image.format not in {"uchar", "ushort"} or image.bands > 5:
        raise BadImage(f"it has samples of the kind {image.format} in {image.bands} bands; {SAVE_OTHERWISE}")
    turn = image.get("orientation") if image.get_typeof("orientation") else 1
    width, height = image.width, image.height
    return Opened(
        data=data,
        kind=_kind(data, name, frames),
        mime_type=taken,
        is_lossless=is_lossless(data, name),
        frames=frames,
        width=height if turn >= 5 else width,
        height=width if turn >= 5 else height,
        pixel_bytes=image.bands * (2 if image.format == "ushort" else 1),
        is_turned=turn > 1,
        notes=tuple(_notes(image, turn)),
    )


def _open_bmp(data: bytes, max_pixels: int) -> Opened:
    width, height = bmp_sides(data)
    _check_pixels(width * height, max_pixels // 2)
    return Opened(
        data=data,
        kind="BMP",
        mime_type=None,
        is_lossless=True,
        frames=1,
        width=width,
        height=height,
        pixel_bytes=4,
        is_turned=False,
        notes=(),
    )


def _header(data: bytes, name: str) -> Any:
    try:
        return _load(data)
    except libvips().Error as error:
        if data[4:12] == ANIMATED_AVIF:
            raise BadImage("it is an animated AVIF, which cannot be read here; save it as GIF") from error
        if name in UNREADABLE:
            raise BadImage(f"it is {name}, which cannot be read here; {SAVE_OTHERWISE}") from error
        raise


def _load(data: bytes, *, frames: int = 1, access: str = "sequential") -> Any:
    pyvips = libvips()
    source = pyvips.Source.new_from_memory(data)  # `new_from_buffer` would copy it
    options = {"n": -1} if frames > 1 else {}
    return pyvips.Image.new_from_source(source, "", access=access, fail_on="error", **options)


def _frames(data: bytes, name: str, image: Any) -> int:
    count: int = image.get_n_pages()
    if name == "PNG" and b"acTL" in data[: data.find(b"IDAT")]:
        return 2  # at least; libvips shows the first
    if count > 1 and name not in {"GIF", "WebP"}:
        raise BadImage(f"it is {name} with {count} images in it; save each as a file")
    return count


def _check_size(image: Any, name: str, frames: int, max_pixels: int) -> None:
    is_held_whole = name in HELD_WHOLE or image.get_typeof("interlaced") != 0
    _check_pixels(image.width * image.height * frames, max_pixels // 2 if is_held_whole else max_pixels)


def _check_pixels(pixels: int, limit: int) -> None:
    if pixels > limit:
        raise BadImage(f"it has {pixels} pixels in all, it may have {limit}; scale it down")


def _kind(data: bytes, name: str, frames: int) -> str:
    if frames > 1:
        return f"animated {name}"
    if name in {"WebP", "TIFF"}:
        return f"{name} ({'lossless' if is_lossless(data, name) else 'lossy'})"
    return "AVIF (lossless)" if name == "AVIF" and is_lossless(data, name) else name


def _notes(image: Any, turn: int) -> list[str]:
    notes = []
    if turn > 1:
        notes.append("turned upright, as its metadata says")
    if image.interpretation == "cmyk":
        notes.append("CMYK, the colours of printing, made sRGB")
    if any("-GPS" in field for field in image.get_fields()):
        notes.append("the position at which it was taken was left out")
    return notes


def _in_plain_colours(image: Any) -> Any:
    """RGB or grey with the profile that it has: the pixels of a lossless image stay what they are."""
    if image.interpretation in {"srgb", "b-w", "rgb16", "grey16"}:
        return image
    if image.interpretation == "cmyk":
        image = image.icc_transform("srgb", embedded=True, input_profile="cmyk")
    else:
        image = image.colourspace("srgb")
    if image.get_typeof("icc-profile-data"):
        image = image.copy()
        image.remove("icc-profile-data")  # it was the profile of the other colours, or says sRGB
    return image.cast("uchar")
