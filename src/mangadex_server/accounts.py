"""Users and their personal clients, and whose access token a request carries. Signing in is in `sign_ins`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Row, Table, exists, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.database import Database, is_unique_violation
from mangadex_server.errors import InConflict, Invalid, NotFound, Unauthenticated
from mangadex_server.passwords import Passwords
from mangadex_server.tables import clients, refresh_tokens, users
from mangadex_server.tokens import Identity, Tokens

NEW_ROLES = ("ROLE_MEMBER",)
COMMAND_LINE = "mangadex-server"
"""The client in tokens that no client asked for."""

MAX_USERNAME_CHARS = 64
MIN_SECRET_CHARS = 8
MAX_SECRET_CHARS = 256
CLIENT_ID = re.compile(r"personal-client-[A-Za-z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class Account(Identity):
    """A user as stored."""

    version: int


class Accounts:
    """Who may use the service."""

    def __init__(
        self, database: Database, tokens: Tokens, passwords: Passwords, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._passwords = passwords
        self._clock = clock

    async def add_user(self, username: str, password: str) -> str:
        """Add a user; returns the id.

        Raises:
            Invalid: a name or password that does not do.
            InConflict: the name is taken.
        """
        if not (0 < len(username) <= MAX_USERNAME_CHARS and username.isprintable() and username == username.strip()):
            raise Invalid(f"A username has 1 to {MAX_USERNAME_CHARS} printable characters and no space at its ends.")
        row = {"id": str(uuid4()), "username": username, "roles": list(NEW_ROLES), **self._times()}
        row["password_hash"] = await self.hashed(password, "password")
        await self._insert(users, row, taken=f"There is a user {username} already. Choose another name.")
        return str(row["id"])

    async def add_client(self, username: str, client_id: str, secret: str) -> None:
        """Add a personal client of a user.

        Raises:
            Invalid: an id or secret that does not do.
            InConflict: the id is taken.
            NotFound: no such user.
        """
        if not CLIENT_ID.fullmatch(client_id):
            raise Invalid("A client id is personal-client- and 1 to 64 letters, digits, dots, hyphens or underscores.")
        owner = await self.named(username)
        row = {"id": client_id, "user_id": owner.user_id, **self._times()}
        row["secret_hash"] = await self.hashed(secret, "secret")
        await self._insert(clients, row, taken=f"There is a client {client_id} already. Choose another id.")

    async def has_user(self, username: str) -> bool:
        """Whether there is a user of this name."""
        return await self._account(users.c.username == username) is not None

    async def identify(self, access_token: str) -> Account:
        """Whose access token this is.

        Raises:
            Unauthenticated: it is not good, its sign-in was ended, or its user is gone.
        """
        claims = self._tokens.access_claims(access_token)
        goes_on = users.c.id == claims.who.user_id
        if claims.client_id != COMMAND_LINE:
            goes_on &= exists().where(refresh_tokens.c.family == claims.family)
        account = await self._account(goes_on)
        if account is None:
            raise Unauthenticated("The sign-in of this token was ended, or its user is gone. Sign in again.")
        return account

    async def access_token_for(self, username: str) -> str:
        """An access token without a sign-in, for who runs the service.

        Raises:
            NotFound: no such user.
        """
        who = await self.named(username)
        return self._tokens.access(who, client_id=COMMAND_LINE, family=str(uuid4()))

    async def named(self, username: str) -> Account:
        """The user of this name.

        Raises:
            NotFound: there is none.
        """
        account = await self._account(users.c.username == username)
        if account is None:
            raise NotFound(f"There is no user {username}. Add it with `mangadex-server user add` first.")
        return account

    async def _account(self, condition: ColumnElement[bool]) -> Account | None:
        async with self._database.read() as connection:
            row = (await connection.execute(select(users).where(condition))).one_or_none()
        return account_of(row) if row else None

    async def hashed(self, secret: str, kind: str) -> str:
        """What to store of a secret; `kind` is what people call it.

        Raises:
            Invalid: it does not do.
        """
        if not (MIN_SECRET_CHARS <= len(secret) <= MAX_SECRET_CHARS and secret.isprintable()):
            raise Invalid(f"A {kind} has {MIN_SECRET_CHARS} to {MAX_SECRET_CHARS} printable characters.")
        return await self._passwords.hash(secret)

    async def _insert(self, table: Table, row: dict[str, Any], *, taken: str) -> None:
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(table).values(**row))
        except IntegrityError as error:
            if is_unique_violation(error):
                raise InConflict(taken) from error
            raise

    def _times(self) -> dict[str, float]:
        now = self._clock()
        return {"created_at": now, "updated_at": now}


async def lock_user(connection: AsyncConnection, user_id: str) -> Row[Any] | None:
    """The user, whose sign-ins nobody else begins, renews or ends until the transaction is over."""
    query = select(users).where(users.c.id == user_id)
    row: Row[Any] | None = (await connection.execute(query.with_for_update(key_share=True))).one_or_none()
    return row


def account_of(row: Row[Any]) -> Account:
    """A row of users."""
    return Account(row.id, row.username, tuple(row.roles), row.version)
