"""Putting an access token on requests: from the Configuration, or by signing in, once however many wait."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from concurrent.futures import Future
from threading import Lock, Thread
from typing import TypeAlias

import httpx2

from mangadex_openapi._log import logger
from mangadex_openapi._login import obtain
from mangadex_openapi._options import check_header
from mangadex_openapi.auth import PersonalClient, TokenKey, Tokens
from mangadex_openapi.exceptions import InvalidRequest, LoginFailed, LoginRefused, LoginUnavailable

AccessToken: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]

Flow: TypeAlias = Generator[httpx2.Request, httpx2.Response, None]
AsyncFlow: TypeAlias = AsyncGenerator[httpx2.Request, httpx2.Response]


class FixedAuth(httpx2.Auth):
    """One Authorization header for one call."""

    def __init__(self, authorization: str) -> None:
        self._authorization = authorization

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send with the header."""
        request.headers["Authorization"] = self._authorization
        yield request


class TokenAuth(httpx2.Auth):
    """A given token, or a callable that gives one; after a 401 a callable is asked again, once."""

    def __init__(self, token: AccessToken) -> None:
        self._token = token

    def sync_auth_flow(self, request: httpx2.Request) -> Flow:
        """Send with the token, and once more with a new one after a 401."""
        token = _immediate(self._now())
        response = yield _authorized(request, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED and (newer := _immediate(self._now())) != token:
            response.read()
            yield _authorized(request, newer)

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncFlow:
        """Send with the token, and once more with a new one after a 401."""
        token = await _awaited(self._now())
        response = yield _authorized(request, token)
        if response.status_code == httpx2.codes.UNAUTHORIZED and (newer := await _awaited(self._now())) != token:
            await response.aread()
            yield _authorized(request, newer)

    def _now(self) -> str | Awaitable[str]:
        return self._token() if callable(self._token) else self._token


class PersonalAuth(httpx2.Auth):
    """Tokens of a personal client: renewed ahead of expiry, and once after a 401.

    A renewal runs in one thread, on a connection of its own, for all threads, tasks and event loops that wait for it:
    they share its end, good or bad, and whoever is cancelled meanwhile does not end it. So a rotated refresh token
    is always saved, and wrong credentials are sent once.
    """

    def __init__(self, client: PersonalClient, key: TokenKey, connect: Callable[[], httpx2.Client]) -> None:
        self._client = client
        self._key = key
        self._connect = connect
        self._tokens: Tokens | None = None
        self._renewing: Future[str] | None = None
        self._lock = Lock()

    def sync_auth_flow(self, request: httpx2.Request) -> Flow:
        """Send with a token, and once more with a new one after a 401."""
        rejected: str | None = None
        for _ in range(2):
            token = self._usable(self._tokens, rejected) or self._renewal(rejected).result()
            response = yield _authorized(request, token)
            if response.status_code != httpx2.codes.UNAUTHORIZED:
                return
            response.read()  # frees its connection before the wait for a token
            rejected = token

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncFlow:
        """Send with a token, and once more with a new one after a 401."""
        import asyncio  # noqa: PLC0415 - see MultipartBody

        rejected: str | None = None
        for _ in range(2):
            token = self._usable(self._tokens, rejected)
            if token is None:
                token = await asyncio.wrap_future(self._renewal(rejected))
            response = yield _authorized(request, token)
            if response.status_code != httpx2.codes.UNAUTHORIZED:
                return
            await response.aread()
            rejected = token

    @staticmethod
    def _usable(tokens: Tokens | None, rejected: str | None) -> str | None:
        if tokens is None or tokens.access_token == rejected or time.time() >= tokens.renew_at:
            return None
        return tokens.access_token

    def _renewal(self, rejected: str | None) -> Future[str]:
        """The renewal that is under way, or a new one."""
        with self._lock:
            if self._renewing is None:
                self._renewing = Future()
                self._renewing.set_running_or_notify_cancel()  # so that a waiting task cannot cancel it
                Thread(target=self._renew, args=(self._renewing, rejected), name="mangadex-sign-in").start()
            return self._renewing

    def _renew(self, renewal: Future[str], rejected: str | None) -> None:
        try:
            token = self._new_token(rejected)
        except BaseException as error:  # noqa: BLE001 - those who wait raise it
            self._end_renewal()
            renewal.set_exception(error)
        else:
            self._end_renewal()
            renewal.set_result(token)

    def _end_renewal(self) -> None:
        with self._lock:
            self._renewing = None

    def _new_token(self, rejected: str | None) -> str:
        flow = obtain(self._client, self._load, lambda tokens: self._usable(tokens, rejected) is not None, time.time)
        try:
            with self._connect() as connection:
                form = next(flow)
                while True:
                    logger.debug("sign-in of %s by %s", self._key.username, form["grant_type"])
                    form = flow.send(self._post(connection, form))
        except StopIteration as done:
            tokens: Tokens = done.value
        except LoginRefused as refusal:
            if refusal.error == "invalid_grant":
                self._tokens = None
                self._save(None)
            raise
        if tokens is not self._tokens:
            self._tokens = tokens
            self._save(tokens)
        return tokens.access_token

    def _post(self, connection: httpx2.Client, form: dict[str, str]) -> httpx2.Response:
        try:
            return connection.post(f"{self._key.auth_url}/token", data=form)
        except (httpx2.RequestError, OSError) as error:
            where = httpx2.URL(self._key.auth_url).host
            raise LoginUnavailable(f"{where} could not be reached for signing in ({error}); try again later") from error

    def _load(self) -> Tokens | None:
        """What the store has, since another process may have renewed; else what this one had."""
        try:
            return self._client.token_store.load(self._key) or self._tokens
        except Exception as error:
            raise LoginFailed(f"the token store cannot be read ({type(error).__name__}: {error})") from error

    def _save(self, tokens: Tokens | None) -> None:
        try:
            self._client.token_store.save(self._key, tokens)
        except Exception:  # noqa: BLE001 - a store of others; the tokens are in hand
            logger.exception("the token store cannot be written; the sign-in is good until the program ends")


def _authorized(request: httpx2.Request, token: str) -> httpx2.Request:
    value = f"Bearer {token}"
    check_header("access_token", "Authorization", value)
    request.headers["Authorization"] = value
    return request


def _immediate(token: object) -> str:
    if isinstance(token, str):
        return token
    raise InvalidRequest(
        "access_token", "is no text, nor a callable that gives text; an asynchronous one needs the async client"
    )


async def _awaited(token: str | Awaitable[str]) -> str:
    return _immediate(await token if inspect.isawaitable(token) else token)
