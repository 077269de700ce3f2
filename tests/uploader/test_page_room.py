"""Pages that need much memory are prepared one after another."""

from __future__ import annotations

import threading

import pytest

from mangadex_uploader.page_room import PageRoom

SOON_S = 0.2
LONG_S = 30


def begun(room: PageRoom, needed_bytes: int) -> tuple[threading.Thread, threading.Event]:
    inside = threading.Event()

    def work() -> None:
        with room.holding(needed_bytes):
            inside.set()

    thread = threading.Thread(target=work)
    thread.start()
    return thread, inside


@pytest.mark.parametrize(("held", "asked"), [(60, 60), (1_000, 1), (1, 1_000), (1_000, 1_000)])
def test_what_does_not_fit_waits_until_there_is_room(held: int, asked: int) -> None:
    room = PageRoom(100)
    with room.holding(held):
        thread, inside = begun(room, asked)
        assert not inside.wait(SOON_S)
    assert inside.wait(LONG_S)
    thread.join()


def test_what_fits_does_not_wait() -> None:
    room = PageRoom(100)
    with room.holding(50):
        thread, inside = begun(room, 50)
        assert inside.wait(LONG_S)
    thread.join()


def test_a_failure_gives_its_room_back() -> None:
    room = PageRoom(100)

    def fail() -> None:
        with room.holding(50):
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        fail()
    thread, inside = begun(room, 100)
    assert inside.wait(LONG_S)
    thread.join()
