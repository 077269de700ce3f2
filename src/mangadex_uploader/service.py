"""The service as the engine sees it: its calls, and what their failures mean for an upload."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import mangadex_openapi as mangadex
from mangadex_uploader.errors import Hopeless, SignInNeeded, TryLater, UploadError, UsageError
from mangadex_uploader.events import Event
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
            UploadError: the service could not be asked.
        """
        found = await self._asked()
        return None if found is None else found[0]

    async def open_session_and_clock(self) -> tuple[OpenSession, float] | None:
        """As `open_session`, with the seconds that the service's clock is ahead of ours."""
        return await self._asked()

    async def _asked(self) -> tuple[OpenSession, float] | None:
        try:
            answer = await self.sessions.get_upload_session_with_http_info(includes=INCLUDES)
        except mangadex.NotFound:
            return None
        except mangadex.OpenApiException as error:
            raise stopped_by(error) from error
        session = OpenSession.of(answer.data)
        if any(file.name for file in session.files):
            self.journal.learn(self.host, "lists_files")
        date = answer.headers.get("date")
        ahead_s = parsedate_to_datetime(date).timestamp() - time.time() if date else 0.0
        return session, ahead_s


def is_unclear(error: mangadex.OpenApiException) -> bool:
    """Whether the service may have acted on the request."""
    if isinstance(error, mangadex.ConnectionFailed):
        return error.maybe_sent
    return isinstance(error, mangadex.Service | mangadex.UnexpectedAnswer)


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
    if isinstance(error, mangadex.LoginRefused):
        return SignInNeeded(f"The service refuses the sign-in: {error}. Run `mangadex login`.")
    if isinstance(error, mangadex.Unauthorized):
        return SignInNeeded(f"The service does not accept the sign-in (any more): {error} Run `mangadex login`.")
    if may_pass(error):
        return TryLater(f"{error} Run the same command again; it goes on where it stopped.")
    return Hopeless(str(error))
