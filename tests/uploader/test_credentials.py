"""Signing in: what is kept, where, and that no process loses a renewed token."""

from __future__ import annotations

import base64
import json
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from keyring.core import load_keyring
from keyring_in_a_file import Keyring
from program import Running, sandbox
from rig import CREDENTIALS
from user import User

import mangadex_openapi as sdk
from mangadex_uploader import credentials, places
from mangadex_uploader.access import account_in
from mangadex_uploader.credentials import Kept, Login
from mangadex_uploader.secret_stores import KeyringStore, StoreUnusableError
from mangadex_uploader.token_keeper import TokenKeeper, as_text

SECRETS = (CREDENTIALS["MANGADEX_PASSWORD"], CREDENTIALS["MANGADEX_CLIENT_SECRET"])
FAILS, FORGETS = "keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with sandbox(tmp_path_factory.mktemp("service") / "data") as running:
        yield running


@pytest.fixture
def user(service: Running, tmp_path: Path) -> User:
    return User(tmp_path, service.url)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This process has a home of its own, without a keyring."""
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    before = keyring.get_keyring()
    keyring.set_keyring(load_keyring(FAILS))
    yield tmp_path
    keyring.set_keyring(before)


class Counting(TokenKeeper):
    """Counts the tokens that were got."""

    def __init__(self, kept: Kept) -> None:
        super().__init__(kept)
        self.loaded: sdk.Tokens | None = None
        self.renewals = 0

    def load(self, key: sdk.TokenKey) -> sdk.Tokens | None:
        self.loaded = super().load(key)
        return self.loaded

    def save(self, key: sdk.TokenKey, tokens: sdk.Tokens | None) -> None:
        self.renewals += tokens != self.loaded
        super().save(key, tokens)


def signed_in(url: str) -> Kept:
    """A stored login whose access token has to be renewed."""
    store = sdk.MemoryTokenStore()
    personal = sdk.PersonalClient(
        username="sandbox", password=SECRETS[0], client_id="personal-client-sandbox", client_secret=SECRETS[1],
        token_store=store,
    )  # fmt: skip
    configuration = sdk.Configuration(url, auth=personal)
    with sdk.ApiClient(configuration) as client:
        sdk.UserApi(client).get_user_me()
    tokens = store.load(sdk.TokenKey(url, f"{url}/realms/mangadex/protocol/openid-connect", "sandbox"))
    assert tokens is not None
    login = Login(url, "sandbox", "personal-client-sandbox", None)
    return credentials.keep(login, SECRETS[1], as_text(replace(tokens, renew_at=0.0, expires_at=0.0)))[0]


def who(kept: Kept, keeper: TokenKeeper, auth_url: str | None = None) -> str | None:
    personal = sdk.PersonalClient(
        username="sandbox",
        client_id=kept.login.client_id,
        client_secret=kept.client_secret(),
        auth_url=auth_url,
        token_store=keeper,
    )
    with sdk.ApiClient(sdk.Configuration(kept.login.host, auth=personal, pacing=False)) as client:
        found = sdk.UserApi(client).get_user_me().data
    return found.attributes.username if found and found.attributes else None


def test_a_login_in_files_that_only_their_owner_can_read(user: User) -> None:
    done = user.login()
    assert (done.status, done.output) == (0, "")
    assert "since there is no keyring here" in done.errors
    assert f"{places.logins_folder().name}/" in done.errors

    files = user.files()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files if path.stat().st_size)
    below = user.home / ".local" / "state"
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o700 for path in below.rglob("*") if path.is_dir())
    assert not [path for path in files if CREDENTIALS["MANGADEX_PASSWORD"] in path.read_text()]

    account = user.invoke("whoami", "--json").objects[0]
    assert (account["event"], account["username"], account["host"]) == ("account", "sandbox", user.url)

    given = user.invoke("whoami", MANGADEX_ACCESS_TOKEN="no.such.token")  # goes before the login
    assert given.status == 4
    assert "no.such.token" not in given.errors

    assert user.invoke("logout").status == 0
    assert not [path for path in user.files() if CREDENTIALS["MANGADEX_CLIENT_SECRET"] in path.read_text()]
    assert user.invoke("whoami").status == 4


def test_a_login_in_the_keyring_leaves_no_secret_in_files(user: User, tmp_path: Path) -> None:
    ring = tmp_path / "ring" / "keyring.json"
    ring.parent.mkdir()
    user.variables = {
        "PYTHON_KEYRING_BACKEND": "keyring_in_a_file.Keyring",
        "PYTHONPATH": str(Path(__file__).parent),
        "KEYRING_IN_A_FILE": str(ring),
    }
    done = user.login()
    assert (done.status, "in the keyring." in done.errors) == (0, True)
    assert CREDENTIALS["MANGADEX_CLIENT_SECRET"] in ring.read_text()
    texts = [path.read_text() for path in user.files() if path != ring]
    assert not [text for text in texts if CREDENTIALS["MANGADEX_CLIENT_SECRET"] in text or "refresh_token" in text]
    assert user.run("whoami").output == "sandbox\n"
    user.run("logout")
    assert json.loads(ring.read_text()) == {}


@pytest.mark.parametrize(
    ("without", "status", "said"),
    [
        ("MANGADEX_CLIENT_SECRET", 2, "set MANGADEX_CLIENT_SECRET"),
        ("MANGADEX_USERNAME", 2, "give --username, or set MANGADEX_USERNAME"),
    ],
)
def test_what_a_login_lacks(user: User, without: str, status: int, said: str) -> None:
    done = user.invoke("login", **{name: value for name, value in CREDENTIALS.items() if name != without})
    assert (done.status, said in done.errors) == (status, True)


def test_a_wrong_password_is_told_and_nothing_is_kept(user: User) -> None:
    done = user.invoke("login", **(CREDENTIALS | {"MANGADEX_PASSWORD": "wrong"}))
    assert done.status == 4
    assert "check the user name and the password" in done.errors
    assert user.files() == []


def test_those_that_renew_at_once_share_one_renewal(service: Running, here: Path) -> None:
    kept = signed_in(service.url)
    keepers = [Counting(kept) for _ in range(4)]
    with ThreadPoolExecutor(len(keepers)) as pool:
        assert list(pool.map(lambda keeper: who(kept, keeper), keepers)) == ["sandbox"] * len(keepers)
    assert sum(keeper.renewals for keeper in keepers) == 1


def test_a_renewal_that_fails_keeps_nobody_waiting(service: Running, here: Path) -> None:
    kept = signed_in(service.url)
    with pytest.raises(sdk.LoginUnavailable):
        who(kept, TokenKeeper(kept), auth_url="http://127.0.0.1:1/realm")
    begun_at = time.monotonic()
    assert who(kept, TokenKeeper(kept)) == "sandbox"
    assert time.monotonic() - begun_at < 10


def test_a_renewed_refresh_token_is_kept_at_once(service: Running, here: Path) -> None:
    kept = signed_in(service.url)
    before = json.loads(kept.secrets.read(credentials.TOKENS) or "")
    who(kept, TokenKeeper(kept))
    after = json.loads(kept.secrets.read(credentials.TOKENS) or "")
    assert before["refresh_token"] != after["refresh_token"]
    assert after["expires_at"] > time.time()


def test_a_keyring_that_fails_later_gives_way_to_files(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = here / "ring"
    ring.mkdir()
    monkeypatch.setenv("KEYRING_IN_A_FILE", str(ring / "keyring.json"))
    keyring.set_keyring(Keyring())
    kept, problem = credentials.keep(Login("https://x.example", "me", "client", None), "secret", "tokens")
    assert (problem, kept.login.store) == (None, credentials.KEYRING)

    class Locked(Keyring):
        def set_password(self, service: str, username: str, password: str) -> None:
            raise keyring.errors.PasswordSetError("locked")

    keyring.set_keyring(Locked())
    found = credentials.find("https://x.example")
    assert found is not None
    found.write(credentials.TOKENS, "newer tokens")
    keyring.set_keyring(load_keyring(FAILS))
    again = credentials.find("https://x.example")
    assert again is not None
    assert (again.client_secret(), again.secrets.read(credentials.TOKENS)) == ("secret", "newer tokens")


def test_backends_that_keep_nothing_are_not_used(here: Path) -> None:
    for backend in (load_keyring(FAILS), load_keyring(FORGETS)):
        keyring.set_keyring(backend)
        with pytest.raises(StoreUnusableError, match="no keyring"):
            KeyringStore("me")


def jwt(**claims: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header.{payload}.signature"


@pytest.mark.parametrize(
    ("token", "account"),
    [
        (jwt(preferred_username="SomeBody", sub="1-2"), "somebody"),
        (jwt(sub="1-2"), "1-2"),
        (jwt(), None),
        ("opaque", None),
        ("a.!!!.c", None),
        ("a.WzFd.c", None),
        ("ä.ä.ä", None),
    ],
)
def test_the_account_that_a_token_names(token: str, account: str | None) -> None:
    assert account_in(token) == account
