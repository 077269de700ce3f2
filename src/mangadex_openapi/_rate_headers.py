"""The service's rate limit headers (contract 7.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

LONGEST_WAIT_S = 90.0
"""Limits are counted by the minute (contract 7.2); a longer wait means that the clocks differ."""

_MOST_DIGITS = 12


@dataclass(frozen=True, slots=True)
class RateHeaders:
    """`limit` requests in a period that ends at `resets_at` (unix seconds), of which `remaining` are left."""

    limit: int
    remaining: int
    resets_at: float

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> RateHeaders | None:
        """The three headers; None unless all are there as whole numbers."""
        values = [headers.get(f"x-ratelimit-{name}", "") for name in ("limit", "remaining", "retry-after")]
        if not all(_is_number(value) for value in values):
            return None
        limit, remaining, resets_at = map(int, values)
        return cls(limit, remaining, float(resets_at))


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds to wait as the answer says it: X-RateLimit-Retry-After (a unix time), else Retry-After.

    A second is added for the unix time, whose fraction is cut off; never more than LONGEST_WAIT_S.
    """
    value = headers.get("x-ratelimit-retry-after", "")
    if _is_number(value):
        return min(max(int(value) - now, 0.0) + 1.0, LONGEST_WAIT_S)
    value = headers.get("retry-after", "")
    if _is_number(value):
        return min(float(value), LONGEST_WAIT_S)
    try:
        return min(max(parsedate_to_datetime(value).timestamp() - now, 0.0), LONGEST_WAIT_S)
    except ValueError:
        return None


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= _MOST_DIGITS
