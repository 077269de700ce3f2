"""What whoever runs the service does with accounts: passwords, roles, signing somebody out."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.accounts import Account, Accounts, account_of, lock_user
from mangadex_server.approval import MODERATORS
from mangadex_server.database import Database
from mangadex_server.errors import Invalid
from mangadex_server.tables import refresh_tokens, users

ROLES = ("ROLE_MEMBER", "ROLE_EXTERNAL", *sorted(MODERATORS))
"""What there is: everybody; who may publish chapters that are read elsewhere (contract 11.3); who reviews."""


class AccountChanges:
    """Each change holds for the next request."""

    def __init__(self, database: Database, accounts: Accounts, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._accounts = accounts
        self._clock = clock

    async def everybody(self) -> list[Account]:
        """All users, by name."""
        async with self._database.read() as connection:
            rows = await connection.execute(select(users).order_by(users.c.username))
        return [account_of(row) for row in rows]

    async def set_password(self, username: str, password: str) -> None:
        """Give a user another password, and sign them out: who knew the old one is not let in any more.

        Raises:
            NotFound: no such user.
            Invalid: a password that does not do.
        """
        account = await self._accounts.named(username)
        stored = await self._accounts.hashed(password, "password")
        async with self._database.write() as connection:
            await self._update(connection, account, password_hash=stored)
            await _end_sign_ins(connection, account)

    async def change_roles(self, username: str, add: Collection[str], remove: Collection[str]) -> tuple[str, ...]:
        """Give and take roles; returns those that the user has now.

        Raises:
            NotFound: no such user.
            Invalid: there is no such role, or it is both given and taken.
        """
        if unknown := {*add, *remove}.difference(ROLES):
            raise Invalid(f"There is no role {', '.join(sorted(unknown))}. There are: {', '.join(ROLES)}.")
        if both := set(add).intersection(remove):
            raise Invalid(f"{', '.join(sorted(both))} cannot be added and removed at once. Choose one.")
        account = await self._accounts.named(username)
        roles = tuple(role for role in dict.fromkeys((*account.roles, *add)) if role not in remove)
        async with self._database.write() as connection:
            await self._update(connection, account, roles=list(roles))
        return roles

    async def sign_out(self, username: str) -> int:
        """End all sign-ins of a user, with every token that they gave; returns how many there were.

        Raises:
            NotFound: no such user.
        """
        account = await self._accounts.named(username)
        async with self._database.write() as connection:
            return await _end_sign_ins(connection, account)

    async def _update(self, connection: AsyncConnection, account: Account, **values: str | list[str]) -> None:
        changed = {**values, "version": users.c.version + 1, "updated_at": self._clock()}
        await connection.execute(update(users).where(users.c.id == account.user_id).values(changed))


async def _end_sign_ins(connection: AsyncConnection, account: Account) -> int:
    await lock_user(connection, account.user_id)
    theirs = refresh_tokens.c.user_id == account.user_id
    families = (await connection.execute(select(refresh_tokens.c.family).where(theirs).distinct())).all()
    await connection.execute(delete(refresh_tokens).where(theirs))
    return len(families)
