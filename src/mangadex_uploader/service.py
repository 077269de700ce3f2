"""The service as the engine sees it: its calls, and what their failures mean for an upload."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import mangadex_openapi as mangadex
from mangadex_uploader.errors import Hopeless, SignInNeeded, TryLater, UploadError, UsageError
from mangadex_uploader.events import Event, Retrying
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import Journal

INCLUDES = ["upload_session_file", "manga", "scanlation_group", "user"]
MAX_TRIES = 8
"""Of one request after failures that may pass; the waits between them add up to about a minute."""

LONGEST_WAIT_S = 16.0


@dataclass(frozen=True, slots=True)
class Service:
    """One account at one service, with the journal of what was done there."""

    client: mangadex.AsyncApiClient
    host: str
    account: str
    journal: Journal
    emit: Callable[[Event], None]

    @property
    def sessions(self) -> mangadex.AsyncUploadApi:
        """The upload operations."""
        return mangadex.AsyncUploadApi(self.client)

    @property
    def chapters(self) -> mangadex.AsyncChapterApi:
        """Finding chapters."""
        return mangadex.AsyncChapterApi(self.client)

    async def open_session(self) -> OpenSession | None:
        """The session that the account has open, with its files where the service lists them.

        Raises:
            UploadError: the service could not be asked, for about a minute.
        """
        found = await self.open_session_and_clock()
        return None if found is None else found[0]

    async def open_session_and_clock(self) -> tuple[OpenSession, float] | None:
        """As `open_session`, with the seconds that the service's clock is ahead of ours."""
        tries = 0
        while True:
            try:
                answer = await self.sessions.get_upload_session_with_http_info(includes=INCLUDES)
                break
            except mangadex.NotFound:
                return None
            except mangadex.OpenApiException as error:
                tries += 1
                await self.pause_after(error, tries)
        told = answer.data.attributes
        if told is not None and (told.is_committed or told.is_deleted):
            return None
        session = OpenSession.of(answer.data)
        if any(file.name for file in session.files):
            self.journal.learn(self.host, "lists_files")
        date = answer.headers.get("date")
        ahead_s = parsedate_to_datetime(date).timestamp() - time.time() if date else 0.0
        return session, ahead_s

    async def pause_after(self, error: mangadex.OpenApiException, tries: int) -> None:
        """Wait until the next attempt after so many failures in a row.

        Raises:
            UploadError: there shall be none.
        """
        if not may_pass(error) or tries > MAX_TRIES:
            raise stopped_by(error) from error
        seconds = wait_s(tries, error)
        self.emit(Retrying(_in_words(error), seconds))
        await asyncio.sleep(seconds)


def is_unclear(error: mangadex.OpenApiException) -> bool:
    """Whether the service may have acted on the request."""
    if isinstance(error, mangadex.ConnectionFailed):
        return error.maybe_sent
    gave_up_waiting = isinstance(error, mangadex.ApiException) and error.status == HTTPStatus.REQUEST_TIMEOUT
    return gave_up_waiting or isinstance(error, mangadex.Service | mangadex.UnexpectedAnswer)


def is_answered(error: mangadex.OpenApiException) -> bool:
    """Whether the service itself refused, for another reason than the sign-in or its limits."""
    refusals = mangadex.ApiException
    return isinstance(error, refusals) and not isinstance(error, mangadex.Unauthorized | mangadex.RateLimited)


def may_pass(error: mangadex.OpenApiException) -> bool:
    """Whether the same request may go better a little later."""
    passing = mangadex.ConnectionFailed | mangadex.LoginUnavailable | mangadex.RateLimited
    return is_unclear(error) or isinstance(error, passing)


def wait_s(tries: int, error: mangadex.OpenApiException | None = None) -> float:
    """How long to wait after so many failures in a row."""
    told = error.retry_after_s if isinstance(error, mangadex.RateLimited) else None
    if told is not None:
        return min(told, 90.0)
    backoff_s: float = min(0.5 * 2 ** (tries - 1), LONGEST_WAIT_S)
    return backoff_s * random.uniform(0.5, 1.0)  # noqa: S311 - no secret


def stopped_by(error: mangadex.OpenApiException) -> UploadError:
    """What the failure of a request means for the whole upload."""
    if isinstance(error, mangadex.InvalidRequest):
        return UsageError(str(error))
    if may_pass(error):
        return TryLater(f"{_in_words(error)} Run the same command again later; it goes on where it stopped.")
    if isinstance(error, mangadex.LoginFailed | mangadex.Unauthorized):
        return SignInNeeded(
            f"The service does not accept the sign-in: {error} Run `mangadex login`, or renew MANGADEX_ACCESS_TOKEN "
            f"if you use that."
        )
    return Hopeless(str(error))


def _in_words(error: mangadex.OpenApiException) -> str:
    """What happened, without the advice that is for programmers."""
    if isinstance(error, mangadex.ConnectionFailed):
        return f"The connection to the service failed ({error.problem})."
    if isinstance(error, mangadex.ApiException):
        return f"The service answered {error.status} ({error.reason or 'no reason given'})."
    return f"{str(error).rstrip('.')}."
