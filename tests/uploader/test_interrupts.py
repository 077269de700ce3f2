"""A signal stops the work, whenever it comes."""

from __future__ import annotations

import asyncio
import signal

import pytest

from mangadex_uploader import interrupts
from mangadex_uploader.interruption import InterruptedBySignalError


async def ends_with_a_signal() -> str:
    signal.raise_signal(signal.SIGTERM)
    return "done"


def test_a_signal_stops_the_work() -> None:
    told: list[str] = []

    async def work() -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    with pytest.raises(InterruptedBySignalError) as stopped:
        interrupts.run(work(), lambda: told.append("stopping"))
    assert (stopped.value.exit_status, told) == (143, ["stopping"])


def test_one_that_comes_when_all_is_done_stops_what_comes_next() -> None:
    with interrupts.noting() as received:
        assert interrupts.run(ends_with_a_signal(), lambda: None) == "done"
        assert received == [signal.SIGTERM]


def test_one_that_comes_between_two_pieces_of_work_stops_the_next() -> None:
    with interrupts.noting() as received:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(InterruptedBySignalError) as stopped:
            interrupts.run(asyncio.sleep(60), lambda: None)
        assert (stopped.value.exit_status, received) == (130, [signal.SIGINT])


def test_nothing_is_handled_otherwise_afterwards() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with interrupts.noting():
        interrupts.run(asyncio.sleep(0), lambda: None)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
