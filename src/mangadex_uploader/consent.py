"""The terms of a service, which its user accepts: once, remembered with the date."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from mangadex_uploader import asking, places
from mangadex_uploader.errors import UsageError
from mangadex_uploader.options import Talking
from mangadex_uploader.output import Output

TERMS = "https://mangadex.org/compliance"


def check_terms(host: str, output: Output, talking: Talking, *, accepted_now: bool) -> None:
    """Make sure that the user has accepted the terms for this host.

    Raises:
        UsageError: they were not accepted.
    """
    consents = _consents()
    if host in consents:
        return
    if not accepted_now:
        if not asking.may_ask(talking):
            how = "give --accept-terms once, or set MANGADEX_ACCEPT_TERMS=1"
            raise UsageError(f"The terms of the service at {TERMS} are not accepted yet: read them, then {how}.")
        if not asking.agreed(f"Do you accept the terms of the service, {TERMS}?"):
            raise UsageError("Without accepting the terms nothing can be uploaded. Nothing was sent.")
    consents[host] = {"terms": TERMS, "accepted_at": datetime.now(UTC).isoformat(timespec="seconds")}
    places.write_private(places.consent_file(), json.dumps(consents, indent=1))
    output.detail(f"Remembered in {places.consent_file()}: the terms are accepted for {host}.")


def is_accepted(host: str) -> bool:
    """Whether the user has accepted the terms for this host.

    Raises:
        UsageError: the file that remembers it is damaged.
    """
    return host in _consents()


def _consents() -> dict[str, dict[str, str]]:
    try:
        consents = json.loads(places.consent_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        consents = None
    if not isinstance(consents, dict):
        raise UsageError(f"{places.consent_file()} is damaged: remove it, and accept the terms again.")
    return consents
