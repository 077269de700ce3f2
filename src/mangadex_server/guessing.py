"""How long somebody who keeps guessing secrets has to wait. Pure: the caller brings the time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

CAP_S = 900.0
FORGET_S = 3_600.0
"""After the last failure; longer than the cap, or waiting would not add up."""

CAPACITY = 10_000
"""Names and addresses remembered, some 2 MB; the ones that failed longest ago go first."""

MAX_DOUBLINGS = 10
"""2 ** 10 s is over the cap."""


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    last_at: float


class Guessing:
    """Counts failures by key; after `free` of them each further one doubles the wait, from one second on."""

    def __init__(self, free: int, capacity: int = CAPACITY) -> None:
        self._free = free
        self._capacity = capacity
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, key: str, now: float) -> float:
        """How long until this key may try again; 0 if it may."""
        failures = self._known(key, now)
        if failures.count < self._free:
            return 0.0
        pause_s = min(CAP_S, 2.0 ** min(failures.count - self._free, MAX_DOUBLINGS))
        return max(0.0, failures.last_at + pause_s - now)

    def failed(self, key: str, now: float) -> None:
        """Count a wrong guess."""
        self._failures[key] = _Failures(self._known(key, now).count + 1, now)
        self._failures.move_to_end(key)
        if len(self._failures) > self._capacity:
            self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        """Forget the failures of a key."""
        self._failures.pop(key, None)

    def _known(self, key: str, now: float) -> _Failures:
        failures = self._failures.get(key)
        if failures is None or now - failures.last_at > FORGET_S:
            return _Failures(0, now)
        return failures


def network_of(address: str) -> str:
    """What one guesser has: an IPv4 address, or the /64 that an IPv6 host picks its addresses from (RFC 4291 2.5.4)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((int(parsed), 64), strict=False))
