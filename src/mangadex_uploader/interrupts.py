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


class _Noting:
    """Takes note of a signal that comes between two pieces of work, or too late to stop one."""

    def __init__(self) -> None:
        self.received: list[int] = []

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        if self.received:
            _end_at_once(number)
        self.received.append(number)


@contextmanager
def noting() -> Iterator[list[int]]:
    """For several pieces of work: what signals were received that stopped none of them."""
    made = _Noting()
    with _handling(made):
        yield made.received


def run(work: Coroutine[Any, Any, T], on_stop: Callable[[], None]) -> T:
    """Do the work; `on_stop` is called once when a signal asks to stop. One that comes too late is left to `noting`.

    Raises:
        InterruptedBySignalError: it was stopped.
    """
    received: list[int] = []
    outer = signal.getsignal(signal.SIGINT)

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
            if isinstance(outer, _Noting) and outer.received:
                stop(outer.received[0], None)
            return await work

    try:
        result = asyncio.run(stoppable())
    except asyncio.CancelledError:
        if received:
            raise InterruptedBySignalError(received[0]) from None
        raise
    if isinstance(outer, _Noting):
        outer.received += received
    return result


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
