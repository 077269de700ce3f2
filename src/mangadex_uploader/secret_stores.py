"""Where the secrets of one login are kept: the system's keyring, or files that only this user can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from mangadex_uploader import places

SERVICE = "mangadex"


class StoreUnusableError(Exception):
    """Secrets cannot be kept, or read, there; the message says why."""


class SecretStore(Protocol):
    """Keeps texts by name."""

    def read(self, name: str) -> str | None:
        """A text, or None where there is none.

        Raises:
            StoreUnusableError: it cannot be read.
        """

    def write(self, name: str, text: str | None) -> None:
        """Keep a text, or with None forget the one that is there.

        Raises:
            StoreUnusableError: it cannot be written.
        """


class FileStore:
    """Files of a folder, with the rights of their owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> str | None:
        """A text, or None where there is none."""
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreUnusableError(f"{self._folder / name} cannot be read: {error}") from error

    def write(self, name: str, text: str | None) -> None:
        """Keep a text, or with None forget the one that is there."""
        try:
            if text is None:
                (self._folder / name).unlink(missing_ok=True)
            else:
                places.write_private(self._folder / name, text)
        except OSError as error:
            raise StoreUnusableError(f"{self._folder / name} cannot be written: {error.strerror}") from error


class KeyringStore:
    """The system's keyring: one entry for each name, of one account at one host.

    Raises:
        StoreUnusableError: there is no keyring, or none that keeps secrets.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._backend = _usable_backend()

    def read(self, name: str) -> str | None:
        """A text, or None where there is none."""
        try:
            text = self._backend.get_password(SERVICE, self._entry(name))
        except Exception as error:
            raise _unusable(error) from error
        return None if text is None else str(text)

    def write(self, name: str, text: str | None) -> None:
        """Keep a text, or with None forget the one that is there."""
        try:
            if text is not None:
                self._backend.set_password(SERVICE, self._entry(name), text)
            elif self.read(name) is not None:
                self._backend.delete_password(SERVICE, self._entry(name))
        except StoreUnusableError:
            raise
        except Exception as error:
            raise _unusable(error) from error

    def _entry(self, name: str) -> str:
        return f"{self._account} {name}"


def _usable_backend() -> Any:
    import keyring  # noqa: PLC0415 - looks for all backends; a login in files needs none

    try:
        backend: Any = keyring.get_keyring()
        first = next(iter(getattr(backend, "backends", ())), backend)  # several are tried in turn
        priority = first.priority
    except Exception as error:
        raise _unusable(error) from error
    if priority < 1:  # keyring's own measure: below are those that fail, forget, or write in plain text
        raise StoreUnusableError("there is no keyring here")
    return backend


def _unusable(error: Exception) -> StoreUnusableError:
    """A backend is a plug-in, and raises what it likes."""
    return StoreUnusableError(f"the keyring cannot be used ({type(error).__name__}: {error})")
