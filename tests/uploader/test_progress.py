"""What people see of the progress. At a terminal: tests/uploader/test_command_line.py."""

from __future__ import annotations

import pytest

from mangadex_uploader.meter import Meter
from mangadex_uploader.output import Output, shown
from mangadex_uploader.progress import Lines, NoProgress, progress_for

MB = 1_000_000


def test_speed_and_time_left() -> None:
    meter = Meter(40 * MB)
    meter.start(0, now=100.0)
    assert meter.text(now=101.0) == "0.0 of 40.0 MB"
    meter.add(10 * MB, now=102.0)
    assert meter.text(now=102.0) == "10.0 of 40.0 MB, 5.0 MB/s, 6 s left"
    assert meter.text(now=104.0) == "10.0 of 40.0 MB, 5.0 MB/s, 4 s left"
    meter.add(30 * MB, now=108.0)
    assert meter.text(now=110.0) == "40.0 of 40.0 MB, 5.0 MB/s"


def test_what_was_there_before_is_done_but_was_not_sent() -> None:
    meter = Meter(40 * MB)
    meter.start(30 * MB, now=0.0)
    assert (meter.percent, meter.bytes_per_s) == (75, None)
    meter.add(5 * MB, now=1.0)
    assert (meter.percent, meter.bytes_per_s) == (87, 5 * MB)
    assert meter.text(now=1.0) == "35.0 of 40.0 MB, 5.0 MB/s, 1 s left"


@pytest.mark.parametrize(("seconds", "text"), [(59, "59 s"), (61, "1:01 min"), (3720, "1:02 h")])
def test_times_as_people_say_them(seconds: int, text: str) -> None:
    meter = Meter((seconds + 1) * MB)
    meter.start(0, now=0.0)
    meter.add(MB, now=1.0)
    assert meter.text(now=1.0).endswith(f"{text} left")


def test_doubles_sent_again_are_not_more_than_all() -> None:
    meter = Meter(10)
    meter.start(8, now=0.0)
    meter.add(8, now=1.0)
    assert (meter.done_bytes, meter.percent) == (10, 100)


def test_a_line_at_each_quarter() -> None:
    said: list[str] = []
    lines = Lines(said.append, clock=lambda: 10.0)
    meter = Meter(100 * MB)
    meter.start(30 * MB, now=0.0)
    lines.start("ch", meter)
    for _ in range(7):
        meter.add(10 * MB, now=10.0)
        lines.update()
    assert [line.split(" (")[0] for line in said] == ["ch: 50 %", "ch: 80 %", "ch: 100 %"]


def test_an_empty_chapter_is_done() -> None:
    assert Meter(0).percent == 100


def test_no_progress_where_it_is_not_wanted() -> None:
    assert isinstance(progress_for(Output(is_quiet=True), is_wanted=True), NoProgress)
    assert isinstance(progress_for(Output(), is_wanted=False), NoProgress)


def test_names_cannot_drive_the_terminal() -> None:
    assert shown("a\x1b[31mb\u202ec\x07\n第1話") == "a\\x1b[31mb\\u202ec\\x07\n第1話"
