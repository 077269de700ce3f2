"""What a file is by its first bytes, whatever its name says. Pure."""

from __future__ import annotations

HEAD_BYTES = 32

PNG, JPEG, GIF = "image/png", "image/jpeg", "image/gif"
TAKEN = ((b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG), (b"GIF87a", GIF), (b"GIF89a", GIF))  # contract 4.6

NOT_TAKEN = (
    (b"BM", "BMP"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
)
BOXED = {b"avif": "AVIF", b"avis": "AVIF", b"heic": "HEIC", b"heix": "HEIC", b"mif1": "HEIC or AVIF"}  # by main brand


def mime_type(head: bytes) -> str | None:
    """That of the images that the service takes."""
    return next((kind for start, kind in TAKEN if head.startswith(start)), None)


def foreign_image(head: bytes) -> str | None:
    """The name of another kind of image."""
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        return BOXED.get(head[8:12])
    return next((kind for start, kind in NOT_TAKEN if head.startswith(start)), None)


def is_image(head: bytes) -> bool:
    """Whether these are the first bytes of any image that is known here."""
    return (mime_type(head) or foreign_image(head)) is not None
