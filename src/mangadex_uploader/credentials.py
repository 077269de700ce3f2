"""Who is signed in where. One login for each host, with its secrets in the store that worked."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mangadex_uploader import places
from mangadex_uploader.errors import SignInNeeded
from mangadex_uploader.secret_stores import FileStore, KeyringStore, SecretStore, StoreUnusableError

CLIENT_SECRET, TOKENS = "client-secret", "tokens"
_LOGIN = "login.json"
KEYRING, FILES = "keyring", "files"


@dataclass(frozen=True, slots=True)
class Login:
    """A personal client and its owner, as `mangadex login` was given them. `store` says where the secrets are."""

    host: str
    username: str
    client_id: str
    auth_url: str | None
    store: str = FILES


@dataclass(slots=True)
class Kept:
    """A login with its secrets."""

    login: Login
    secrets: SecretStore = field(repr=False)

    @property
    def where(self) -> str:
        """Where the secrets are, for people."""
        return "the keyring" if self.login.store == KEYRING else f"{folder_of(self.login.host)} (only you can read it)"

    def client_secret(self) -> str:
        """The personal client's secret.

        Raises:
            SignInNeeded: it is not there any more, or cannot be read.
        """
        try:
            secret = self.secrets.read(CLIENT_SECRET)
        except StoreUnusableError as error:
            raise SignInNeeded(f"The login cannot be read: {error}. Unlock it, or run `mangadex login`.") from error
        if secret is None:
            raise SignInNeeded(f"The client secret is not in {self.where} any more: run `mangadex login`.")
        return secret

    def write(self, name: str, text: str | None) -> None:
        """Keep a secret; when a keyring fails, in files from now on.

        Raises:
            StoreUnusableError: it can be kept nowhere.
        """
        try:
            self.secrets.write(name, text)
        except StoreUnusableError:
            if self.login.store != KEYRING:
                raise
            client_secret = self.client_secret()
            self.login = Login(**{**asdict(self.login), "store": FILES})
            self.secrets = FileStore(folder_of(self.login.host))
            self.secrets.write(CLIENT_SECRET, client_secret)
            self.secrets.write(name, text)
            _note(self.login)


def folder_of(host: str) -> Path:
    """The folder of a host's login; a host is from outside, and no name of a folder."""
    return places.logins_folder() / hashlib.sha256(host.encode()).hexdigest()[:16]


def find(host: str) -> Kept | None:
    """The login at a host.

    Raises:
        SignInNeeded: it is there and cannot be used.
    """
    note = folder_of(host) / _LOGIN
    try:
        login = Login(**json.loads(note.read_text(encoding="utf-8")))
        return Kept(login, _store(login))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise SignInNeeded(f"{note} cannot be used ({error}): run `mangadex login`.") from error
    except StoreUnusableError as error:
        raise SignInNeeded(f"The login is in the keyring, and {error}. Run `mangadex login`.") from error


def keep(login: Login, client_secret: str, tokens: str) -> tuple[Kept, str | None]:
    """Keep a new login, in the keyring where that works; also why it did not, if it did not.

    Raises:
        StoreUnusableError: it can be kept nowhere.
    """
    wanted, problem = Login(**{**asdict(login), "store": KEYRING}), None
    try:
        kept = Kept(wanted, _store(wanted))
        _write_all(kept, client_secret, tokens)
    except StoreUnusableError as error:
        problem = str(error)
        wanted = Login(**{**asdict(login), "store": FILES})
        kept = Kept(wanted, _store(wanted))
        _write_all(kept, client_secret, tokens)
    _note(wanted)
    return kept, problem


def forget(kept: Kept) -> None:
    """Remove a login and its secrets.

    Raises:
        StoreUnusableError: a secret cannot be removed.
    """
    for name in (TOKENS, CLIENT_SECRET):
        kept.secrets.write(name, None)
    (folder_of(kept.login.host) / _LOGIN).unlink(missing_ok=True)


def _write_all(kept: Kept, client_secret: str, tokens: str) -> None:
    kept.secrets.write(CLIENT_SECRET, client_secret)
    kept.secrets.write(TOKENS, tokens)


def _store(login: Login) -> SecretStore:
    if login.store == KEYRING:
        return KeyringStore(f"{login.username}@{login.host}")
    return FileStore(folder_of(login.host))


def _note(login: Login) -> None:
    places.write_private(folder_of(login.host) / _LOGIN, json.dumps(asdict(login)))
