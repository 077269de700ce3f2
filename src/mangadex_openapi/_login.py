"""How an access token is obtained: the order of grants and what each answer means. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from typing import Any

import httpx2

from mangadex_openapi.auth import PersonalClient, Tokens
from mangadex_openapi.exceptions import LoginFailed, LoginRefused, LoginUnavailable

DOCUMENTED_LIFETIME_S = 900.0
"""Of an access token (contract 6.1), where the answer does not say."""

LONGEST_LIFE_S = 1e10
"""Longer ones are no times."""

EARLY_S = 60.0
"""Renew this long before expiry (contract 6.1), but never in the first two thirds of a token's life."""

_HINTS = {
    "invalid_grant": "check the user name and the password",
    "invalid_client": "check the client id and secret, and that the client is approved",
    "unauthorized_client": "check the client id and secret, and that the client is approved",
}


def obtain(
    client: PersonalClient,
    load: Callable[[], Tokens | None],
    is_usable: Callable[[Tokens], bool],
    clock: Callable[[], float],
) -> Generator[dict[str, str], httpx2.Response, Tokens]:
    """Get tokens: those that `load` gives if they are usable, else by their refresh token, else by the password.

    Each yield is a form to post to the token endpoint and takes the (read) answer. A refused refresh token is looked
    up again, since another process may have used it and saved a newer one.

    Raises:
        LoginRefused: the endpoint refuses the credentials, or none are left to try.
        LoginUnavailable: the endpoint does not answer as one.
    """
    refused: set[str] = set()
    while (stored := load()) is not None and stored.refresh_token not in refused:
        if is_usable(stored):
            return stored
        if stored.refresh_token is None or _has_lapsed(stored, clock()):
            break
        answer = yield _form(client, grant_type="refresh_token", refresh_token=stored.refresh_token)
        result = _read(answer, clock(), stored.refresh_token)
        if isinstance(result, Tokens):
            return result
        if result.error != "invalid_grant":
            raise result
        refused.add(stored.refresh_token)
    if client.password is None:
        problem = f"{client.username} is not signed in any more, and no password is given: sign in again"
        raise LoginRefused(problem, error="invalid_grant" if refused else None)
    answer = yield _form(client, grant_type="password", username=client.username, password=client.password)
    result = _read(answer, clock(), None)
    if isinstance(result, Tokens):
        return result
    raise result


def _has_lapsed(tokens: Tokens, now: float) -> bool:
    return tokens.refresh_expires_at is not None and tokens.refresh_expires_at <= now


def _form(client: PersonalClient, **fields: str) -> dict[str, str]:
    return {**fields, "client_id": client.client_id, "client_secret": client.client_secret}


def _read(answer: httpx2.Response, now: float, old_refresh_token: str | None) -> Tokens | LoginFailed:
    body = _json_object(answer)
    access_token = body.get("access_token")
    if answer.is_success and isinstance(access_token, str) and access_token:
        refresh_token, refresh_lifetime_s = body.get("refresh_token"), _lifetime_s(body.get("refresh_expires_in"))
        lifetime_s = _lifetime_s(body.get("expires_in")) or DOCUMENTED_LIFETIME_S
        return Tokens(
            access_token=access_token,
            refresh_token=refresh_token if isinstance(refresh_token, str) else old_refresh_token,
            renew_at=now + max(lifetime_s - EARLY_S, lifetime_s * 2 / 3),
            expires_at=now + lifetime_s,
            refresh_expires_at=now + refresh_lifetime_s if refresh_lifetime_s else None,
        )
    status, error = answer.status_code, body.get("error")
    if isinstance(error, str) and 400 <= status < 500 and status != httpx2.codes.TOO_MANY_REQUESTS:
        described = body.get("error_description")
        said = f"{error} ({described})" if isinstance(described, str) else error
        hint = _HINTS.get(error, "look at the client's settings")
        return LoginRefused(f"the sign-in was refused with {status}: {said}: {hint}", status=status, error=error)
    return LoginUnavailable(
        f"{answer.request.url.host} did not answer as a token endpoint ({status}): "
        "check the address (auth_url), or try again later",
        status=status,
    )


def _lifetime_s(value: object) -> float | None:
    """Keycloak's 0 means that it does not expire."""
    return value if isinstance(value, int | float) and 0 < value <= LONGEST_LIFE_S else None


def _json_object(answer: httpx2.Response) -> dict[str, Any]:
    try:
        body = json.loads(answer.content)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
