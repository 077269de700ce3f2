"""The token endpoint, and who a token belongs to, over HTTP (contract 6)."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request

from mangadex_server.accounts import Account, Accounts
from mangadex_server.bodies import KIB, Patience, read_limited
from mangadex_server.errors import ON_THE_WIRE, ServiceError, Unauthenticated
from mangadex_server.passwords import TooManyGuessesError
from mangadex_server.settings import Settings
from mangadex_server.shapes import Json, entity, enveloped
from mangadex_server.sign_ins import ClientSecret, Granted, OAuthError, SignIns
from mangadex_server.tokens import REALM, SCOPE
from mangadex_server.wire import WireResponse

TOKEN_PATH = f"{REALM}/protocol/openid-connect/token"
FORM = "application/x-www-form-urlencoded"
FORM_BYTES = 16 * KIB
MAX_FIELDS = 20

NOT_STORED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
"""RFC 6749 5.1."""

PERMISSIONS = ("user.list", "manga.view", "chapter.view")
"""The documented example (contract 6.2)."""


def identify(accounts: Accounts) -> Callable[[Request], Awaitable[Account]]:
    """A dependency: the user who sends the request. It raises Unauthenticated if there is none."""

    async def identity(request: Request) -> Account:
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Authentication is required. Send an access token as Authorization: Bearer.")
        return await accounts.identify(token.strip())

    return identity


def router(accounts: Accounts, sign_ins: SignIns, settings: Settings) -> APIRouter:
    """The routes of accounts."""
    routes = APIRouter(tags=["Authentication"], default_response_class=WireResponse)
    patience = Patience(settings.body_stall_s, settings.body_min_bytes_per_s)
    identity = identify(accounts)

    @routes.post(TOKEN_PATH)
    async def token(request: Request) -> WireResponse:
        try:
            form = await _form(request, patience)
            granted = await _grant(sign_ins, form, request.client.host if request.client else "unknown")
        except OAuthError as error:
            return _refusal(error.status, error.error, error.description)
        except TooManyGuessesError as error:
            headers = {"Retry-After": str(math.ceil(error.wait_s))}
            return _refusal(429, "temporarily_unavailable", str(error), headers)
        except ServiceError as error:
            status = ON_THE_WIRE[type(error)].status
            return _refusal(status, "temporarily_unavailable" if status >= 500 else "invalid_request", error.detail)
        return WireResponse(_granted(granted), headers=NOT_STORED)

    @routes.get("/auth/check")
    async def get_auth_check(request: Request) -> WireResponse:
        try:
            who = await identity(request)
        except Unauthenticated:
            return WireResponse({"result": "ok", "isAuthenticated": False, "roles": [], "permissions": []})
        roles = [*who.roles, "IS_JWT_AUTHENTICATED"]
        return WireResponse({"result": "ok", "isAuthenticated": True, "roles": roles, "permissions": list(PERMISSIONS)})

    @routes.get("/user/me")
    async def get_user_me(request: Request) -> WireResponse:
        who = await identity(request)
        attributes = {"username": who.username, "roles": list(who.roles), "version": who.version}
        return WireResponse(enveloped(entity("user", who.user_id, attributes)))

    return routes


async def _form(request: Request, patience: Patience) -> dict[str, str]:
    body = await read_limited(request, FORM_BYTES, patience)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise OAuthError(400, "invalid_request", f"Send the fields as a form, with Content-Type: {FORM}")
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise OAuthError(400, "invalid_request", f"Send a form in UTF-8 of at most {MAX_FIELDS} fields") from None
    form = dict(fields)
    if len(form) < len(fields):  # RFC 6749 3.2
        raise OAuthError(400, "invalid_request", "duplicated parameter: send each field once")
    if "\0" in "".join(form.values()):  # PostgreSQL takes no such text
        raise OAuthError(400, "invalid_request", "Send fields without NUL characters")
    return form


async def _grant(sign_ins: SignIns, form: dict[str, str], address: str) -> Granted:
    kind = _field(form, "grant_type")
    if kind not in ("password", "refresh_token"):
        raise OAuthError(400, "unsupported_grant_type", "Unsupported grant_type. Use password or refresh_token")
    client = ClientSecret(_field(form, "client_id"), _field(form, "client_secret"), address)
    if kind == "password":
        return await sign_ins.sign_in(_field(form, "username"), _field(form, "password"), client)
    return await sign_ins.renew(_field(form, "refresh_token"), client)


def _field(form: dict[str, str], name: str) -> str:
    if not form.get(name):
        raise OAuthError(400, "invalid_request", f"Missing form parameter: {name}")
    return form[name]


def _refusal(status: int, error: str, description: str, headers: dict[str, str] | None = None) -> WireResponse:
    body = {"error": error, "error_description": description}
    return WireResponse(body, status, {**NOT_STORED, **(headers or {})})


def _granted(granted: Granted) -> Json:
    return {
        "access_token": granted.access_token,
        "expires_in": granted.access_s,
        "refresh_token": granted.refresh_token,
        "refresh_expires_in": granted.refresh_s,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": granted.family,
        "scope": SCOPE,
        "client_type": "personal",
    }
