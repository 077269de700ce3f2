"""Everything this package raises, one class per reaction of the caller.

OpenApiException
├── InvalidRequest              fix the value named in `field`; nothing was sent (also a ValueError)
├── ApiException                the service answered, and it is not a success
│   ├── BadRequest (400)  Unauthorized (401)  Forbidden (403)  NotFound (404)  Conflict (409)
│   ├── PayloadTooLarge (413)  UnprocessableEntity (422)
│   ├── RateLimited (429)       wait `retry_after_s`
│   ├── Service (5xx)           try again later
│   └── UnexpectedAnswer        a success that cannot be read, so its effect has to be looked up
├── ConnectionFailed            no answer; `maybe_sent` tells whether the service may have acted
│   └── TimedOut
└── LoginFailed                 no access token
    ├── LoginRefused            fix the credentials
    └── LoginUnavailable        try again later

The texts never contain a token or a password.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mangadex_openapi.models.error import Error


class OpenApiException(Exception):
    """The base of all errors of this package."""


class InvalidRequest(OpenApiException, ValueError):
    """A given value was refused before it was sent, or a file could not be read to its end.

    `field` is the parameter or field to correct, dotted where it lies inside a model.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field = field
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class ApiException(OpenApiException):
    """The service answered with something other than a readable success.

    `status` and `reason` are the HTTP status line, `headers` and `body` the answer as it came,
    `errors` the service's own error objects where it sent any, `request_id` its X-Request-ID,
    `operation` the method that was called and `attempts` how often it was sent.
    """

    _advice = "This status is not documented; look at the body."

    def __init__(
        self,
        status: int | None = None,
        reason: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        body: str = "",
        errors: list[Error] | None = None,
        request_id: str | None = None,
        operation: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
        self.headers: Mapping[str, str] = headers or {}
        self.body = body
        self.errors: list[Error] = errors or []
        self.request_id = request_id
        self.operation = operation
        self.attempts = attempts

    @property
    def advice(self) -> str:
        """What to do, in a sentence."""
        if self.status is not None and 300 <= self.status < 400:
            return (
                f"The service points to {self.headers.get('location', 'another address')}; the token does not go "
                "there. If that is the service, set it as host in the Configuration."
            )
        return self._advice

    def __str__(self) -> str:
        said = "; ".join(error.detail or error.title or "" for error in self.errors)
        text = f"({self.status}) {self.reason}: {self.operation}: {said or self._without_errors()}"
        text = f"{text.rstrip('. ')}. {self.advice}"
        notes = [f"request id {self.request_id}"] if self.request_id else []
        if self.attempts > 1:
            notes.append(f"{self.attempts} attempts")
        return f"{text} [{', '.join(notes)}]" if notes else text

    def _without_errors(self) -> str:
        if not self.body.strip():
            return "the service gave no reason"
        return f"the service answered without its error format: {' '.join(self.body.split())[:200]}"


class BadRequest(ApiException):
    """400: the service does not accept the request as it is."""

    _advice = "Correct the request; the same one will fail again."


class Unauthorized(ApiException):
    """401: no valid access token, or (begin_edit_session) no right to edit that chapter."""

    _advice = "Sign in again or renew the access token; for an edit, check that the account may edit the chapter."


class Forbidden(ApiException):
    """403: a captcha, a missing permission, or a ban (contract 8.4)."""

    @property
    def advice(self) -> str:
        """What to do about this kind of 403."""
        titles = {error.title for error in self.errors}
        if "captcha_required_exception" in titles or "x-captcha-sitekey" in self.headers:
            return "The service asks for a captcha: solve it on its website, then try again."
        if self.errors:
            return "The account lacks the permission; trying again will not help."
        return "Perhaps a ban, a missing User-Agent or a proxy that adds Via: stop all requests for a good while."


class NotFound(ApiException):
    """404: no such object, or none that this account may see."""

    _advice = "Check the id, and that it belongs to this account."


class Conflict(ApiException):
    """409: a session is open already, or the version is stale."""

    _advice = "Look at the present state (get_upload_session, or the chapter's version) before trying again."


class PayloadTooLarge(ApiException):
    """413: the request's body is over a limit."""

    _advice = "Send fewer or smaller pages in one request."


class UnprocessableEntity(ApiException):
    """422: well formed, but not acceptable."""

    _advice = "Correct the request; the same one will fail again."


class RateLimited(ApiException):
    """429: too many requests. `retry_after_s` is the wait that the service asked for, if it did."""

    retry_after_s: float | None = None

    @property
    def advice(self) -> str:
        """When to try again."""
        if self.retry_after_s is None:
            return "Wait a minute, then send fewer requests a second."
        return f"Try again in {self.retry_after_s:.0f} s."


class Service(ApiException):
    """5xx: the service or the front end before it failed."""

    _advice = "Try again later; if the request could change something, look first whether it did."


class UnexpectedAnswer(ApiException):
    """A success status with a body that is not what the operation answers."""

    _advice = (
        "The request may have had its effect: look it up before sending it again, and check that the host is right."
    )


class ConnectionFailed(OpenApiException):
    """No complete answer came.

    `maybe_sent` is False only where the service cannot have seen the whole request.
    """

    def __init__(self, operation: str, problem: str, *, maybe_sent: bool = True, attempts: int = 1) -> None:
        super().__init__(operation, problem)
        self.operation = operation
        self.problem = problem
        self.maybe_sent = maybe_sent
        self.attempts = attempts

    def __str__(self) -> str:
        advice = (
            "The service may have acted on it: look before you send it again"
            if self.maybe_sent
            else "Nothing was sent: check the network and the host, then try again"
        )
        return f"{self.operation}: {self.problem}. {advice}. [{self.attempts} attempts]"


class TimedOut(ConnectionFailed):
    """The connection or the answer took longer than the timeout."""


class LoginFailed(OpenApiException):
    """No access token was to be had; the operation itself was not sent with one.

    `status` is the HTTP status of the token endpoint if it answered, `error` its OAuth2 error code.
    """

    def __init__(self, problem: str, *, status: int | None = None, error: str | None = None) -> None:
        super().__init__(problem)
        self.status = status
        self.error = error


class LoginRefused(LoginFailed):
    """The token endpoint refuses these credentials; trying again will not help."""


class LoginUnavailable(LoginFailed):
    """The token endpoint did not answer properly; try again later."""


BY_STATUS: dict[int, type[ApiException]] = {
    400: BadRequest,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: PayloadTooLarge,
    422: UnprocessableEntity,
    429: RateLimited,
}
