"""The progress of a chapter on standard error: a bar on a terminal, else a line at each quarter, or nothing."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

from mangadex_uploader.failures import is_debugging
from mangadex_uploader.meter import Meter
from mangadex_uploader.output import Output

QUARTER = 25


class Progress(Protocol):
    """Shows one chapter at a time."""

    def start(self, label: str, meter: Meter) -> None:
        """Sending begins."""

    def update(self) -> None:
        """The meter has moved."""

    def stop(self) -> None:
        """Nothing is being sent now, whatever the reason. May be called again."""


def progress_for(output: Output, *, is_wanted: bool) -> Progress:
    """What suits the place that standard error goes to."""
    if not is_wanted or output.is_quiet:
        return NoProgress()
    if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not is_debugging():
        from mangadex_uploader.bar import Bar  # noqa: PLC0415 - loads rich

        return Bar(output)
    return Lines(output.say)


class NoProgress:
    """Shows nothing."""

    def start(self, label: str, meter: Meter) -> None:
        """Nothing."""

    def update(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""


class Lines:
    """A line at each quarter that is passed."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self._label = ""
        self._meter = Meter(0)
        self._next = QUARTER

    def start(self, label: str, meter: Meter) -> None:
        """Sending begins; the quarters that are there already are not told."""
        self._label, self._meter = label, meter
        self._next = (meter.percent // QUARTER + 1) * QUARTER

    def update(self) -> None:
        """Tell the quarter, if it is a new one."""
        percent = self._meter.percent
        if percent >= self._next:
            self._next = (percent // QUARTER + 1) * QUARTER
            self._say(f"{self._label}: {percent} % ({self._meter.text(self._clock())})")

    def stop(self) -> None:
        """Nothing more."""
