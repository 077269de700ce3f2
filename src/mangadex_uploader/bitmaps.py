"""BMP, which libvips does not read here, by Pillow. Pillow is loaded with the first BMP, not before."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from mangadex_uploader.damage import libvips
from mangadex_uploader.images import BadImage
from mangadex_uploader.printable import printable

if TYPE_CHECKING:
    from PIL.BmpImagePlugin import BmpImageFile

PLAIN_MODES = {"1": "L", "L": "L", "RGBA": "RGBA"}  # what Pillow calls bits, grey and transparency; the others are RGB
SAVE_AS_PNG = "save it as PNG with an image program"


def bmp_sides(data: bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header.

    Raises:
        BadImage: it is damaged, or of a kind that Pillow does not read.
    """
    return _opened(data).size


def bmp_image(data: bytes) -> Any:
    """All its pixels, which are held in memory twice while they are read: check the sides first.

    Raises:
        BadImage: it is damaged.
    """
    page = _opened(data)
    try:
        page.load()
    except (OSError, ValueError) as error:
        raise _unreadable(error) from error
    plain = page.convert(PLAIN_MODES.get(page.mode, "RGB"))
    bands = len(plain.getbands())
    image = libvips().Image.new_from_memory(plain.tobytes(), plain.width, plain.height, bands, "uchar")
    return image.copy(interpretation="b-w" if bands == 1 else "srgb")


def _opened(data: bytes) -> BmpImageFile:
    """The class itself, since `Image.open` has its own limit of pixels, which is one for the whole process."""
    from PIL.BmpImagePlugin import BmpImageFile  # noqa: PLC0415

    try:
        return BmpImageFile(BytesIO(data))
    except (OSError, SyntaxError, ValueError) as error:  # SyntaxError is how Pillow's readers say that it is not theirs
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> BadImage:
    return BadImage(f"it is a BMP that cannot be decoded ({printable(str(error)[:200])}); {SAVE_AS_PNG}")
