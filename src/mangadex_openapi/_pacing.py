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

_LONGEST_WAY_S = 0.3
"""After which the head of a request has come in, however long its pages take."""


@dataclass(slots=True)
class _Window:
    remaining: int
    resets_at: float


class Pacer:
    """Shares the service's limits among all who send: 5 requests in any second (contract 7.1), and what each
    endpoint's own headers say (contract 7.2).

    The second of a request is counted from its answer, since nobody here knows when it came in there, but from 0.3 s
    after it was sent at the latest. Heads that take longer, as behind a slow sign-in, may come too close together; the
    service's 429 is waited for then.

    One Pacer belongs to one account and address: give the same one to every Configuration that uses them.
    """

    def __init__(self, per_second: float = 5.0, burst: int = 5) -> None:
        """At most `burst` requests in any `burst / per_second` seconds."""
        if per_second <= 0 or burst < 1:
            raise InvalidRequest("pacing", "a Pacer needs more than 0 a second and a burst of at least 1")
        self._places = burst
        self._span_s = burst / per_second + _CLOCK_GRAIN_S
        self._on_their_way: list[float] = []
        self._arrived: list[float] = []
        self._windows: dict[str, _Window] = {}
        self._lock = Lock()

    def reserve(self, now: float, endpoint: str = "") -> float:
        """Take a place for a request to this endpoint, at `now` (unix seconds).

        Returns 0 where the place is taken and the request may go now, otherwise the seconds after which to ask again.
        """
        with self._lock:
            if wait_s := self._wait_s(now, endpoint):
                return wait_s
            self._on_their_way.append(now)
            self._count(endpoint)
            return 0.0

    def wait_s(self, now: float, endpoint: str = "") -> float:
        """What `reserve` would return, in seconds; no place is taken."""
        with self._lock:
            return self._wait_s(now, endpoint)

    def answered(self, sent_at: float, now: float) -> None:
        """Count a request from now: it was sent at `sent_at`, the `now` at which its place was taken."""
        with self._lock:
            if sent_at in self._on_their_way:
                self._on_their_way.remove(sent_at)
                self._arrived.append(now)

    def spend(self, now: float, endpoint: str = "") -> None:
        """Take a place for a request that went out without asking, such as the one after a 401."""
        with self._lock:
            self._arrived.append(now)
            self._count(endpoint)

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

    def _count(self, endpoint: str) -> None:
        if window := self._windows.get(endpoint):
            window.remaining -= 1

    def _wait_s(self, now: float, endpoint: str) -> float:
        wait_s = max(self._span_wait_s(now), self._window_wait_s(now, endpoint))
        return wait_s if wait_s >= _CLOCK_GRAIN_S else 0.0

    def _span_wait_s(self, now: float) -> float:
        known = [at for at in self._on_their_way if at <= now + _CLOCK_STEP_S]
        self._on_their_way = [at for at in known if at + _LONGEST_WAY_S > now]
        self._arrived += [at + _LONGEST_WAY_S for at in known if at + _LONGEST_WAY_S <= now]
        self._arrived = [at for at in self._arrived if now - self._span_s < at <= now + _CLOCK_STEP_S]
        soonest = sorted(self._arrived) + [now] * len(self._on_their_way)
        is_free = len(soonest) < self._places
        return 0.0 if is_free else soonest[len(soonest) - self._places] + self._span_s - now

    def _window_wait_s(self, now: float, endpoint: str) -> float:
        window = self._windows.get(endpoint)
        if window is None:
            return 0.0
        left_s = window.resets_at - now
        if not 0.0 < left_s <= LONGEST_WAIT_S:  # over, or the clock was set back
            del self._windows[endpoint]
            return 0.0
        return left_s + 1.0 if window.remaining <= 0 else 0.0
