"""One call of an operation, with its retries, as a generator without I/O; and what becomes of its last answer."""

from __future__ import annotations

import json
import random
import ssl
from collections.abc import Generator
from typing import Any, TypeVar

import httpx2

from mangadex_openapi._operations import Operation, Repeat
from mangadex_openapi._rate_headers import retry_after_s
from mangadex_openapi._retry import HOPELESS, MAYBE_ACTED_ON, NOT_SENT, Received, RetryPolicy
from mangadex_openapi.exceptions import (
    BY_STATUS,
    ApiException,
    ConnectionFailed,
    InvalidRequest,
    LoginUnavailable,
    RateLimited,
    Service,
    TimedOut,
    UnexpectedAnswer,
)
from mangadex_openapi.models import Error

T = TypeVar("T")


def call(
    operation: Operation[T], policy: RetryPolicy, *, any_status: bool = False
) -> Generator[float, Received, httpx2.Response]:
    """Send one operation until there is an answer to return.

    Each yield asks to wait that many seconds, then to send, and takes what came. The answer is a success, or what
    `_already_gone` takes for one; with `any_status` the last answer is returned whatever it is.

    Raises:
        ApiException: the last answer is an error.
        ConnectionFailed: the last attempt had no answer.
        LoginUnavailable: there was no access token to be had.
    """
    number, wait_s, waited_s, answer_lost = 1, 0.0, 0.0, False
    while True:
        received = yield wait_s
        outcome = received.outcome
        if isinstance(outcome, httpx2.Response) and (
            outcome.is_success or _already_gone(operation, outcome, answer_lost)
        ):
            return outcome
        wait = policy.wait_after(number, operation, received, waited_s=waited_s, jitter=random.random())  # noqa: S311 - spreads retries
        if wait is None:
            if any_status and isinstance(outcome, httpx2.Response):
                return outcome
            raise _failure(operation, received, number, maybe_sent=answer_lost or _may_have_acted(outcome))
        answer_lost = answer_lost or _may_have_acted(outcome)
        number, wait_s, waited_s = number + 1, wait, waited_s + wait


def read_answer(operation: Operation[T], response: httpx2.Response) -> T:
    """The answer as its model.

    Raises:
        UnexpectedAnswer: a success whose body is not the operation's answer.
    """
    if response.status_code == httpx2.codes.NOT_FOUND:
        return operation.read(None)
    try:
        body = json.loads(response.content) if response.content.strip() else None
        return operation.read(body)
    except (ValueError, RecursionError) as error:  # not JSON, or an InvalidRequest of the model
        problem = str(error) if isinstance(error, InvalidRequest) else "not JSON"
        raise UnexpectedAnswer(
            response.status_code,
            response.reason_phrase,
            headers=response.headers,
            body=f"({problem}) {text_of(response)}",
            request_id=response.headers.get("x-request-id"),
            operation=operation.name,
        ) from error


def _already_gone(operation: Operation[Any], response: httpx2.Response, answer_lost: bool) -> bool:
    """Whether a 404 means that an earlier attempt, whose answer was lost, removed the thing (contract 14.6)."""
    return answer_lost and operation.repeat is Repeat.SAME_END and response.status_code == httpx2.codes.NOT_FOUND


def _may_have_acted(outcome: object) -> bool:
    if isinstance(outcome, httpx2.Response):
        return outcome.status_code in MAYBE_ACTED_ON
    return not isinstance(outcome, NOT_SENT + HOPELESS)


def _failure(operation: Operation[Any], received: Received, attempts: int, *, maybe_sent: bool) -> Exception:
    outcome = received.outcome
    if isinstance(outcome, LoginUnavailable):
        return outcome
    if isinstance(outcome, httpx2.Response):
        return api_exception(operation, outcome, received.at, attempts)
    return connection_failure(operation.name, outcome, maybe_sent=maybe_sent, attempts=attempts)


def connection_failure(
    operation: str, error: httpx2.RequestError, *, maybe_sent: bool = True, attempts: int = 1
) -> ConnectionFailed:
    """Our error for one of the HTTP library's, which becomes its cause."""
    kind = TimedOut if isinstance(error, httpx2.TimeoutException) else ConnectionFailed
    failure = kind(operation, _problem(error), maybe_sent=maybe_sent, attempts=attempts)
    failure.__cause__ = error
    return failure


def foreign_failure(error: ssl.SSLError | ConnectionError, request: httpx2.Request) -> httpx2.RequestError:
    """What the HTTP library should have made of an error of the socket or of TLS."""
    failure = httpx2.ReadError(str(error), request=request)
    failure.__cause__ = error
    return failure


def _problem(error: httpx2.RequestError) -> str:  # noqa: PLR0911 - a table of kinds
    host = _host(error)
    match error:
        case httpx2.ConnectTimeout():
            return f"{host} did not accept a connection in time"
        case httpx2.PoolTimeout():
            return "no connection of the pool became free in time (are all raw answers closed?)"
        case httpx2.WriteTimeout():
            return f"{host} stopped taking the request"
        case httpx2.ReadTimeout():
            return f"{host} did not answer in time"
        case httpx2.LocalProtocolError():
            return "the request cannot be sent as HTTP"  # the library's words would repeat headers
        case httpx2.ConnectError():
            return f"no connection to {host} ({error})"
        case _:
            return f"the connection to {host} broke ({str(error) or type(error).__name__})"


def _host(error: httpx2.RequestError) -> str:
    try:
        return error.request.url.host
    except RuntimeError:  # it was not made for a request
        return "the host"


def text_of(response: httpx2.Response) -> str:
    """The body as text, whatever the answer says of its encoding."""
    return response.content.decode("utf-8", "replace")


def api_exception(operation: Operation[Any], response: httpx2.Response, now: float, attempts: int) -> ApiException:
    """The error for an answer, whatever its body is (contract 14.4)."""
    status = response.status_code
    kind = Service if status >= 500 else BY_STATUS.get(status, ApiException)
    failure = kind(
        status,
        response.reason_phrase or "no reason",
        headers=response.headers,
        body=text_of(response),
        errors=_errors(response.content),
        request_id=response.headers.get("x-request-id"),
        operation=operation.name,
        attempts=attempts,
    )
    if isinstance(failure, RateLimited):
        failure.retry_after_s = retry_after_s(response.headers, now)
    return failure


def _errors(content: bytes) -> list[Error]:
    try:
        body = json.loads(content)
        entries = body.get("errors") if isinstance(body, dict) else None
        return [Error.from_dict(entry) for entry in entries] if isinstance(entries, list) else []
    except (ValueError, RecursionError):
        return []
