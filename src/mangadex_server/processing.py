"""Decoding a page as a whole and making its data-saver variant, and the program that does so in a confined process.

Only this module loads libvips. `page_process` starts it as a program and speaks with it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any, BinaryIO

import pyvips

from mangadex_server.page_process import BrokenPage, Limits, Processed

SAVER_WIDTH_PX = 980
SAVER_QUALITY = 80
FAIL_ON = "error"  # thumbnail_buffer() would ignore it (engines.md 7)
LOADERS = {
    "jpeg": "jpegload_buffer",
    "png": "pngload_buffer",
    "gif": "gifload_buffer",
    "webp": "webpload_buffer",
    "avif": "heifload_buffer",
}
ANIMATED = frozenset({"gifload_buffer", "webpload_buffer"})
HELD_WHOLE = frozenset({"webpload_buffer", "heifload_buffer"})
HELD_WHOLE_SHARE = 2  # up to 8 bytes a pixel are held: 100 of the 200 megapixels fit the gigabyte of a process
PR_SET_PDEATHSIG = 1  # linux/prctl.h

# On import, so that nothing is ever opened without them.
pyvips.cache_set_max(0)
pyvips.block_untrusted_set(True)


def process(data: bytes, limits: Limits) -> Processed:
    """Decode all of a page, and make a smaller JPEG of it (of the first frame of an animation).

    Raises:
        BrokenPage: it is damaged or too large.
        MemoryError: it may be good, but not with the memory that there is.
    """
    try:
        image = _opened(data, limits)
        return Processed(image.width, image.height, _saver(image), "image/jpeg")
    except pyvips.Error as error:
        if "memory" in str(error).lower():
            raise MemoryError from error
        raise BrokenPage(f"it cannot be decoded{_detail(error)}; save it again with an image program") from error


def _opened(data: bytes, limits: Limits) -> Any:
    image = pyvips.Image.new_from_buffer(data, "", access="sequential", fail_on=FAIL_ON)
    loader = image.get("vips-loader")
    if loader not in {LOADERS[one] for one in limits.formats}:
        raise BrokenPage("it is not an image of an allowed kind; convert it")
    _check_pixels(image, loader, limits.max_pixels)
    if loader in ANIMATED:
        _decode_frames(data)
    return image


def _check_pixels(image: Any, loader: str, max_pixels: int) -> None:
    is_held_whole = loader in HELD_WHOLE or image.get_typeof("interlaced") != 0  # progressive JPEG, interlaced PNG
    limit = max_pixels // HELD_WHOLE_SHARE if is_held_whole else max_pixels
    pixels = image.width * image.height * image.get_n_pages()
    if pixels > limit:
        kind = "of this kind " if is_held_whole else ""
        raise BrokenPage(f"it has {pixels} pixels in all, an image {kind}may have {limit}; scale it down")


def _decode_frames(data: bytes) -> None:
    pyvips.Image.new_from_buffer(data, "", n=-1, access="sequential", fail_on=FAIL_ON).avg()  # n=1 is the default


def _saver(image: Any) -> bytes:
    small = image.thumbnail_image(SAVER_WIDTH_PX, size="down", height=100_000)
    saver: bytes = small.jpegsave_buffer(Q=SAVER_QUALITY, keep="none", background=255)
    return saver


def _detail(error: pyvips.Error) -> str:
    lines: list[str] = str(error.detail).strip().splitlines()
    return f" ({lines[-1][:200]})" if lines else ""


def main() -> None:
    """Answer pages until the pipe closes."""
    orders = json.loads(sys.argv[1])
    _confine(orders["memory_bytes"], orders["parent"])
    limits = Limits(orders["max_pixels"], orders["formats"])
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints does not garble the answers
    _answer(answers, {})
    while line := sys.stdin.buffer.readline():
        with contextlib.suppress(BrokenPipeError):
            _answer(answers, *_result(sys.stdin.buffer.read(json.loads(line)["size"]), limits))


def _confine(memory_bytes: int, parent: int) -> None:
    """Limit our memory, and die with the parent: a killed one cannot tell us."""
    for signal_number in (signal.SIGINT, signal.SIGTERM):  # the parent's affair, which closes the pipe
        signal.signal(signal_number, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    limit = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))  # not RLIMIT_AS: libraries and stacks reserve far more
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be watched
        sys.exit()


def _result(data: bytes, limits: Limits) -> tuple[dict[str, Any], bytes]:
    try:
        page = process(data, limits)
    except BrokenPage as error:
        return {"broken": error.reason}, b""
    except MemoryError:
        os._exit(1)  # a fresh process tries once more
    return {"width": page.width, "height": page.height, "mime": page.saver_mime}, page.saver


def _answer(answers: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    answers.write(json.dumps({**head, "size": len(body)}).encode() + b"\n" + body)
    answers.flush()


if __name__ == "__main__":
    main()
