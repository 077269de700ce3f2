"""Commands about accounts beside a running server: what they change holds for the next request."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from installations import are_big, peek, settings_of
from program import Running, sandbox
from sqlalchemy import text
from test_program import PASSWORD, TOKEN_PATH, quick

from mangadex_server.signing_keys import signing_key

OTHER = "Another-Horse-8"
ADDRESSES = (f"2001:db8:{number:x}::1" for number in itertools.count(1))


class Archive:
    """A running service with an account, and requests from ever other addresses: the limits are on."""

    def __init__(self, running: Running, data_dir: Path) -> None:
        self.data = "--data-dir", data_dir
        self.http = httpx2.Client(base_url=running.url, trust_env=False, timeout=60)
        self.ann = "ann"
        quick("user", "add", self.ann, *self.data, entered=PASSWORD)
        known = re.fullmatch(
            r"client id: (\S+)\nclient secret: (\S+)\n", quick("client", "add", self.ann, *self.data)[0]
        )
        assert known is not None
        self._client = {"client_id": known[1], "client_secret": known[2]}

    def sign_in(self, password: str = PASSWORD) -> httpx2.Response:
        return self._token(grant_type="password", username=self.ann, password=password)

    def renew(self, granted: Any) -> httpx2.Response:
        return self._token(grant_type="refresh_token", refresh_token=granted["refresh_token"])

    def _token(self, **form: str) -> httpx2.Response:
        return self.http.post(TOKEN_PATH, data=form | self._client, headers={"X-Forwarded-For": next(ADDRESSES)})

    def get(self, path: str, token: str, address: str = "") -> httpx2.Response:
        headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": address or next(ADDRESSES)}
        return self.http.get(path, headers=headers)

    def roles(self, token: str) -> list[str]:
        found: list[str] = self.get("/user/me", token).raise_for_status().json()["data"]["attributes"]["roles"]
        return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    data_dir = tmp_path_factory.mktemp("accounts") / "data"
    limited = {"MANGADEX_SERVER_RATE_LIMITS": "true", "MANGADEX_SERVER_TRUSTED_PROXIES": '["127.0.0.1"]'}
    with sandbox(data_dir, **limited) as running:
        archive = Archive(running, data_dir)
        yield archive
        archive.http.close()


def test_signing_somebody_out(archive: Archive) -> None:
    granted = [archive.sign_in().raise_for_status().json() for _ in range(2)]
    by_command = quick("token", "ann", *archive.data)[0].strip()
    assert archive.get("/user/me", granted[0]["access_token"]).status_code == 200
    assert quick("user", "sign-out", "ann", *archive.data)[0] == "2\n"
    for tokens in granted:
        refused = archive.get("/user/me", tokens["access_token"])
        assert (refused.status_code, "Sign in again" in refused.json()["errors"][0]["detail"]) == (401, True)
        assert archive.renew(tokens).status_code == 400
    assert archive.get("/user/me", by_command).status_code == 200, "given by who may give more"
    assert archive.get("/user/me", archive.sign_in().json()["access_token"]).status_code == 200


def test_another_password(archive: Archive) -> None:
    before = archive.sign_in().raise_for_status().json()
    quick("user", "password", "ann", *archive.data, entered=OTHER)
    assert archive.get("/user/me", before["access_token"]).status_code == 401
    assert archive.sign_in(PASSWORD).status_code == 401
    assert archive.sign_in(OTHER).status_code == 200
    assert "too short" in quick("user", "password", "ann", *archive.data, entered="short", status=2)[1]
    quick("user", "password", "ann", *archive.data, entered=PASSWORD)


def test_roles(archive: Archive) -> None:
    token = archive.sign_in().raise_for_status().json()["access_token"]
    roles = "user", "roles", "ann", *archive.data
    assert quick(*roles, "--add", "ROLE_EXTERNAL")[0] == "ROLE_MEMBER\nROLE_EXTERNAL\n"
    assert archive.roles(token) == ["ROLE_MEMBER", "ROLE_EXTERNAL"]
    assert quick(*roles)[0] == "ROLE_MEMBER\nROLE_EXTERNAL\n"
    assert quick(*roles, "--remove", "ROLE_EXTERNAL")[0] == "ROLE_MEMBER\n"
    assert archive.roles(token) == ["ROLE_MEMBER"]
    known = "There is no role ROLE_KING. There are: ROLE_MEMBER, ROLE_EXTERNAL, ROLE_ADMIN, ROLE_GLOBAL_MODERATOR.\n"
    assert quick(*roles, "--add", "ROLE_KING", status=2)[1] == known
    both = quick(*roles, "--add", "ROLE_EXTERNAL", "--remove", "ROLE_EXTERNAL", status=2)[1]
    assert "cannot be added and removed at once" in both


def test_the_list_of_users_and_those_that_are_not_in_it(archive: Archive) -> None:
    listed = [line.split("  ") for line in quick("user", "list", *archive.data)[0].splitlines()]
    assert [(roles, name) for _, roles, name in listed] == [("ROLE_MEMBER", "ann"), ("ROLE_MEMBER", "sandbox")]
    for subcommand, entered in (("password", PASSWORD), ("roles", ""), ("sign-out", "")):
        said = quick("user", subcommand, "bob", *archive.data, entered=entered, status=2)[1]
        assert "There is no user bob." in said


def test_a_deleted_user_is_not_let_in(archive: Archive) -> None:
    quick("user", "add", "cat", *archive.data, entered=PASSWORD)
    token = quick("token", "cat", *archive.data)[0].strip()
    assert archive.get("/user/me", token).status_code == 200
    with peek(archive.data[1]) as database:
        assert database.execute(text("DELETE FROM users WHERE username = 'cat'")).rowcount == 1
    assert archive.get("/user/me", token).status_code == 401


def test_limits_are_of_the_user_and_not_of_what_a_client_writes(archive: Archive) -> None:
    tokens = [quick("token", "ann", *archive.data)[0].strip() for _ in range(2)]

    def remaining(token: str, address: str = "") -> int:
        return int(archive.get("/upload", token, address).headers["X-RateLimit-Remaining"])

    first = remaining(tokens[0])
    assert remaining(tokens[1]) == first - 1, "another token of the same user"
    address = next(ADDRESSES)
    assert [remaining(f"forged-{number}", address) for number in range(3)] == [29, 28, 27]


def test_another_key(tmp_path: Path) -> None:
    data = "--data-dir", tmp_path / "data"
    assert are_big() or "There is no signing key" in quick("rotate-key", *data, status=2)[1]
    with sandbox(tmp_path / "data"):
        token = quick("token", "sandbox", *data)[0].strip()
        assert "Another mangadex-server is running on" in quick("rotate-key", *data, status=2)[1]
    before = signing_key(settings_of(tmp_path / "data"))
    assert "everybody signs in again" in quick("rotate-key", *data)[0]
    assert signing_key(settings_of(tmp_path / "data")) != before
    assert are_big() or (tmp_path / "data" / "signing.key").stat().st_mode & 0o077 == 0
    with sandbox(tmp_path / "data") as running:
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx2.get(f"{running.url}/user/me", headers=headers, trust_env=False).status_code == 401
