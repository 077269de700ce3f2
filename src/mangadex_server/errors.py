"""Why the service refuses: one class per reaction of the caller, and the table that gives each its place on the wire.

The classes know no HTTP; only `ON_THE_WIRE` does (contract 8).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import NAMESPACE_URL, uuid5


class ServiceError(Exception):
    """A refusal. `detail` is a sentence for people that says what to do."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(ServiceError):
    """The request has to be corrected."""


class Unauthenticated(ServiceError):
    """There is no valid access token."""


class NotEntitled(ServiceError):
    """Signed in, but without the right to edit this chapter (contract 5.2: 401)."""


class NotPermitted(ServiceError):
    """Signed in, but the account may not do this."""


class NotFound(ServiceError):
    """No such thing, or none that this account may see."""


class NotAllowedMethod(ServiceError):
    """The path is there, the method is not."""


class SlowRequest(ServiceError):
    """The body did not come in time."""


class InConflict(ServiceError):
    """The present state does not allow it."""


class TooLarge(ServiceError):
    """A body over its limit."""


class LimitReached(ServiceError):
    """Too many requests."""


class Overloaded(ServiceError):
    """Too much at once; try again."""


class Unavailable(ServiceError):
    """The database or the store of pages does not answer; try again."""


class OutOfSpace(ServiceError):
    """The disk is below its floor."""


@dataclass(frozen=True, slots=True)
class OnTheWire:
    """Status and title of a kind of error; `id` is the same for every occurrence (contract 8.1)."""

    status: int
    title: str
    recorded_id: str | None = None  # what the real service was seen to send (contract 8.2)

    @property
    def id(self) -> str:
        """The same for every occurrence."""
        return self.recorded_id or str(uuid5(NAMESPACE_URL, f"mangadex-server:{self.status}:{self.title}"))


ON_THE_WIRE: dict[type[ServiceError], OnTheWire] = {
    Invalid: OnTheWire(400, "validation_exception", "9c346772-7b14-5982-b4b6-7b5888522762"),
    Unauthenticated: OnTheWire(401, "unauthorized_http_exception"),
    NotEntitled: OnTheWire(401, "unauthorized_http_exception"),
    NotPermitted: OnTheWire(403, "access_denied_http_exception"),
    NotFound: OnTheWire(404, "not_found_http_exception", "770a6444-c695-570d-bfd2-a0eec2e95ce9"),
    NotAllowedMethod: OnTheWire(405, "method_not_allowed_http_exception"),
    SlowRequest: OnTheWire(408, "request_timeout_http_exception"),
    InConflict: OnTheWire(409, "conflict_http_exception"),
    TooLarge: OnTheWire(413, "payload_too_large_http_exception"),
    LimitReached: OnTheWire(429, "too_many_requests_http_exception"),
    Overloaded: OnTheWire(503, "service_unavailable_http_exception"),
    Unavailable: OnTheWire(503, "service_unavailable_http_exception"),
    OutOfSpace: OnTheWire(507, "insufficient_storage_http_exception"),
}
