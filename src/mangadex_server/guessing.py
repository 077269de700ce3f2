"""How long somebody who keeps guessing secrets has to wait. Pure; the counts are in `failed_sign_ins`."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

CAP_S = 900.0
FORGET_S = 3_600.0
"""After the last failure; longer than the cap, or waiting would not add up."""

MAX_DOUBLINGS = 10
"""2 ** 10 s is over the cap."""


def wait_s(failures: int, last_at: float, now: float, *, free: int) -> float:
    """How long until the next try; 0 if it may be now. After `free` failures each further one doubles the wait."""
    if failures < free or now - last_at > FORGET_S:
        return 0.0
    pause_s = min(CAP_S, 2.0 ** min(failures - free, MAX_DOUBLINGS))
    return max(0.0, last_at + pause_s - now)


def network_of(address: str) -> str:
    """What one guesser has: an IPv4 address, or the /64 that an IPv6 host picks its addresses from (RFC 4291 2.5.4)."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    return str(parsed.ipv4_mapped or ip_network((int(parsed), 64), strict=False))
