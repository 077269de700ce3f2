"""Signed tokens: what they say, and whether one is still good. Who may have one is the affair of `accounts`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from mangadex_server.errors import Unauthenticated
from mangadex_server.settings import Settings

REALM = "/realms/mangadex"
SCOPE = "groups email profile"
ALGORITHM = "HS256"
HEADER = {"alg": ALGORITHM, "typ": "JWT"}
MAX_TOKEN_CHARS = 8_192
CACHED_TOKENS = 4_096
"""Verified tokens remembered, some 4 MB."""

# all that base64 could write with - or _, which third-party clients do not decode (contract 6.1)
_ESCAPES = str.maketrans({character: f"\\u{ord(character):04x}" for character in ">?~"})


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sends a request."""

    user_id: str
    username: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What an access token says: whose it is, and the sign-in and client that it was given to."""

    who: Identity
    family: str
    client_id: str


@dataclass(frozen=True, slots=True)
class RefreshClaims:
    """What a refresh token says."""

    id: str
    family: str
    user_id: str
    client_id: str


class Tokens:
    """Makes and reads tokens of one installation."""

    def __init__(self, key: bytes, public_url: str, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self._key = OctKey.import_key(key)
        self._head = jws.serialize_compact(dict(HEADER), "", self._key, [ALGORITHM]).partition(".")[0] + "."
        self._issuer = public_url.rstrip("/") + REALM
        self._clock = clock
        self.access_s = settings.access_token_s
        self.refresh_s = settings.refresh_token_s
        self._verified: dict[str, tuple[AccessClaims, float]] = {}

    def access(self, who: Identity, *, client_id: str, family: str) -> str:
        """An access token."""
        return self._sign("Bearer", who, self.access_s, azp=client_id, sid=family, jti=str(uuid4()))

    def refresh(self, who: Identity, *, client_id: str, family: str, token_id: str) -> str:
        """A refresh token."""
        return self._sign("Refresh", who, self.refresh_s, azp=client_id, sid=family, jti=token_id)

    def verify_access(self, token: str) -> Identity:
        """Who an access token belongs to.

        Raises:
            Unauthenticated: it is not one of ours, or too old.
        """
        return self.access_claims(token).who

    def access_claims(self, token: str) -> AccessClaims:
        """What an access token says.

        Raises:
            Unauthenticated: it is not one of ours, or too old.
        """
        known = self._verified.get(token)
        if known and known[1] > self._clock():
            return known[0]
        claims = self._claims(token, "Bearer")
        who = Identity(claims["sub"], claims["preferred_username"], tuple(claims["roles"]))
        access = AccessClaims(who, claims["sid"], claims["azp"])
        if len(self._verified) >= CACHED_TOKENS:
            del self._verified[next(iter(self._verified))]
        self._verified[token] = access, claims["exp"]
        return access

    def verify_refresh(self, token: str) -> RefreshClaims:
        """What a refresh token says.

        Raises:
            Unauthenticated: it is not one of ours, or too old.
        """
        claims = self._claims(token, "Refresh")
        return RefreshClaims(claims["jti"], claims["sid"], claims["sub"], claims["azp"])

    def _sign(self, kind: str, who: Identity, life_s: int, **ids: str) -> str:
        now = int(self._clock())
        claims = {
            "exp": now + life_s,
            "iat": now,
            "iss": self._issuer,
            "typ": kind,
            "sub": who.user_id,
            **ids,
            "scope": SCOPE,
            "roles": list(who.roles),
            "preferred_username": who.username,
        }
        payload = json.dumps(claims, separators=(",", ":")).translate(_ESCAPES)
        return jws.serialize_compact(dict(HEADER), payload, self._key, [ALGORITHM])

    def _claims(self, token: str, kind: str) -> dict[str, Any]:
        claims = self._signed_claims(token)
        if claims["typ"] != kind:
            raise Unauthenticated(f"This token is of the type {claims['typ']}; send the one of the type {kind}.")
        if claims["exp"] <= self._clock():
            raise Unauthenticated("The token has expired. Get a new one from the token endpoint.")
        return claims

    def _signed_claims(self, token: str) -> dict[str, Any]:
        # no header but ours reaches the library, which trips over some (a TypeError for `"crit": null`)
        if len(token) <= MAX_TOKEN_CHARS and token.startswith(self._head):
            try:
                claims: dict[str, Any] = json.loads(jws.deserialize_compact(token, self._key, [ALGORITHM]).payload)
            except (JoseError, ValueError):
                pass
            else:
                return claims
        raise Unauthenticated("The token is not one of this service. Get one from the token endpoint.")
