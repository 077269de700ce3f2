"""Signing in, staying signed in, and who a token belongs to: over the real routes, on a real database."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Barrier
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from installations import settings_of
from joserfc import jwt
from joserfc.jwk import OctKey
from sqlalchemy import delete, func, select

from mangadex_server.accounts import Accounts
from mangadex_server.database import Database
from mangadex_server.errors import InConflict, Invalid, NotFound, Overloaded, ServiceError, Unauthenticated
from mangadex_server.failed_sign_ins import FailedSignIns
from mangadex_server.guessing import CAP_S, FORGET_S, network_of
from mangadex_server.passwords import AT_ONCE, FREE_BY_ADDRESS, FREE_BY_NAME, MAX_WAITING, Passwords
from mangadex_server.routes_accounts import TOKEN_PATH, router
from mangadex_server.settings import Settings
from mangadex_server.sign_ins import REPEAT_S, SignIns
from mangadex_server.signing_keys import KeyFileError, signing_key
from mangadex_server.tables import clients, failed_sign_ins, metadata, refresh_tokens, users
from mangadex_server.tokens import CACHED_TOKENS, REALM, Identity, Tokens
from mangadex_server.wire import WireResponse, error_response

URL = "http://service.test"
KEY = b"k" * 32
SETTINGS = Settings.model_validate({})
ANN = {"username": "ann", "password": "ann's password"}
ANNS_CLIENT = {"client_id": "personal-client-ann", "client_secret": "ann's secret"}
BENS_CLIENT = {"client_id": "personal-client-ben", "client_secret": "ben's secret"}
WHO = Identity("5a1f0e3c-0b8e-4c3e-9d57-3f1d9a0c2b11", "ann", ("ROLE_MEMBER",))


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Service:
    accounts: Accounts
    database: Database
    clock: Clock
    tokens: Tokens
    app: FastAPI
    http: httpx2.AsyncClient

    def elsewhere(self) -> Service:
        transport = httpx2.ASGITransport(self.app, client=("192.0.2.9", 1))
        return replace(self, http=httpx2.AsyncClient(transport=transport, base_url=URL))

    async def post(self, **fields: str) -> httpx2.Response:
        return await self.http.post(TOKEN_PATH, data=fields)

    async def sign_in(self, **fields: str) -> httpx2.Response:
        return await self.post(**{"grant_type": "password", **ANN, **ANNS_CLIENT, **fields})

    async def renew(self, refresh_token: str, client: dict[str, str] = ANNS_CLIENT) -> httpx2.Response:
        return await self.post(grant_type="refresh_token", refresh_token=refresh_token, **client)

    async def get(self, path: str, authorization: str | None = None) -> httpx2.Response:
        return await self.http.get(path, headers={"Authorization": authorization} if authorization else {})


async def make(folder: Path, *, slows_guessing: bool = True) -> Service:
    clock = Clock()
    settings = settings_of(folder)
    database = Database(settings.database)
    async with database.write() as connection:
        await connection.run_sync(metadata.create_all)
    tokens = Tokens(KEY, URL, settings, clock)
    passwords = Passwords(FailedSignIns(database) if slows_guessing else None, clock)
    accounts = Accounts(database, tokens, passwords, clock)
    for name, client in (("ann", ANNS_CLIENT), ("ben", BENS_CLIENT)):
        await accounts.add_user(name, f"{name}'s password")
        await accounts.add_client(name, client["client_id"], client["client_secret"])
    app = FastAPI()
    app.include_router(router(accounts, SignIns(database, tokens, passwords, clock), settings))

    @app.exception_handler(ServiceError)
    async def refuse(_request: Request, error: ServiceError) -> WireResponse:
        return error_response(error)

    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=URL)
    return Service(accounts, database, clock, tokens, app, http)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def service(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Service]:
    made = await make(tmp_path)
    yield made
    await made.database.close()


def payload(token: str) -> dict[str, Any]:
    """As hondana decodes it: standard base64, with the padding it computes."""
    _, part, _ = token.split(".")
    assert not set("-_") & set(part)
    claims: dict[str, Any] = json.loads(b64decode(part + "=" * (len(part) % 4)).decode())
    assert json.loads(b64decode(part + "===")) == claims  # as mupl does
    return claims


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"error", "error_description"}
    return answer.status_code, body["error"], body["error_description"]


WRONG_USER = (401, "invalid_grant", "Invalid user credentials")
DEAD = (400, "invalid_grant", "Token is not active")


@pytest.mark.anyio
async def test_a_sign_in_answers_as_the_real_one(service: Service) -> None:
    answer = await service.sign_in()
    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    access, refresh = payload(body.pop("access_token")), payload(body.pop("refresh_token"))
    assert body == {
        "expires_in": 900,
        "refresh_expires_in": 28 * 86_400,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": access["sid"],
        "scope": "groups email profile",
        "client_type": "personal",
    }
    now = int(service.clock.now)
    assert (
        access.items()
        >= {
            "typ": "Bearer",
            "iat": now,
            "exp": now + 900,
            "iss": URL + REALM,
            "azp": "personal-client-ann",
            "preferred_username": "ann",
            "roles": ["ROLE_MEMBER"],
            "scope": "groups email profile",
        }.items()
    )
    assert refresh.items() >= {"typ": "Refresh", "exp": now + 28 * 86_400, "sid": access["sid"]}.items()
    assert access["jti"] != refresh["jti"]
    assert (
        access["sub"]
        == refresh["sub"]
        == (await service.get("/user/me", f"Bearer {answer.json()['access_token']}")).json()["data"]["id"]
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"password": "wrong"}, WRONG_USER),
        ({"username": "nobody"}, WRONG_USER),
        ({"username": "ANN"}, WRONG_USER),
        (BENS_CLIENT, WRONG_USER),
        ({"client_secret": "wrong"}, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        ({"client_id": "personal-client-no"}, (401, "invalid_client", "Invalid client or Invalid client credentials")),
        (
            {"grant_type": "implicit"},
            (400, "unsupported_grant_type", "Unsupported grant_type. Use password or refresh_token"),
        ),
        ({"grant_type": ""}, (400, "invalid_request", "Missing form parameter: grant_type")),
        ({"username": ""}, (400, "invalid_request", "Missing form parameter: username")),
        ({"password": ""}, (400, "invalid_request", "Missing form parameter: password")),
        ({"client_secret": ""}, (400, "invalid_request", "Missing form parameter: client_secret")),
        ({"grant_type": "refresh_token"}, (400, "invalid_request", "Missing form parameter: refresh_token")),
        ({"username": "a\0nn"}, (400, "invalid_request", "Send fields without NUL characters")),
    ],
)
async def test_refusals_are_keycloaks(service: Service, fields: dict[str, str], expected: tuple[int, str, str]) -> None:
    assert refused(await service.sign_in(**fields)) == expected


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", json.dumps({"grant_type": "password", **ANN, **ANNS_CLIENT}).encode()),
        ("application/x-www-form-urlencoded", b"username=%ff%fe"),
        ("application/x-www-form-urlencoded", b"username=\xff\xfe"),
        ("application/x-www-form-urlencoded", b"grant_type=password&grant_type=password"),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=" % number for number in range(21))),
        ("application/x-www-form-urlencoded", b""),
    ],
)
async def test_what_is_no_form_is_refused(service: Service, content_type: str, body: bytes) -> None:
    answer = await service.http.post(TOKEN_PATH, content=body, headers={"Content-Type": content_type})
    assert refused(answer)[:2] == (400, "invalid_request")


@pytest.mark.anyio
async def test_the_form_may_name_its_charset(service: Service) -> None:
    await service.accounts.add_user("Zoë ~?>", "pässwörd+&=")
    await service.accounts.add_client("Zoë ~?>", "personal-client-zoe", "zoe's secret")
    form = (
        b"grant_type=password&username=Zo%C3%AB+~%3F%3E&password=p%C3%A4ssw%C3%B6rd%2B%26%3D"
        b"&client_id=personal-client-zoe&client_secret=zoe%27s+secret"
    )
    headers = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
    answer = await service.http.post(TOKEN_PATH, content=form, headers=headers)
    assert payload(answer.json()["access_token"])["preferred_username"] == "Zoë ~?>"


@pytest.mark.anyio
async def test_a_body_is_refused_while_it_arrives(service: Service) -> None:
    sent = 0

    async def without_end() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"a" * 1024

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await service.http.post(TOKEN_PATH, content=without_end(), headers=headers)
    assert refused(answer)[:2] == (413, "invalid_request")
    assert sent == 17


@pytest.mark.anyio
async def test_a_refresh_gives_new_tokens_of_the_same_sign_in(service: Service) -> None:
    first = (await service.sign_in()).json()
    service.clock.now += 800
    second = (await service.renew(first["refresh_token"])).json()
    service.clock.now += 800
    third = await service.renew(second["refresh_token"])
    assert third.status_code == 200
    assert first["session_state"] == second["session_state"] == third.json()["session_state"]
    assert payload(second["access_token"])["exp"] == service.clock.now + 100
    assert len({item["refresh_token"] for item in (first, second, third.json())}) == 3
    assert (await service.get("/user/me", f"Bearer {second['access_token']}")).status_code == 200


@pytest.mark.anyio
async def test_a_refresh_token_used_again_ends_its_family_and_no_other(service: Service) -> None:
    other = (await service.sign_in()).json()
    first = (await service.sign_in()).json()
    second = (await service.renew(first["refresh_token"])).json()
    service.clock.now += REPEAT_S + 1
    assert refused(await service.renew(first["refresh_token"])) == DEAD
    assert refused(await service.renew(second["refresh_token"])) == DEAD
    assert (await service.renew(other["refresh_token"])).status_code == 200


@pytest.mark.anyio
async def test_a_lost_answer_may_be_asked_for_again(service: Service) -> None:
    first = (await service.sign_in()).json()
    answers = await asyncio.gather(*(service.renew(first["refresh_token"]) for _ in range(4)))
    assert [answer.status_code for answer in answers] == [200] * 4
    service.clock.now += REPEAT_S
    late = await service.renew(first["refresh_token"])
    assert late.json()["session_state"] == first["session_state"]
    service.clock.now += 1
    assert (await service.renew(answers[0].json()["refresh_token"])).status_code == 200
    assert refused(await service.renew(first["refresh_token"])) == DEAD  # counted from the first use
    assert refused(await service.renew(late.json()["refresh_token"])) == DEAD


@pytest.mark.anyio
async def test_dead_and_foreign_refresh_tokens(service: Service) -> None:
    body = (await service.sign_in()).json()
    refresh = body["refresh_token"]
    assert refused(await service.renew(refresh, BENS_CLIENT)) == DEAD
    assert refused(await service.renew(body["access_token"])) == DEAD
    assert refused(await service.renew("no token")) == DEAD
    assert refused(await service.renew(refresh, {**ANNS_CLIENT, "client_secret": "wrong"}))[:2] == (
        401,
        "invalid_client",
    )
    service.clock.now += 28 * 86_400 - 1
    assert (await service.renew(refresh)).status_code == 200
    late = (await service.sign_in()).json()["refresh_token"]
    service.clock.now += 28 * 86_400
    assert refused(await service.renew(late)) == DEAD


@pytest.mark.anyio
async def test_refresh_tokens_of_a_removed_client_are_dead_and_old_rows_go(service: Service) -> None:
    refresh = (await service.sign_in()).json()["refresh_token"]
    async with service.database.write() as connection:
        await connection.execute(delete(clients).where(clients.c.id == "personal-client-ann"))
    await service.accounts.add_client("ann", ANNS_CLIENT["client_id"], ANNS_CLIENT["client_secret"])
    assert refused(await service.renew(refresh)) == DEAD
    for _ in range(3):
        await service.sign_in()
    service.clock.now += 28 * 86_400
    await service.sign_in()
    async with service.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(refresh_tokens)) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_who_am_i(service: Service, scheme: str) -> None:
    token = await service.accounts.access_token_for("ann")
    me = await service.get("/user/me", f"{scheme} {token}")
    attributes = {"username": "ann", "roles": ["ROLE_MEMBER"], "version": 1}
    assert me.json() == {
        "result": "ok",
        "response": "entity",
        "data": {"id": payload(token)["sub"], "type": "user", "attributes": attributes, "relationships": []},
    }
    assert (await service.get("/auth/check", f"{scheme} {token}")).json() == {
        "result": "ok",
        "isAuthenticated": True,
        "roles": ["ROLE_MEMBER", "IS_JWT_AUTHENTICATED"],
        "permissions": ["user.list", "manga.view", "chapter.view"],
    }


@pytest.mark.anyio
@pytest.mark.parametrize("authorization", [None, "Bearer", "Bearer  ", "Bearer a.b.c", "Basic YTpi", "Bearer é", "a"])
async def test_without_a_good_token(service: Service, authorization: str | None) -> None:
    header = authorization.encode("latin-1") if authorization else None
    headers = {b"Authorization": header} if header else {}
    me = await service.http.get("/user/me", headers=headers)
    assert me.status_code == 401
    assert me.headers["www-authenticate"] == "Bearer"
    assert me.json()["errors"][0]["title"] == "unauthorized_http_exception"
    check = await service.http.get("/auth/check", headers=headers)
    assert check.status_code == 200
    assert check.json() == {"result": "ok", "isAuthenticated": False, "roles": [], "permissions": []}


@pytest.mark.anyio
async def test_tokens_end_with_their_time_and_their_user(service: Service) -> None:
    token = await service.accounts.access_token_for("ann")
    refresh = (await service.sign_in()).json()["refresh_token"]
    assert (await service.get("/user/me", f"Bearer {refresh}")).status_code == 401
    service.clock.now += 899
    assert (await service.get("/user/me", f"Bearer {token}")).status_code == 200
    service.clock.now += 1
    late = await service.get("/user/me", f"Bearer {token}")
    assert (late.status_code, "expired" in late.json()["errors"][0]["detail"]) == (401, True)
    bens = await service.accounts.access_token_for("ben")
    assert (await service.get("/user/me", f"Bearer {bens}")).status_code == 200
    async with service.database.write() as connection:
        await connection.execute(delete(users).where(users.c.username == "ben"))
    assert (await service.get("/user/me", f"Bearer {bens}")).status_code == 401


@pytest.mark.anyio
async def test_guesses_of_a_password_are_slowed_and_told_for_how_long(service: Service) -> None:
    for _ in range(FREE_BY_NAME):
        assert refused(await service.sign_in(password="wrong")) == WRONG_USER
    slowed = await service.sign_in()
    assert refused(slowed) == (
        429,
        "temporarily_unavailable",
        "Too many failed sign-ins. Wait 1 seconds and try again.",
    )
    assert slowed.headers["retry-after"] == "1"
    assert (await service.elsewhere().sign_in()).status_code == 429
    service.clock.now += 1
    assert refused(await service.sign_in(password="wrong")) == WRONG_USER
    assert (await service.sign_in()).headers["retry-after"] == "2"
    service.clock.now += 2
    assert (await service.sign_in()).status_code == 200
    assert refused(await service.sign_in(password="wrong")) == WRONG_USER
    assert (await service.sign_in()).status_code == 200


@pytest.mark.anyio
async def test_guesses_sent_all_at_once_are_slowed_too(service: Service) -> None:
    answers = await asyncio.gather(*(service.sign_in(password="wrong") for _ in range(30)))
    statuses = [answer.status_code for answer in answers]
    assert FREE_BY_NAME <= statuses.count(401) < FREE_BY_NAME + AT_ONCE
    assert statuses.count(401) + statuses.count(429) == 30


@pytest.mark.anyio
async def test_strangers_cannot_lock_a_user_out(service: Service) -> None:
    stranger = service.elsewhere()
    for _ in range(FREE_BY_NAME):
        assert refused(await stranger.sign_in(password="wrong", **BENS_CLIENT)) == WRONG_USER
    assert (await stranger.sign_in(**BENS_CLIENT)).status_code == 429
    assert (await service.sign_in()).status_code == 200


@pytest.mark.anyio
async def test_an_address_is_slowed_whatever_it_names(service: Service) -> None:
    for number in range(FREE_BY_ADDRESS):
        assert (await service.sign_in(client_id=f"personal-client-{number}")).status_code == 401
    assert (await service.sign_in()).status_code == 429
    assert (await service.elsewhere().sign_in()).status_code == 200
    service.clock.now += 1
    assert (await service.sign_in()).status_code == 200
    assert (await service.sign_in(client_id="personal-client-x")).status_code == 401
    assert (await service.sign_in()).headers["retry-after"] == "2"  # the success in between cleared nothing


@pytest.mark.anyio
async def test_passwords_that_everybody_knows_are_not_guarded(tmp_path: Path) -> None:
    service = await make(tmp_path, slows_guessing=False)
    for _ in range(FREE_BY_NAME + 1):
        assert refused(await service.sign_in(password="wrong")) == WRONG_USER
    assert (await service.sign_in()).status_code == 200
    await service.database.close()


@pytest.mark.anyio
async def test_unknown_names_take_as_long_as_known_ones(service: Service) -> None:
    async def fastest(**fields: str) -> float:
        times = []
        for _ in range(4):
            started = time.process_time()
            await service.sign_in(**fields)
            times.append(time.process_time() - started)
        return min(times)

    client, no_client = await fastest(client_secret="wrong"), await fastest(client_id="personal-client-no")
    user, no_user = await fastest(password="wrong"), await fastest(username="nobody", **BENS_CLIENT)
    assert 0.5 < no_client / client < 2
    assert 0.5 < no_user / user < 2


@pytest.mark.anyio
async def test_no_more_checks_wait_than_there_is_patience_for() -> None:
    passwords = Passwords(None, Clock())
    guesses = [passwords.check("guess", None, name="a", address="b") for _ in range(MAX_WAITING + 3)]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 3
    assert answers.count(False) == MAX_WAITING
    assert await passwords.check("guess", await passwords.hash("guess"), name="a", address="b")


@pytest.mark.anyio
async def test_names_and_secrets_that_do_not_do(service: Service) -> None:
    accounts = service.accounts
    for username in ("", " ann", "a\nb", "a" * 65, "\ud800"):
        with pytest.raises(Invalid):
            await accounts.add_user(username, "long enough")
    for password in ("short", "a" * 257, "nul\0nul\0nul"):
        with pytest.raises(Invalid):
            await accounts.add_user("new", password)
    for client_id in ("", "other-client", "personal-client-", "personal-client-a/b", "personal-client-" + "a" * 65):
        with pytest.raises(Invalid):
            await accounts.add_client("ann", client_id, "long enough")
    with pytest.raises(InConflict):
        await accounts.add_user("ann", "long enough")
    with pytest.raises(InConflict):
        await accounts.add_client("ben", "personal-client-ann", "long enough")
    with pytest.raises(NotFound):
        await accounts.add_client("nobody", "personal-client-new", "long enough")
    with pytest.raises(NotFound):
        await accounts.access_token_for("nobody")
    assert not await accounts.has_user("new")
    assert await accounts.has_user("ann")


@pytest.mark.anyio
async def test_secrets_are_stored_as_salted_hashes(service: Service) -> None:
    async with service.database.read() as connection:
        hashes = [
            *await connection.scalars(select(users.c.password_hash)),
            *await connection.scalars(select(clients.c.secret_hash)),
        ]
    assert len({*hashes}) == 4
    assert all(item.startswith("$argon2id$") for item in hashes)


@given(st.text(max_size=64).filter(lambda text: text.isprintable()), st.integers(0, 2**33))
def test_every_payload_decodes_with_standard_base64(username: str, now: int) -> None:
    clock = Clock()
    clock.now = now
    tokens = Tokens(KEY, URL + "/~?>", SETTINGS, clock)
    who = Identity(WHO.user_id, username, ("ROLE_MEMBER", "~?>\x7f"))
    access = tokens.access(who, client_id="personal-client-a", family="f")
    refresh = tokens.refresh(who, client_id="personal-client-a", family="f", token_id="t")
    assert payload(access)["preferred_username"] == payload(refresh)["preferred_username"] == username
    assert payload(access)["exp"] == now + 900
    assert tokens.verify_access(access) == who


def test_only_our_own_signature_counts() -> None:
    clock = Clock()
    tokens = Tokens(KEY, URL, SETTINGS, clock)
    good = tokens.access(WHO, client_id="c", family="f")
    head, body, signature = good.split(".")
    claims = payload(good)
    unsigned = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    forged = urlsafe_b64encode(json.dumps({**claims, "sub": "other"}).encode()).decode().rstrip("=")
    other_key = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(b"x" * 32))
    other_algorithm = jwt.encode({"alg": "HS512"}, claims, OctKey.import_key(KEY * 2), ["HS512"])
    bad = [f"{head}.{forged}.{signature}", f"{unsigned}.{body}.", f"{unsigned}.{body}.{signature}", other_key]
    for token in [*bad, other_algorithm, good[:-2], good + "A" * 9_000]:
        with pytest.raises(Unauthenticated):
            tokens.verify_access(token)
    assert tokens.verify_access(good) == WHO


def _encoded(part: object) -> str:
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


OUR_HEAD = Tokens(KEY, URL, SETTINGS).access(WHO, client_id="c", family="f").partition(".")[0]
json_values: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
headers: st.SearchStrategy[object] = json_values | st.fixed_dictionaries(
    {"alg": st.sampled_from(["HS256", "none", 1, None, []])},
    optional={"b64": json_values, "crit": json_values, "kid": json_values, "typ": json_values},
)


@given(
    st.text()
    | st.text("ab=._-é\0 ")
    | st.builds(lambda head, body: f"{_encoded(head)}.{_encoded(body)}.AA", headers, json_values)
    | st.builds(lambda rest: f"{OUR_HEAD}.{rest}", st.text() | st.text("ab=._-é\0 "))
)
def test_nothing_else_is_a_token(token: str) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(KEY, URL, SETTINGS, Clock()).verify_access(token)


def test_the_memory_of_verified_tokens_is_bounded_and_keeps_their_time() -> None:
    clock = Clock()
    tokens = Tokens(KEY, URL, SETTINGS, clock)
    made = [tokens.access(WHO, client_id="c", family="f") for _ in range(CACHED_TOKENS + 5)]
    assert all(tokens.verify_access(token) == WHO for token in made)
    assert len(tokens._verified) == CACHED_TOKENS
    clock.now += 900
    for token in made[-2:]:
        with pytest.raises(Unauthenticated):
            tokens.verify_access(token)


def test_the_key_is_made_once(tmp_path: Path) -> None:
    settings, other = settings_of(tmp_path / "data"), settings_of(tmp_path / "other")
    together = Barrier(8)

    def start(_number: int) -> bytes:
        together.wait()
        return signing_key(settings)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(start, range(8)))
    assert keys == {signing_key(settings)}
    assert len(keys.pop()) == 32
    assert signing_key(other) != signing_key(settings)


@pytest.mark.embedded(reason="elsewhere the key is a row of the database")
def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(0)
    try:
        signing_key(Settings(data_dir=folder))
    finally:
        os.umask(before)
    assert [path.name for path in folder.iterdir()] == ["signing.key"]
    assert stat.S_IMODE((folder / "signing.key").stat().st_mode) == 0o600


@pytest.mark.embedded(reason="elsewhere the key is a row of the database")
def test_a_key_that_others_can_read_or_that_is_damaged_is_not_used(tmp_path: Path) -> None:
    signing_key(Settings(data_dir=tmp_path))
    path = tmp_path / "signing.key"
    path.chmod(0o640)
    with pytest.raises(KeyFileError, match="chmod 600"):
        signing_key(Settings(data_dir=tmp_path))
    path.chmod(0o600)
    path.write_bytes(b"short")
    with pytest.raises(KeyFileError, match="damaged"):
        signing_key(Settings(data_dir=tmp_path))


@pytest.mark.anyio
async def test_waits_double_up_to_the_cap_and_are_forgotten(service: Service) -> None:
    failures, now, waits = FailedSignIns(service.database), 0.0, []
    for _ in range(18):
        wait_s = await failures.wait_s({"ann": 5}, now)
        waits.append(wait_s)
        now += wait_s
        assert await failures.wait_s({"ann": 5}, now) == 0
        await failures.failed("ann", now=now)
    assert waits == [0] * 5 + [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] + [CAP_S] * 3
    assert await failures.wait_s({"ben": 5}, now) == 0
    assert await failures.wait_s({"ben": 5, "ann": 5}, now + 100) == CAP_S - 100
    await failures.failed("ann", now=now + FORGET_S + 1)
    assert await failures.wait_s({"ann": 5}, now + FORGET_S + 1) == 0


@pytest.mark.anyio
async def test_a_success_clears_and_what_is_old_goes(service: Service) -> None:
    failures = FailedSignIns(service.database)
    await failures.failed("ann", "here", now=0)
    await failures.succeeded("ann")
    assert await failures.wait_s({"ann": 1}, 0) == 0
    assert await failures.wait_s({"here": 1}, 0) == 1
    await failures.failed("ben", now=FORGET_S + 1)
    async with service.database.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(failed_sign_ins))).scalar_one() == 1


@pytest.mark.anyio
async def test_failures_at_once_are_all_counted(service: Service) -> None:
    """As on several nodes: each has its own connection to the same rows."""
    failures = FailedSignIns(service.database)
    await asyncio.gather(*(failures.failed(*keys, now=0) for keys in [("a", "b"), ("b", "a")] * 20))
    assert await failures.wait_s({"a": 40}, 0) == 1
    assert await failures.wait_s({"b": 41}, 0) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_guesser_has_a_whole_network(address: str, network: str) -> None:
    assert network_of(address) == network
