"""Settings with a file among their sources, and where each value came from."""

from __future__ import annotations

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from mangadex_server.settings import Settings

PREFIX = "MANGADEX_SERVER_"
HIDDEN = "hidden"


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
    if config_file is not None:
        _check_names(config_file)
    Settings.config_file = config_file
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(step) for step in first["loc"])
        problem = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {problem}" if name else problem) from None
    except ValueError as error:  # of the environment: a list that is no JSON
        raise SettingsError(f"{error}. Lists are written as JSON in the environment.") from None
    finally:
        Settings.config_file = None


def report(settings: Settings, config_file: Path | None, flags: dict[str, Any]) -> list[Setting]:
    """Every setting with its value and origin."""
    environment = {name.upper() for name in os.environ}
    in_file = _read(config_file) if config_file else {}

    def origin(name: str) -> str:
        if name in flags:
            return f"flag --{name.replace('_', '-')}"
        if PREFIX + name.upper() in environment:
            return f"environment {PREFIX}{name.upper()}"
        return f"file {config_file}" if name in in_file else "default"

    values = settings.model_dump(mode="json")
    values["database_url"] = _without_secrets(settings.database_url)
    return [Setting(name, json.dumps(value, ensure_ascii=False), origin(name)) for name, value in values.items()]


def _check_names(config_file: Path) -> None:
    known = Settings.model_fields
    if unknown := [name for name in _read(config_file) if name not in known]:
        raise SettingsError(
            f"{config_file}: there is no setting {', '.join(unknown)}. `mangadex-server settings` has all names."
        )


def _read(config_file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(config_file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"Cannot read the settings file {config_file}: {error.strerror}.") from None
    except ValueError as error:  # no TOML, or no UTF-8
        raise SettingsError(f"The settings file {config_file} is no TOML: {error}.") from None


def _without_secrets(url: str | None) -> str | None:
    if url is None:
        return None
    try:
        parsed = make_url(url)
    except ArgumentError:
        return HIDDEN
    hidden = {name: HIDDEN if "pass" in name.lower() else value for name, value in parsed.query.items()}
    return parsed.set(query=hidden).render_as_string(hide_password=True)
