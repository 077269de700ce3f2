"""Signing in with a personal client (contract 6.1): credentials, tokens, and where they are kept between runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the token endpoint gave; times are unix seconds by this machine's clock."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    renew_at: float
    expires_at: float
    refresh_expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class TokenKey:
    """Whose tokens: one account at one realm, for one service."""

    host: str
    auth_url: str
    username: str


class TokenStore(Protocol):
    """Where tokens are kept. May be slow: the async client calls it in a thread."""

    def load(self, key: TokenKey) -> Tokens | None:
        """The tokens of this key, or None."""

    def save(self, key: TokenKey, tokens: Tokens | None) -> None:
        """Keep these tokens, or with None forget those that there are."""


class MemoryTokenStore:
    """Keeps tokens as long as the program runs."""

    def __init__(self) -> None:
        self._tokens: dict[TokenKey, Tokens] = {}

    def load(self, key: TokenKey) -> Tokens | None:
        """The tokens of this key, or None."""
        return self._tokens.get(key)

    def save(self, key: TokenKey, tokens: Tokens | None) -> None:
        """Keep these tokens, or with None forget those that there are."""
        if tokens is None:
            self._tokens.pop(key, None)
        else:
            self._tokens[key] = tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalClient:
    """A personal API client and its owner, for `Configuration(auth=...)`.

    Without `password` only tokens from the store are used. `auth_url` is the realm's address, the part before
    `/token`; left out, it is MANGADEX_AUTH_URL, or the documented one for the documented host, or
    `/realms/mangadex/protocol/openid-connect` at the configured host.
    """

    username: str
    client_id: str
    client_secret: str = field(repr=False)
    password: str | None = field(default=None, repr=False)
    auth_url: str | None = None
    token_store: TokenStore = field(default_factory=MemoryTokenStore, repr=False)
