"""What the C library does with the memory of pages that were sent."""

from __future__ import annotations

import ctypes
import sys

PAGE_MEMORY_BYTES = 512 << 10
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # malloc.h


def give_back_pages() -> None:
    """Return each page's memory to the system as soon as it is freed, and let all threads take from the same.

    glibc by itself does so until it has seen the first blocks of a size come and go, and keeps the later ones
    (mallopt(3), M_MMAP_THRESHOLD): a chapter took 10 MB more, and a long one more than a short one. And each thread
    gets memory of its own, of which it keeps some (M_ARENA_MAX): preparing two pages at once took 15 MB more.
    To be called before the first thread is started.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:
        set_option(_M_MMAP_THRESHOLD, PAGE_MEMORY_BYTES)
        set_option(_M_ARENA_MAX, 1)
