"""A keyring plug-in for tests, in the file that KEYRING_IN_A_FILE names; locked while its folder is not there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError, PasswordSetError


class Keyring(KeyringBackend):
    priority = 9

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def get_password(self, service: str, username: str) -> str | None:
        found = self._all().get(f"{service} {username}")
        return None if found is None else str(found)

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self._file.parent.exists():
            raise PasswordSetError("locked")
        self._file.write_text(json.dumps({**self._all(), f"{service} {username}": password}))

    def delete_password(self, service: str, username: str) -> None:
        left = self._all()
        if left.pop(f"{service} {username}", None) is None:
            raise PasswordDeleteError("not there")
        self._file.write_text(json.dumps(left))

    @property
    def _file(self) -> Path:
        return Path(os.environ["KEYRING_IN_A_FILE"])

    def _all(self) -> dict[str, str]:
        return dict(json.loads(self._file.read_text())) if self._file.exists() else {}
