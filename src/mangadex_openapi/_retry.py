"""When to send a request again: a pure function of the attempt, the operation and its outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx2

from mangadex_openapi._operations import Operation
from mangadex_openapi._rate_headers import retry_after_s
from mangadex_openapi.exceptions import LoginUnavailable

Outcome: TypeAlias = httpx2.Response | httpx2.RequestError | LoginUnavailable

NOT_ACTED_ON = {429: "refused by the rate limit before anything else"}
MAYBE_ACTED_ON = {
    408: "the service gave up waiting for the request",
    500: "the service failed somewhere on the way",
    502: "the front end lost the service",
    503: "the front end or the service is overloaded or down",
    504: "the front end did not wait for the answer",
}
"""The statuses that may pass, with the reason. All others would only come again."""

NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError, LoginUnavailable)
"""The service has not seen the request (of LoginUnavailable: not with a valid token)."""

HOPELESS = (httpx2.UnsupportedProtocol, httpx2.LocalProtocolError, httpx2.TooManyRedirects)


@dataclass(frozen=True, slots=True)
class Received:
    """An outcome, and when it came (unix seconds)."""

    outcome: Outcome
    at: float


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently to try.

    `attempts` counts the first one; waits double from `base_s` up to `max_s`, with jitter, unless the service names
    its own; all waits of one call together stay within `budget_s`.
    """

    attempts: int = 3
    base_s: float = 0.5
    max_s: float = 8.0
    budget_s: float = 180.0

    def wait_after(
        self, number: int, operation: Operation[Any], received: Received, *, waited_s: float = 0.0, jitter: float = 1.0
    ) -> float | None:
        """Seconds to wait before the next attempt after attempt `number`; None if there shall be none.

        `jitter` (0 to 1) is the share of the second half of the wait that is taken.
        """
        if number >= self.attempts or not may_repeat(operation, received.outcome):
            return None
        backoff_s: float = min(self.base_s * 2 ** (number - 1), self.max_s) * (0.5 + 0.5 * jitter)
        told_s = None
        if isinstance(received.outcome, httpx2.Response):
            told_s = retry_after_s(received.outcome.headers, received.at)
        wait_s = backoff_s if told_s is None else told_s
        return wait_s if waited_s + wait_s <= self.budget_s else None


def may_repeat(operation: Operation[Any], outcome: Outcome) -> bool:
    """Whether sending again is safe and has a chance."""
    if isinstance(outcome, httpx2.Response):
        if outcome.status_code in NOT_ACTED_ON:
            return True
        return outcome.status_code in MAYBE_ACTED_ON and operation.repeat.after_sending
    if isinstance(outcome, HOPELESS):
        return False
    return isinstance(outcome, NOT_SENT) or operation.repeat.after_sending
