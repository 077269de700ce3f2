"""What the commands have in common: options, work on the parts of an installation, errors as one sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from alembic.util import CommandError
from sqlalchemy.exc import ArgumentError, DBAPIError

from mangadex_server import data_folder
from mangadex_server.backup import BackupError
from mangadex_server.data_folder import DataFolderInUseError
from mangadex_server.errors import ServiceError
from mangadex_server.listening import CannotServeError
from mangadex_server.migrate import migrate
from mangadex_server.parts import Parts
from mangadex_server.settings import Settings, given
from mangadex_server.settings_report import SettingsError, load
from mangadex_server.tokens import KeyFileError

T = TypeVar("T")

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept.")]
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="MANGADEX_SERVER_CONFIG", help="A TOML file with settings.")
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port = Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")]
Sandbox = Annotated[bool, typer.Option("--sandbox", help="A test bench with known passwords, on this machine only.")]
Strict = Annotated[bool, typer.Option("--strict", help="Ask of clients what the real service asks.")]

OURS = (
    ServiceError,
    KeyFileError,
    DataFolderInUseError,
    CannotServeError,
    BackupError,
    SettingsError,
)


def settings_for(data_dir: Path | None = None, config: Path | None = None, **flags: Any) -> Settings:
    """The settings of a command."""
    with refusals():
        return load(config, given(data_dir=data_dir, **flags))


def work(settings: Settings, do: Callable[[Parts], Awaitable[T]]) -> T:
    """Do something with the parts of an installation, which is made where there is none."""

    async def done() -> T:
        parts = Parts(settings)
        try:
            return await do(parts)
        finally:
            await parts.database.close()

    with refusals():
        data_folder.make(settings.data_dir)
        migrate(settings.database)
        return asyncio.run(done())


@contextmanager
def refusals() -> Iterator[None]:
    """Say what is wrong in one sentence, and end with status 2."""
    try:
        yield
    except OURS as refusal:
        stop(str(refusal))
    except CommandError as error:
        stop(f"The database is not of this version of the program: {error}.")
    except DBAPIError as error:
        stop(f"The database cannot be used: {error.orig}.")
    except ArgumentError as error:
        stop(f"database_url cannot be used: {error}.")
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        stop(f"{place}{error.strerror or error}. Choose another place, or give this user the right to use it.")


def secret(what: str) -> str:
    """Ask for a secret, or take a line of standard input."""
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        stop(f"The {what.lower()} on standard input is no UTF-8 text.")


def stop(problem: str) -> NoReturn:
    """End with this sentence and status 2."""
    typer.echo(problem, err=True)
    raise typer.Exit(2)
