"""When a request may be sent so that the service's limits hold. Pure but for its own state and lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from mangadex_openapi._rate_headers import LONGEST_WAIT_S, RateHeaders
from mangadex_openapi.exceptions import InvalidRequest

_CLOCK_GRAIN_S = 0.001
"""Shorter waits are rounding."""

_CLOCK_STEP_S = 1.0
"""A clock that is further back was set back; less is the order in which threads get here."""


@dataclass(slots=True)
class _Window:
    remaining: int
    resets_at: float


class Pacer:
    """Shares the service's limits among all who send: 5 requests a second (contract 7.1), and what each
    endpoint's own headers say (contract 7.2).

    One Pacer belongs to one account and address: give the same one to every Configuration that uses them.
    """

    def __init__(self, per_second: float = 5.0, burst: int = 5) -> None:
        if per_second <= 0 or burst < 1:
            raise InvalidRequest("pacing", "a Pacer needs more than 0 a second and a burst of at least 1")
        self._interval_s = 1.0 / per_second
        self._burst_s = (burst - 1) * self._interval_s
        self._due_at = 0.0
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()

    def reserve(self, now: float, endpoint: str = "") -> float:
        """Take a place for a request to this endpoint, at `now` (unix seconds).

        Returns 0 where the place is taken and the request may go now, otherwise the seconds after which to ask again.
        """
        with self._lock:
            wait_s = max(self._bucket_wait_s(now), self._window_wait_s(now, endpoint))
            if wait_s < _CLOCK_GRAIN_S:
                self._take(now, endpoint)
                return 0.0
            return wait_s

    def spend(self, now: float, endpoint: str = "") -> None:
        """Take a place for a request that went out without asking, such as the one after a 401."""
        with self._lock:
            self._take(now, endpoint)

    def learn(self, endpoint: str, headers: Mapping[str, str], now: float) -> None:
        """Take in the headers of an answer from this endpoint."""
        told = RateHeaders.read(headers)
        if told is None or not now < told.resets_at <= now + LONGEST_WAIT_S:
            return
        with self._lock:
            known = self._windows.get(endpoint)
            same_window = known is not None and known.resets_at == told.resets_at
            remaining = min(known.remaining, told.remaining) if known and same_window else told.remaining
            self._windows[endpoint] = _Window(remaining, told.resets_at)

    def _take(self, now: float, endpoint: str) -> None:
        self._due_at = max(self._due_at, now) + self._interval_s
        if window := self._windows.get(endpoint):
            window.remaining -= 1

    def _bucket_wait_s(self, now: float) -> float:
        if self._due_at > now + self._burst_s + self._interval_s + _CLOCK_STEP_S:  # the clock was set back
            self._due_at = now
        return self._due_at - self._burst_s - now

    def _window_wait_s(self, now: float, endpoint: str) -> float:
        window = self._windows.get(endpoint)
        if window is None:
            return 0.0
        left_s = window.resets_at - now
        if not 0.0 < left_s <= LONGEST_WAIT_S:  # over, or the clock was set back
            del self._windows[endpoint]
            return 0.0
        return left_s + 1.0 if window.remaining <= 0 else 0.0
