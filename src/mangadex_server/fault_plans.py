"""Which fault a request of the sandbox meets: the faults there are, and plans that count requests. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from mangadex_server.errors import Invalid

INSTEAD = frozenset({"401", "429", "429-without-time", "500", "503"})
"""Answered instead: the request has no effect."""

AFTERWARDS = frozenset({"500-after", "503-after"})
"""Answered although the request had its effect."""

DROPS = frozenset({"drop-in-request", "drop-before", "drop-after", "drop-in-answer"})
STALLS = frozenset({"stall", "stall-after"})
KINDS = INSTEAD | AFTERWARDS | DROPS | STALLS | {"late", "reject-page"}

MAX_WAIT_S = 3600
SOON_S = 1.0
FIELDS = "fault, and any of method, path, after, times, wait_s, at_byte, page"


@dataclass(slots=True)
class Plan:
    """A fault and the requests that meet it; the language is described in docs/sandbox.md."""

    fault: str
    method: str = ".*"
    path: str = ".*"
    after: int = 0
    times: int = 1
    wait_s: float | None = None
    at_byte: int = 1
    page: int = 1

    def meets(self, method: str, path: str) -> bool:
        """Count a request, and tell whether it meets the fault."""
        if self.times == 0 or not (re.fullmatch(self.method, method) and re.fullmatch(self.path, path)):
            return False
        if self.after > 0:
            self.after -= 1
            return False
        self.times -= 1
        return True

    def waits_s(self) -> float:
        """How long it waits, in seconds; who stalls does so until the client gives up, if nothing else is said."""
        if self.wait_s is not None:
            return self.wait_s
        return MAX_WAIT_S if self.fault in STALLS else SOON_S


def plan_of(body: bytes) -> Plan:
    """The plan in a body.

    Raises:
        Invalid: it is none.
    """
    try:
        plan = Plan(**json.loads(body))
        re.compile(plan.method)
        re.compile(plan.path)
        _check_numbers(plan)
    except (ValueError, TypeError, RecursionError, re.error) as error:
        raise Invalid(f"This is no fault ({error}). Send {FIELDS}.") from None
    known(plan.fault)
    return plan


def known(fault: object) -> None:
    """Look a fault up.

    Raises:
        Invalid: there is none of this name; the message lists them.
    """
    if not isinstance(fault, str) or fault not in KINDS:
        raise Invalid(f"There is no fault {fault!r:.80}. There are: {', '.join(sorted(KINDS))}.")


def _check_numbers(plan: Plan) -> None:
    for name, least in (("after", 0), ("times", 0), ("at_byte", 0), ("page", 1)):
        if type(getattr(plan, name)) is not int or getattr(plan, name) < least:
            raise ValueError(f"{name} is not a whole number from {least}")
    if plan.wait_s is not None and (type(plan.wait_s) not in (int, float) or not 0 <= plan.wait_s <= MAX_WAIT_S):
        raise ValueError(f"wait_s is not a number from 0 to {MAX_WAIT_S}")
