"""A live bar on a terminal; what is said meanwhile appears above it."""

from __future__ import annotations

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from mangadex_uploader.meter import Meter
from mangadex_uploader.output import Output, shown


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(str(task.fields["meter"].text(time.monotonic())))


class Bar:
    """A `mangadex_uploader.progress.Progress` of one chapter at a time."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._plainly = output.write_line
        self._console = Console(stderr=True, highlight=False)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            _Speed(),
        )
        self._live = Progress(*columns, console=self._console, redirect_stdout=False, redirect_stderr=False)
        self._meter = Meter(0)
        self._task = self._live.add_task("", total=None, meter=self._meter)

    def start(self, label: str, meter: Meter) -> None:
        """Show it."""
        self._meter = meter
        self._output.write_line = self._print
        done, total = meter.done_bytes, meter.total_bytes
        self._live.reset(self._task, total=total, completed=done, description=shown(label), meter=meter)
        self._live.start()

    def update(self) -> None:
        """Move it."""
        self._live.update(self._task, completed=self._meter.done_bytes)

    def stop(self) -> None:
        """Leave it where it is, and the cursor below it."""
        self._live.stop()
        self._output.write_line = self._plainly

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)
