"""Putting an access token on requests: from the Configuration, or by signing in, once however many wait."""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakKeyDictionary

import httpx2

from mangadex_openapi._log import logger
from mangadex_openapi._login import obtain
from mangadex_openapi._options import check_header
from mangadex_openapi.auth import PersonalClient, TokenKey, Tokens
from mangadex_openapi.exceptions import InvalidRequest, LoginRefused

TOKEN_TIMEOUT = httpx2.Timeout(connect=10.0, write=10.0, read=30.0, pool=600.0)

if TYPE_CHECKING:
    import asyncio

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
    """Tokens of a personal client: renewed ahead of expiry, and once after a 401, by one request for all that wait."""

    def __init__(self, client: PersonalClient, key: TokenKey) -> None:
        self._client = client
        self._key = key
        self._tokens: Tokens | None = None
        self._lock = Lock()
        self._async_locks: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    def sync_auth_flow(self, request: httpx2.Request) -> Flow:
        """Send with a token, and once more with a new one after a 401."""
        rejected: str | None = None
        for _ in range(2):
            if (token := self._usable(rejected)) is None:
                with self._lock:
                    self._load()
                    if (token := self._usable(rejected)) is None:
                        renewal, answer = self._renewal(request), None
                        while (token_request := _step(renewal, answer)) is not None:
                            answer = yield token_request
                            answer.read()
                        token = self._save()
            response = yield _authorized(request, token)
            if response.status_code != httpx2.codes.UNAUTHORIZED:
                return
            response.read()  # frees its connection, which the renewal may need
            rejected = token

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncFlow:
        """Send with a token, and once more with a new one after a 401."""
        import asyncio  # noqa: PLC0415 - see MultipartBody

        rejected: str | None = None
        for _ in range(2):
            if (token := self._usable(rejected)) is None:
                async with self._async_locks.setdefault(asyncio.get_running_loop(), asyncio.Lock()):
                    await asyncio.to_thread(self._load)
                    if (token := self._usable(rejected)) is None:
                        renewal, answer = self._renewal(request), None
                        while (token_request := _step(renewal, answer)) is not None:
                            answer = yield token_request
                            await answer.aread()
                        token = await asyncio.to_thread(self._save)
            response = yield _authorized(request, token)
            if response.status_code != httpx2.codes.UNAUTHORIZED:
                return
            await response.aread()
            rejected = token

    def _usable(self, rejected: str | None) -> str | None:
        tokens = self._tokens
        if tokens is None or tokens.access_token == rejected or time.time() >= tokens.renew_at:
            return None
        return tokens.access_token

    def _load(self) -> None:
        """Take what the store has: another process may have renewed."""
        self._tokens = self._client.token_store.load(self._key) or self._tokens

    def _save(self) -> str:
        if self._tokens is None:
            raise AssertionError("a finished renewal leaves tokens")
        self._client.token_store.save(self._key, self._tokens)
        return self._tokens.access_token

    def _renewal(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        flow = obtain(self._client, self._tokens, time.time)
        try:
            form = next(flow)
            while True:
                logger.debug("sign-in of %s by %s", self._key.username, form["grant_type"])
                answer = yield self._token_request(request, form)
                form = flow.send(answer)
        except StopIteration as done:
            self._tokens = done.value
        except LoginRefused as refusal:
            if refusal.error == "invalid_grant":
                self._tokens = None
                self._client.token_store.save(self._key, None)
            raise

    def _token_request(self, request: httpx2.Request, form: dict[str, str]) -> httpx2.Request:
        headers = {"User-Agent": request.headers["User-Agent"], "Accept": "application/json"}
        return httpx2.Request(
            "POST",
            f"{self._key.auth_url}/token",
            headers=headers,
            data=form,
            extensions={"timeout": TOKEN_TIMEOUT.as_dict()},
        )


def _step(
    renewal: Generator[httpx2.Request, httpx2.Response, None], answer: httpx2.Response | None
) -> httpx2.Request | None:
    try:
        return next(renewal) if answer is None else renewal.send(answer)
    except StopIteration:
        return None


def _authorized(request: httpx2.Request, token: str) -> httpx2.Request:
    value = f"Bearer {token}"
    check_header("access_token", "Authorization", value)
    request.headers["Authorization"] = value
    return request


def _immediate(token: str | Awaitable[str]) -> str:
    if isinstance(token, str):
        return token
    raise InvalidRequest("access_token", "the callable gives no text; an asynchronous one needs the async client")


async def _awaited(token: str | Awaitable[str]) -> str:
    return await token if inspect.isawaitable(token) else token
