"""Every failure that reaches the command line: what it says, and the exit status."""

from __future__ import annotations

import os
import re
import sqlite3
import time
import traceback
from dataclasses import dataclass
from typing import Any

import mangadex_openapi as sdk
from mangadex_uploader import places
from mangadex_uploader.errors import BadPages, ForeignSession, UploadError
from mangadex_uploader.output import Output

FAILED, USAGE, SIGN_IN, LATER, HOPELESS = 1, 2, 4, 5, 7

_STATUS: dict[type[sdk.OpenApiException], int] = {
    sdk.InvalidRequest: USAGE,
    sdk.LoginUnavailable: LATER,
    sdk.LoginFailed: SIGN_IN,
    sdk.ConnectionFailed: LATER,
    sdk.Unauthorized: SIGN_IN,
    sdk.RateLimited: LATER,
    sdk.Service: LATER,
    sdk.Forbidden: HOPELESS,
    sdk.BadRequest: HOPELESS,
    sdk.UnprocessableEntity: HOPELESS,
    sdk.PayloadTooLarge: HOPELESS,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it is told. `kind` is its class in small letters; `more` has further keys for programs."""

    status: int
    kind: str
    problem: str
    more: dict[str, Any]


def explained(error: BaseException) -> Failure | None:
    """What to tell about an error; None for one that nobody expected."""
    if isinstance(error, UploadError):
        return Failure(error.exit_status, _kind(error), error.problem, _more(error))
    if isinstance(error, sdk.OpenApiException):
        status = next((status for kind, status in _STATUS.items() if isinstance(error, kind)), FAILED)
        is_over = isinstance(error, sdk.LoginRefused) and error.status is None  # there was nothing to be refused
        hint = " Run `mangadex login`." if is_over else ""
        return Failure(status, _kind(error), _sentence(str(error)) + hint, {})
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure(FAILED, "os_error", f"{place}{error.strerror or error}.", {})
    if isinstance(error, sqlite3.Error):
        return Failure(FAILED, "journal", f"The journal {places.journal_file()} cannot be used: {error}.", {})
    return None


def report(output: Output, error: BaseException, path: str | None = None) -> int:
    """Tell about an error; the exit status."""
    failure = explained(error) or _unexpected(error)
    output.problem(failure.problem)
    output.tell(
        "error", path=path, kind=failure.kind, problem=failure.problem, exit_status=failure.status, **failure.more
    )
    if is_debugging():
        output.problem("".join(traceback.format_exception(error)).rstrip())
    return failure.status


def is_debugging() -> bool:
    """Whether MANGADEX_DEBUG asks for tracebacks, requests and answers."""
    return os.environ.get("MANGADEX_DEBUG", "0") not in ("", "0")


def common_status(statuses: list[int]) -> int:
    """One exit status for several chapters: 0, the one cause of all that failed, or 1."""
    causes = {status for status in statuses if status}
    return causes.pop() if len(causes) == 1 else FAILED if causes else 0


def _unexpected(error: BaseException) -> Failure:
    what = f"This is an error of the program itself: {type(error).__name__}: {error}"
    log = places.crash_log()
    details = "".join(traceback.format_exception(error)).encode(errors="backslashreplace").decode()
    try:
        places.write_private(log, f"{time.strftime('%Y-%m-%d %H:%M:%S')}\n{details}")
    except OSError as no_log:
        where = f"MANGADEX_DEBUG=1 shows the details ({log} could not be written: {no_log.strerror})"
    else:
        where = f"The details are in {log}; MANGADEX_DEBUG=1 shows them"
    return Failure(FAILED, "unexpected", f"{_sentence(what)} {where}.", {})


def _more(error: UploadError) -> dict[str, Any]:
    if isinstance(error, ForeignSession):
        return {"session_id": error.session_id}
    if isinstance(error, BadPages):
        return {"pages": [{"name": page.name, "problem": page.problem} for page in error.problems]}
    return {}


def _kind(error: BaseException) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "]", "!")) else f"{text}."
