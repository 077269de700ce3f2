"""Ctrl-C and SIGTERM: the first stops the work cleanly, the second ends the program at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from mangadex_uploader.interruption import InterruptedBySignalError

T = TypeVar("T")

SHOW_CURSOR = "\x1b[?25h"


def run(work: Coroutine[Any, Any, T], on_stop: Callable[[], None]) -> T:
    """Do the work; `on_stop` is called once when a signal asks to stop.

    Raises:
        InterruptedBySignalError: it was stopped.
    """
    received: list[int] = []

    async def stoppable() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None  # noqa: S101

        def stop(number: int, _frame: FrameType | None) -> None:
            if received:
                _end_at_once(number)
            received.append(number)
            loop.call_soon_threadsafe(on_stop)
            loop.call_soon_threadsafe(task.cancel)

        with _handling(stop):
            return await work

    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        if received:
            raise InterruptedBySignalError(received[0]) from None
        raise


@contextmanager
def _handling(stop: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_at_once(number: int) -> None:
    if sys.stderr.isatty():
        os.write(sys.stderr.fileno(), SHOW_CURSOR.encode())
    os._exit(128 + number)
