"""How much memory the pages that are prepared at the same time may need together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

ROOM_BYTES = 512 << 20


class PageRoom:
    """Lets work begin that fits beside what is being done; what is larger than the room has it alone."""

    def __init__(self, size_bytes: int = ROOM_BYTES) -> None:
        self._size_bytes = size_bytes
        self._used_bytes = 0
        self._changed = threading.Condition()

    @contextmanager
    def holding(self, needed_bytes: int) -> Iterator[None]:
        """Wait until there is room, and keep it until the block ends."""
        needed_bytes = min(needed_bytes, self._size_bytes)
        with self._changed:
            self._changed.wait_for(lambda: self._used_bytes + needed_bytes <= self._size_bytes)
            self._used_bytes += needed_bytes
        try:
            yield
        finally:
            with self._changed:
                self._used_bytes -= needed_bytes
                self._changed.notify_all()
