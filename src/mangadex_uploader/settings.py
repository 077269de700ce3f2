"""The settings file: which keys it may have, and what they must look like. Flags and the environment go before it."""

from __future__ import annotations

import difflib
import os
import stat
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mangadex_uploader.errors import UsageError
from mangadex_uploader.identifiers import compared, id_in

SECRETS = ("password", "client-secret", "access-token")
"""Never a flag: every user of the machine sees the flags of all programs."""

TABLES = {"manga": "manga", "groups": "group"}
"""The tables that say which id a name has, each with the kind of what is named."""

_OTHERS_MAY = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class SettingsFile:
    """What a settings file says; empty where there is none.

    Attributes:
        values: by options, without dashes in front.
        secrets: by the names in SECRETS.
        ids: by kind (`manga`, `group`) and name, as `compared` has it.
        path: None where there is no file.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    ids: Mapping[tuple[str, str], str] = field(default_factory=dict)
    path: Path | None = None

    def secret(self, name: str) -> str | None:
        """One of SECRETS, from the environment or else from here; None where it is neither there nor here."""
        return os.environ.get(variable(name)) or self.secrets.get(name)


def variable(name: str) -> str:
    """The environment variable of an option or secret."""
    return f"MANGADEX_{name.upper().replace('-', '_')}"


def read(path: Path, *, texts: Collection[str], flags: Collection[str], lists: Collection[str]) -> SettingsFile:
    """Read a settings file.

    Args:
        path: a TOML file.
        texts: the keys that take a text.
        flags: those that take true or false.
        lists: those that take a text or a list of them.

    Raises:
        UsageError: it cannot be read, has a key that does not exist, or a value that does not do.
    """
    parsed = {key.replace("_", "-"): value for key, value in _parsed(path).items()}
    tables = {key: value for key, value in parsed.items() if key in TABLES and isinstance(value, dict)}
    given = {key: value for key, value in parsed.items() if key not in tables}
    for key, value in given.items():
        if key in SECRETS:
            _check_secret(path, key, value)
        elif key in flags:
            _check(isinstance(value, bool), f"{path}: {key} must be true or false.")
        elif key in lists:
            is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
            _check(is_list or isinstance(value, str), f'{path}: {key} must be a list of texts, such as ["a", "b"].')
        elif key in texts:
            _check(isinstance(value, str), f'{path}: {key} must be a text in quotes, such as "{value}".')
        else:
            _check(key not in TABLES, f"{path}: {key} must be a table, [{key}], with names and their ids.")
            raise UsageError(f"{path}: there is no setting {key!r}{_nearest(key, {*texts, *flags, *lists, *SECRETS})}.")
    secrets = {key: value for key, value in given.items() if key in SECRETS}
    values = {key: value for key, value in given.items() if key not in SECRETS}
    return SettingsFile(values, secrets, _ids(path, tables), path)


def _ids(path: Path, tables: Mapping[str, Mapping[str, object]]) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for table, names in tables.items():
        for name, value in names.items():
            where = f"{path}: [{table}] {name!r}"
            its = id_in(TABLES[table], value, where) if isinstance(value, str) else None
            if its is None:
                raise UsageError(f"{where} must be an id or an address, in quotes.")
            if found.setdefault((TABLES[table], compared(name)), its) != its:
                raise UsageError(f"{where}: another line there has this name too, with another id; leave one.")
    return found


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The settings file {path} cannot be read: {error.strerror}.") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise UsageError(f"The settings file {path} is no TOML: {error}.") from None


def _check_secret(path: Path, key: str, value: object) -> None:
    _check(isinstance(value, str), f"{path}: {key} must be a text in quotes.")
    if os.name == "posix" and path.stat().st_mode & _OTHERS_MAY:
        problem = f"{path}: {key} is a secret, and others on this machine may read the file"
        raise UsageError(f"{problem}. Do `chmod 600` on it, or set {variable(key)} instead.")


def _check(is_right: bool, problem: str) -> None:
    if not is_right:
        raise UsageError(problem)


def _nearest(key: str, known: Collection[str]) -> str:
    found = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean {found[0]!r}?" if found else ""
