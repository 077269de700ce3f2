"""What may be sent again, when, and how often: all without a network or a clock."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

import mangadex_openapi as sdk
from mangadex_openapi import _account_operations as account
from mangadex_openapi import _catalog_operations as catalog
from mangadex_openapi import _chapter_operations as chapters
from mangadex_openapi import _upload_operations as uploads
from mangadex_openapi._calls import call
from mangadex_openapi._operations import Operation, Repeat
from mangadex_openapi._rate_headers import retry_after_s
from mangadex_openapi._retry import Received

NOW = 1_700_000_000.0
REQUEST = httpx2.Request("GET", "http://127.0.0.1/upload")
TABLE: list[tuple[Operation[Any], Repeat]] = [
    (uploads.get_upload_session(), Repeat.READ),
    (uploads.upload_check_approval_required(), Repeat.READ),
    (uploads.abandon_upload_session("s"), Repeat.SAME_END),
    (uploads.delete_uploaded_session_file("s", "f"), Repeat.SAME_END),
    (uploads.delete_uploaded_session_files("s"), Repeat.SAME_END),
    (uploads.begin_upload_session(), Repeat.OPENS),
    (uploads.begin_edit_session("c"), Repeat.OPENS),
    (uploads.put_upload_session_file("s"), Repeat.STORES),
    (uploads.commit_upload_session("s"), Repeat.PUBLISHES),
    (chapters.put_chapter_id("c"), Repeat.VERSIONED),
    (chapters.get_chapter(), Repeat.READ),
    (chapters.get_chapter_id("c"), Repeat.READ),
    (catalog.get_search_manga(), Repeat.READ),
    (catalog.get_manga_id("m"), Repeat.READ),
    (catalog.get_search_group(), Repeat.READ),
    (catalog.get_group_id("g"), Repeat.READ),
    (chapters.get_at_home_server_chapter_id("c"), Repeat.READ),
    (account.get_user_me(), Repeat.READ),
    (account.get_auth_check(), Repeat.READ),
]
OPERATIONS = {operation.name: (operation, repeat) for operation, repeat in TABLE}


def answer(status: int, **headers: str) -> Received:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Received(httpx2.Response(status, headers=named, request=REQUEST), NOW)


def lost(kind: type[httpx2.RequestError]) -> Received:
    return Received(kind("lost", request=REQUEST), NOW)


ALWAYS = [answer(429), lost(httpx2.ConnectError), lost(httpx2.ConnectTimeout), lost(httpx2.PoolTimeout)]
ALWAYS += [lost(httpx2.ProxyError), Received(sdk.LoginUnavailable("down"), NOW)]
UNCLEAR = [answer(status) for status in (408, 500, 502, 503, 504)]
UNCLEAR += [lost(httpx2.ReadTimeout), lost(httpx2.WriteTimeout), lost(httpx2.ReadError), lost(httpx2.WriteError)]
UNCLEAR += [lost(httpx2.RemoteProtocolError), lost(httpx2.DecodingError)]
NEVER = [answer(status) for status in (301, 400, 401, 403, 404, 409, 413, 422, 501)]
NEVER += [lost(httpx2.UnsupportedProtocol), lost(httpx2.LocalProtocolError)]


@pytest.mark.parametrize(("operation", "repeat"), OPERATIONS.values(), ids=OPERATIONS)
def test_the_table_of_repetition(operation: Operation[Any], repeat: Repeat) -> None:
    assert operation.repeat is repeat
    policy = sdk.RetryPolicy()
    for received in ALWAYS:
        assert policy.wait_after(1, operation, received) is not None
    for received in UNCLEAR:
        again = policy.wait_after(1, operation, received) is not None
        assert again == (repeat in (Repeat.READ, Repeat.SAME_END))
    for received in NEVER:
        assert policy.wait_after(1, operation, received) is None


def play(flow: Generator[float, Received, httpx2.Response], *received: Received) -> list[float]:
    """Feed outcomes; the waits that the flow asked for."""
    waits = [next(flow)]
    waits += [flow.send(item) for item in received]
    return waits


GET = OPERATIONS["get_upload_session"][0]
PUT = OPERATIONS["put_upload_session_file"][0]
ABANDON = OPERATIONS["abandon_upload_session"][0]


def test_waits_double_up_to_a_cap() -> None:
    policy = sdk.RetryPolicy(attempts=9, base_s=0.5, max_s=8)
    waits = [policy.wait_after(number, GET, answer(503)) for number in range(1, 10)]
    assert waits == [0.5, 1, 2, 4, 8, 8, 8, 8, None]


def test_jitter_takes_up_to_half_of_the_wait() -> None:
    policy = sdk.RetryPolicy(base_s=4)
    assert [policy.wait_after(1, GET, answer(503), jitter=share) for share in (0.0, 0.5, 1.0)] == [2, 3, 4]


def test_the_budget_of_waiting_holds() -> None:
    policy = sdk.RetryPolicy(attempts=99, budget_s=100)
    flow = call(PUT, policy)
    told = answer(429, x_ratelimit_retry_after=str(int(NOW) + 59))
    assert play(flow, told) == [0, 60]
    with pytest.raises(sdk.RateLimited):
        flow.send(told)


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"x-ratelimit-retry-after": str(int(NOW) + 30)}, 31),
        ({"x-ratelimit-retry-after": str(int(NOW) + 30), "retry-after": "5"}, 31),
        ({"x-ratelimit-retry-after": str(int(NOW) - 500)}, 1),
        ({"x-ratelimit-retry-after": str(int(NOW) + 5000)}, 90),
        ({"x-ratelimit-retry-after": "soon"}, None),
        ({"retry-after": "7"}, 7),
        ({"retry-after": "7000"}, 90),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
        ({"retry-after": "whenever"}, None),
        ({"retry-after": "-3"}, None),
        ({}, None),
    ],
)
def test_the_services_own_wait_is_obeyed_up_to_a_cap(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(httpx2.Headers(headers), NOW) == wait_s


def test_a_success_after_failures_is_returned() -> None:
    flow = call(GET, sdk.RetryPolicy(base_s=0))
    assert play(flow, lost(httpx2.ReadError), answer(502)) == [0, 0, 0]
    with pytest.raises(StopIteration) as done:
        flow.send(answer(200))
    assert done.value.value.status_code == 200


def test_zero_retries_send_once() -> None:
    flow = call(GET, sdk.Configuration(retries=0).retries)
    next(flow)
    with pytest.raises(sdk.Service) as caught:
        flow.send(answer(503))
    assert caught.value.attempts == 1


def test_a_404_is_success_only_after_a_lost_answer_of_a_removal() -> None:
    for before, gone_is_done in (
        (lost(httpx2.ReadTimeout), True),
        (answer(502), True),
        (answer(408), True),
        (answer(429), False),
    ):
        flow = call(ABANDON, sdk.RetryPolicy(base_s=0))
        play(flow, before)
        with pytest.raises(StopIteration if gone_is_done else sdk.NotFound):
            flow.send(answer(404))
    flow = call(GET, sdk.RetryPolicy(base_s=0))
    play(flow, lost(httpx2.ReadTimeout))
    with pytest.raises(sdk.NotFound):
        flow.send(answer(404))


def test_a_lost_answer_is_remembered_when_the_last_attempt_found_nobody() -> None:
    flow = call(GET, sdk.RetryPolicy(attempts=2, base_s=0))
    play(flow, lost(httpx2.ReadTimeout))
    with pytest.raises(sdk.ConnectionFailed) as caught:
        flow.send(lost(httpx2.ConnectError))
    assert caught.value.maybe_sent is True


@pytest.mark.parametrize(
    ("kind", "ours"),
    [
        (httpx2.ReadTimeout, sdk.TimedOut),
        (httpx2.WriteTimeout, sdk.TimedOut),
        (httpx2.ConnectTimeout, sdk.TimedOut),
        (httpx2.PoolTimeout, sdk.TimedOut),
        (httpx2.ReadError, sdk.ConnectionFailed),
        (httpx2.RemoteProtocolError, sdk.ConnectionFailed),
        (httpx2.UnsupportedProtocol, sdk.ConnectionFailed),
    ],
)
def test_no_foreign_error_comes_out(kind: type[httpx2.RequestError], ours: type[Exception]) -> None:
    flow = call(PUT, sdk.RetryPolicy(attempts=1))
    next(flow)
    with pytest.raises(sdk.ConnectionFailed) as caught:
        flow.send(lost(kind))
    assert type(caught.value) is ours
    assert isinstance(caught.value.__cause__, kind)


@given(
    st.lists(st.sampled_from([*ALWAYS, *UNCLEAR, *NEVER]), min_size=20, max_size=20),
    st.sampled_from([GET, PUT, ABANDON]),
)
def test_every_run_of_bad_luck_ends(outcomes: list[Received], operation: Operation[Any]) -> None:
    policy = sdk.RetryPolicy(attempts=4)
    flow = call(operation, policy)
    next(flow)
    assert 1 <= sent_until_the_end(flow, outcomes, policy) <= policy.attempts


def sent_until_the_end(
    flow: Generator[float, Received, httpx2.Response], outcomes: list[Received], policy: sdk.RetryPolicy
) -> int:
    for number, received in enumerate(outcomes, start=1):
        try:
            wait_s = flow.send(received)
        except (sdk.OpenApiException, StopIteration):
            return number
        assert 0 <= wait_s <= policy.max_s
    return len(outcomes)
