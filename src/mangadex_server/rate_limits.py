"""The service's request limits (contract 7): which request counts against what, and the headers that say so."""

from __future__ import annotations

import logging
import math
import re
import time
from dataclasses import dataclass
from typing import Any

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter
from limits.errors import StorageError

from mangadex_server.tokens import REALM

logger = logging.getLogger(__name__)

_ID = r"[^/]+"

ENDPOINTS: list[tuple[str, str, str, int | None]] = [
    ("GET", r"/upload", "get", 30),
    ("POST", rf"/upload/begin(/{_ID})?", "begin", 20),
    ("POST", r"/upload/check-approval-required", "check", None),
    ("POST", rf"/upload/{_ID}", "files", 250),
    ("DELETE", rf"/upload/{_ID}/{_ID}", "files", 250),
    ("POST", rf"/upload/{_ID}/commit", "commit", 10),
    ("DELETE", rf"/upload/{_ID}", "abandon", 30),
    ("GET", rf"/at-home/server/{_ID}", "at-home", 40),
    ("PUT", rf"/chapter/{_ID}", "put-chapter", 10),
    ("DELETE", rf"/chapter/{_ID}", "delete-chapter", 10),
]
"""Method, path, counter and requests a minute (contract 7.2); None: the global limit only."""

_TABLE = [(method, re.compile(path), counter, limit) for method, path, counter, limit in ENDPOINTS]

GLOBAL = RateLimitItemPerSecond(5)
"""Of an address, for the API and for signing in each, which are two hosts at MangaDex (contract 7.1)."""

UNCOUNTED = re.compile(r"/(data|data-saver|healthz|metrics|docs|openapi\.json|sandbox)(/.*)?")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass, and the headers for its answer."""

    passes: bool
    headers: dict[str, str]


def endpoint(method: str, path: str) -> tuple[str, int | None] | None:
    """The counter of a request and its limit a minute; None for requests with neither rate headers nor a row."""
    for row_method, pattern, counter, limit in _TABLE:
        if method == row_method and pattern.fullmatch(path):
            return counter, limit
    return None


STORE_TIMEOUT_S = 0.5
"""Every request waits for the store of the counters, also when it is away."""


def storage_at(limits_url: str | None) -> Storage:
    """Where requests are counted: in this process, or in Valkey for all nodes together."""
    if limits_url is None:
        return MemoryStorage(wrap_exceptions=True)
    return RedisStorage(
        f"async+{limits_url}",
        wrap_exceptions=True,
        implementation="valkey",
        socket_connect_timeout=STORE_TIMEOUT_S,
        socket_timeout=STORE_TIMEOUT_S,
    )


class RateLimits:
    """Counts requests. When the store of the counters is away, requests pass, and the log says so."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._is_away = False
        self._windows = FixedWindowRateLimiter(storage)
        self._moving = MovingWindowRateLimiter(storage)

    async def close(self) -> None:
        """Give connections to the store back."""
        if isinstance(self._storage, RedisStorage):
            bridge: Any = self._storage.bridge  # without the type of what it has
            await bridge.storage.aclose()

    async def check(self, method: str, path: str, *, address: str, account: str) -> Verdict:
        """Count one request of this address and account."""
        if UNCOUNTED.fullmatch(path):
            return Verdict(passes=True, headers={})
        try:
            verdict = await self._counted(method, path, address, account)
        except StorageError as error:
            if not self._is_away:
                logger.warning("rate limits are off: their store does not answer (%s)", error)
            self._is_away = True
            return Verdict(passes=True, headers={})
        if self._is_away:
            logger.warning("rate limits are on again: their store answers")
        self._is_away = False
        return verdict

    async def _counted(self, method: str, path: str, address: str, account: str) -> Verdict:
        row = endpoint(method, path)
        host = "sign-in" if path.startswith(f"{REALM}/") else "moving"
        if not await self._moving.hit(GLOBAL, host, address):
            return Verdict(False, _of_refused(await self._headers(GLOBAL, self._moving, host, address)))
        if row is None:
            return Verdict(passes=True, headers={})
        counter, per_minute = row
        if per_minute is None:
            return Verdict(passes=True, headers=await self._headers(GLOBAL, self._moving, "moving", address))
        item = RateLimitItemPerMinute(per_minute)
        passes = await self._windows.hit(item, "fixed", counter, account)
        headers = await self._headers(item, self._windows, "fixed", counter, account)
        return Verdict(passes, headers if passes else _of_refused(headers))

    @staticmethod
    async def _headers(
        item: RateLimitItem, limiter: FixedWindowRateLimiter | MovingWindowRateLimiter, *keys: str
    ) -> dict[str, str]:
        reset_at, remaining = await limiter.get_window_stats(item, *keys)
        return {
            "X-RateLimit-Limit": str(item.amount),
            "X-RateLimit-Remaining": str(max(0, remaining)),
            "X-RateLimit-Retry-After": str(math.ceil(reset_at)),
        }


def _of_refused(headers: dict[str, str]) -> dict[str, str]:
    """What a 429 says, also where the window has ended since it was counted: wait, until a time to come."""
    soon = math.floor(time.time()) + 1
    retry_after = max(soon, int(headers["X-RateLimit-Retry-After"]))
    return headers | {"X-RateLimit-Remaining": "0", "X-RateLimit-Retry-After": str(retry_after)}
