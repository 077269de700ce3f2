"""The pacer keeps the service's limits, whatever the clock and the headers say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mangadex_openapi import InvalidRequest, Pacer

NOW = 1_700_000_000.0


def told(limit: int, remaining: int, resets_at: float) -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "retry-after": int(resets_at)}
    return {f"x-ratelimit-{name}": str(value) for name, value in values.items()}


def send_times(pacer: Pacer, asked_at: list[float], endpoint: str = "") -> list[float]:
    """Of requests that are answered at once."""
    times, now = [], NOW
    for at in asked_at:
        now = max(now, at)
        while (wait_s := pacer.reserve(now, endpoint)) > 0:
            now += wait_s
        pacer.answered(now, now)
        times.append(now)
    return times


def test_five_then_five_a_second_later() -> None:
    times = [time - NOW for time in send_times(Pacer(), [NOW] * 15)]
    assert times == pytest.approx([0.0] * 5 + [1.0] * 5 + [2.0] * 5, abs=0.01)


@given(st.lists(st.tuples(st.floats(0, 20), st.floats(0, 0.3), st.floats(0, 3)), min_size=1, max_size=60))
def test_no_second_has_more_than_five_wherever_the_requests_are_on_their_way(
    requests: list[tuple[float, float, float]],
) -> None:
    """Each is asked for at a time, comes in up to 0.3 s after it was sent, and is answered later still."""
    pacer = Pacer()
    came_in: list[float] = []
    waiting = sorted((NOW + asked, way, answer) for asked, way, answer in requests)
    answers: list[tuple[float, float]] = []
    now = NOW
    for asked_at, way, answer in waiting:
        now = max(now, asked_at)
        while True:
            for sent_at, answered_at in [it for it in answers if it[1] <= now]:
                pacer.answered(sent_at, answered_at)
                answers.remove((sent_at, answered_at))
            if not (wait_s := pacer.reserve(now)):
                break
            now += wait_s
        came_in.append(now + way)
        answers.append((now, now + way + answer))
    came_in.sort()
    assert all(sixth - first >= 1 for first, sixth in zip(came_in, came_in[5:], strict=False))


def test_an_unanswered_request_keeps_its_place_for_a_moment_more() -> None:
    pacer = Pacer(per_second=5, burst=1)
    assert pacer.reserve(NOW) == 0
    assert pacer.reserve(NOW + 0.25) > 0
    assert pacer.reserve(NOW + 0.45) > 0
    assert pacer.reserve(NOW + 0.55) == 0


@pytest.mark.parametrize("limits", [{"per_second": 0}, {"burst": 0}])
def test_a_pace_of_nothing_is_refused(limits: dict[str, int]) -> None:
    with pytest.raises(InvalidRequest, match="Pacer"):
        Pacer(**limits)


def test_an_exhausted_endpoint_waits_for_its_next_period() -> None:
    pacer = Pacer()
    pacer.learn("commit", told(10, 0, NOW + 40), NOW)
    assert pacer.reserve(NOW, "commit") == 41
    assert pacer.reserve(NOW, "files") == 0
    assert pacer.reserve(NOW + 41, "commit") == 0


def test_a_look_at_the_wait_takes_no_place() -> None:
    pacer = Pacer()
    pacer.learn("commit", told(10, 2, NOW + 40), NOW)
    assert [pacer.wait_s(NOW, "commit") for _ in range(20)] == [0] * 20
    assert [pacer.reserve(NOW, "commit") for _ in range(3)] == [0, 0, 41]
    assert (pacer.wait_s(NOW, "commit"), pacer.wait_s(NOW, "files")) == (41, 0)


def test_the_remaining_places_are_counted_here_between_answers() -> None:
    pacer = Pacer(per_second=1000, burst=1000)
    pacer.learn("files", told(250, 3, NOW + 30), NOW)
    assert [pacer.reserve(NOW, "files") for _ in range(4)] == [0, 0, 0, 31]


def test_a_late_answer_of_the_same_period_gives_no_place_back() -> None:
    pacer = Pacer(per_second=1000, burst=1000)
    pacer.learn("files", told(250, 1, NOW + 30), NOW)
    pacer.learn("files", told(250, 9, NOW + 30), NOW)
    assert [pacer.reserve(NOW, "files") for _ in range(2)] == [0, 31]
    pacer.learn("files", told(250, 9, NOW + 90), NOW)
    assert pacer.reserve(NOW, "files") == 0


def test_headers_that_make_no_sense_change_nothing() -> None:
    pacer = Pacer()
    for headers in (
        {},
        {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "0"},
        told(10, 0, NOW - 5),
        told(10, 0, NOW + 5000),
        {**told(10, 0, NOW + 40), "x-ratelimit-remaining": "-1"},
        {**told(10, 0, NOW + 40), "x-ratelimit-retry-after": "soon"},
    ):
        pacer.learn("commit", headers, NOW)
        assert pacer.reserve(NOW - 3600, "other") >= 0
        assert pacer.reserve(NOW, "commit") < 1


def test_a_clock_set_back_does_not_stop_everything() -> None:
    pacer = Pacer()
    send_times(pacer, [NOW] * 10)
    pacer.learn("commit", told(10, 0, NOW + 40), NOW)
    assert pacer.reserve(NOW - 86_400, "commit") <= 1


def test_a_thread_that_comes_late_gets_no_place_of_its_own() -> None:
    pacer = Pacer()
    send_times(pacer, [NOW] * 4 + [NOW + 0.2])
    assert [pacer.reserve(NOW + 0.15) > 0 for _ in range(3)] == [True] * 3
    assert pacer.reserve(NOW + 1.05) == 0


def test_a_request_that_went_out_unasked_is_counted() -> None:
    pacer = Pacer(per_second=5, burst=1)
    pacer.spend(NOW)
    assert pacer.reserve(NOW) == pytest.approx(0.2, abs=0.01)
