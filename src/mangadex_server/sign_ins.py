"""Signing in and staying signed in: the grants of the token endpoint (contract 6.1)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.accounts import Account, account_of, lock_user
from mangadex_server.database import Database
from mangadex_server.errors import Unauthenticated
from mangadex_server.passwords import Passwords
from mangadex_server.tables import clients, refresh_tokens, users
from mangadex_server.tokens import RefreshClaims, Tokens

REPEAT_S = 10.0
"""A client whose answer was lost sends its refresh token again; so soon after the first use this is no theft."""


class OAuthError(Exception):
    """A refusal of the token endpoint, in Keycloak's words (contract 6.1)."""

    def __init__(self, status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.status = status
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class ClientSecret:
    """What a client shows of itself, and from where it calls."""

    client_id: str
    secret: str
    address: str


@dataclass(frozen=True, slots=True)
class Granted:
    """The tokens of a sign-in."""

    access_token: str
    access_s: int
    refresh_token: str
    refresh_s: int
    family: str


class SignIns:
    """Gives tokens to clients."""

    def __init__(
        self, database: Database, tokens: Tokens, passwords: Passwords, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._passwords = passwords
        self._clock = clock

    async def sign_in(self, username: str, password: str, client: ClientSecret) -> Granted:
        """The password grant. Only the owner of a client signs in with it.

        Raises:
            OAuthError: wrong client, user or password.
            TooManyGuessesError: wrong too often.
            Overloaded: too many sign-ins at once.
        """
        owner_id = await self._owner(client)
        row = await self._row(select(users).where(users.c.username == username, users.c.id == owner_id))
        # counted for the owner, the only one whose password can be guessed here: strangers cannot lock anybody out
        stored, name = row.password_hash if row else None, f"user {owner_id}"
        matches = await self._passwords.check(password, stored, name=name, address=client.address)
        if row is None or not matches:
            raise OAuthError(401, "invalid_grant", "Invalid user credentials")
        async with self._database.write() as connection:
            present = await lock_user(connection, row.id)
            if present is None or present.password_hash != row.password_hash:  # changed since it was looked at
                raise OAuthError(401, "invalid_grant", "Invalid user credentials")
            return await self._issue(connection, account_of(present), client.client_id, str(uuid4()))

    async def renew(self, refresh_token: str, client: ClientSecret) -> Granted:
        """The refresh grant. Each refresh token is good once; a second use ends its sign-in, with the access tokens.

        Raises:
            OAuthError: wrong client, or a token that is not good any more.
            TooManyGuessesError: wrong too often.
            Overloaded: too many sign-ins at once.
        """
        await self._owner(client)
        granted = None
        try:
            claims = self._tokens.verify_refresh(refresh_token)
        except Unauthenticated:
            claims = None
        if claims is not None and claims.client_id == client.client_id:
            async with self._database.write() as connection:
                granted = await self._rotate(connection, claims)
        if granted is None:
            raise OAuthError(400, "invalid_grant", "Token is not active")
        return granted

    async def _owner(self, client: ClientSecret) -> str:
        row = await self._row(select(clients).where(clients.c.id == client.client_id))
        stored, name = row.secret_hash if row else None, f"client {client.client_id}"
        matches = await self._passwords.check(client.secret, stored, name=name, address=client.address)
        if row is None or not matches:
            raise OAuthError(401, "invalid_client", "Invalid client or Invalid client credentials")
        return str(row.user_id)

    async def _rotate(self, connection: AsyncConnection, claims: RefreshClaims) -> Granted | None:
        now = self._clock()
        this = refresh_tokens.c.id == claims.id
        owner = await lock_user(connection, claims.user_id)  # first: a sign-out has it before it looks for tokens
        row = (await connection.execute(select(refresh_tokens).where(this).with_for_update())).one_or_none()
        if row is None or owner is None:
            return None
        if row.used_at is None:
            await connection.execute(update(refresh_tokens).where(this).values(used_at=now))
        elif now - row.used_at > REPEAT_S:
            await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.family == row.family))
            return None
        return await self._issue(connection, account_of(owner), row.client_id, row.family)

    async def _issue(self, connection: AsyncConnection, who: Account, client_id: str, family: str) -> Granted:
        now, token_id = self._clock(), str(uuid4())
        row = {"id": token_id, "family": family, "user_id": who.user_id, "client_id": client_id}
        await connection.execute(delete(refresh_tokens).where(refresh_tokens.c.expires_at <= now))
        await connection.execute(insert(refresh_tokens).values(**row, expires_at=now + self._tokens.refresh_s))
        return Granted(
            access_token=self._tokens.access(who, client_id=client_id, family=family),
            access_s=self._tokens.access_s,
            refresh_token=self._tokens.refresh(who, client_id=client_id, family=family, token_id=token_id),
            refresh_s=self._tokens.refresh_s,
            family=family,
        )

    async def _row(self, query: Select[Any]) -> Row[Any] | None:
        async with self._database.read() as connection:
            row: Row[Any] | None = (await connection.execute(query)).one_or_none()
        return row
