"""Secrets as argon2 hashes, checked two at a time and against guessing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mangadex_server.errors import Overloaded
from mangadex_server.failed_sign_ins import FailedSignIns
from mangadex_server.guessing import network_of

MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1
"""OWASP's first choice for argon2id. The library's own default takes 64 MiB a check, too much beside uploads."""

AT_ONCE = 2
MAX_WAITING = 64
"""Checks that may wait for their turn, some two seconds' worth."""

FREE_BY_NAME = 5
FREE_BY_ADDRESS = 20
"""More, since an office or a school is one address."""


class TooManyGuessesError(Exception):
    """Too many wrong secrets lately; not even the right one is looked at before `wait_s` is over."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"Too many failed sign-ins. Wait {wait_s:.0f} seconds and try again.")
        self.wait_s = wait_s


class Passwords:
    """Makes and checks hashes. Without `failures`, guessing is not slowed: for passwords that everybody knows."""

    def __init__(self, failures: FailedSignIns | None, clock: Callable[[], float] = time.time) -> None:
        self._failures = failures
        self._clock = clock
        self._hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, secret: str) -> str:
        """What to store of a secret."""
        async with self._turn():
            return await asyncio.to_thread(self._hasher.hash, secret)

    async def check(self, secret: str, stored: str | None, *, name: str, address: str) -> bool:
        """Whether a secret is the stored one; None, for nobody's, is never, and takes as long to find out.

        Raises:
            TooManyGuessesError: this name or address has to wait.
            Overloaded: too many checks at once.
        """
        network = network_of(address)
        await self._ask_to_wait(name, network)
        async with self._turn():
            await self._ask_to_wait(name, network)  # again: guesses sent all at once are counted while they queue
            matches = await asyncio.to_thread(self._matches, secret, stored)
            matches = matches and stored is not None
            await self._count(name, network, matches=matches)
        return matches

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody's")

    def _matches(self, secret: str, stored: str | None) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, secret)
        except (VerificationError, InvalidHashError):
            return False

    async def _ask_to_wait(self, name: str, network: str) -> None:
        if self._failures is not None:
            free = {name: FREE_BY_NAME, network: FREE_BY_ADDRESS}
            wait_s = await self._failures.wait_s(free, self._clock())
            if wait_s > 0:
                raise TooManyGuessesError(wait_s)

    async def _count(self, name: str, network: str, *, matches: bool) -> None:
        if self._failures is None:
            return
        if matches:
            await self._failures.succeeded(name)  # not the address: a guesser's own account must not clear it
        else:
            await self._failures.failed(name, network, now=self._clock())

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            raise Overloaded("Too many sign-ins at once. Try again in a few seconds.")
        self._waiting += 1
        try:
            async with self._slots:
                yield
        finally:
            self._waiting -= 1
