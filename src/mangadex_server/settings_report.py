"""Settings with a file among their sources, and where each value came from."""

from __future__ import annotations

import json
import os
import reprlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError as UnreadableError

from mangadex_server.settings import Settings

PREFIX = "MANGADEX_SERVER_"
CONFIG = "config"
"""Names the file in the environment; it is no setting."""

HIDDEN = "hidden"

URLS = ("database_url", "blobs_url", "limits_url")
"""They may have a password in them."""


class SettingsError(Exception):
    """They cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting as it is, as text, without secrets."""

    name: str
    value: str
    origin: str


def load(config_file: Path | None, flags: dict[str, Any]) -> Settings:
    """The settings from all sources.

    Raises:
        SettingsError: one of them does not do.
    """
    _check_environment()
    in_file = _read(config_file) if config_file else {}
    if config_file:
        _check_names(in_file, str(config_file))
    Settings.config_file = config_file
    try:
        return Settings(**flags)
    except ValidationError as error:
        raise SettingsError(_problem(error, _origins(config_file, in_file, flags))) from None
    except UnreadableError as error:
        raise SettingsError(_no_json(error)) from None
    finally:
        Settings.config_file = None


def report(settings: Settings, config_file: Path | None, flags: dict[str, Any]) -> list[Setting]:
    """Every setting with its value and origin."""
    origins = _origins(config_file, _read(config_file) if config_file else {}, flags)
    values = settings.model_dump(mode="json")
    for name in URLS:
        values[name] = values[name] and without_secrets(values[name])
    return [
        Setting(name, json.dumps(value, ensure_ascii=False), origins.get(name, "default"))
        for name, value in values.items()
    ]


def _origins(config_file: Path | None, in_file: dict[str, Any], flags: dict[str, Any]) -> dict[str, str]:
    """Where the settings come from that are set."""
    return (
        dict.fromkeys(in_file, f"file {config_file}")
        | {name: f"environment {PREFIX}{name.upper()}" for name in _in_environment()}
        | {name: f"flag --{name.replace('_', '-')}" for name in flags}
    )


def _in_environment() -> dict[str, str]:
    """Of all variables with our prefix, what they set, and how they are written."""
    ours = {name.upper(): name for name in os.environ if name.upper().startswith(PREFIX)}
    return {name.removeprefix(PREFIX).lower(): written for name, written in ours.items()}


def _check_environment() -> None:
    for name, written in _in_environment().items():
        if name not in (*Settings.model_fields, CONFIG):
            meant = _nearest(name, (*Settings.model_fields, CONFIG))
            hint = f"Did you mean {PREFIX}{meant.upper()}?" if meant else "Unset it."
            raise SettingsError(f"The environment has {written}, and there is no such setting. {hint}")


def _check_names(in_file: dict[str, Any], where: str) -> None:
    for name in in_file:
        if name not in Settings.model_fields:
            meant = _nearest(name, Settings.model_fields)
            hint = f"Did you mean {meant}?" if meant else "`mangadex-server settings` has all names."
            raise SettingsError(f"{where}: there is no setting {name}. {hint}")


def _nearest(name: str, known: Iterable[str]) -> str | None:
    return next(iter(get_close_matches(name, known, n=1)), None)


def _problem(error: ValidationError, origins: dict[str, str]) -> str:
    first = error.errors(include_url=False)[0]
    problem = first["msg"].removeprefix("Value error, ")
    if not first["loc"]:
        return f"{problem}."
    name = str(first["loc"][0])
    value = HIDDEN if name in URLS else reprlib.repr(first["input"])
    return f"{name} cannot be {value} ({origins.get(name, 'default')}): {problem}."


def _no_json(error: UnreadableError) -> str:
    name = next(name for name in _in_environment() if f'"{name}"' in str(error))
    written = reprlib.repr(os.environ[_in_environment()[name]])
    return f'{name} cannot be {written} (environment {PREFIX}{name.upper()}): a list is JSON there, such as ["a", "b"].'


def _read(config_file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {config_file}: {error.strerror}.") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise SettingsError(f"The settings file {config_file} is no TOML: {error}.") from None


def without_secrets(url: str) -> str:
    """An address that may be shown."""
    from sqlalchemy.engine import make_url  # noqa: PLC0415 - slow to load, and only for this
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parsed = make_url(url)
    except ArgumentError:
        return HIDDEN
    hidden = {name: HIDDEN if "pass" in name.lower() else value for name, value in parsed.query.items()}
    return parsed.set(query=hidden).render_as_string(hide_password=True)
