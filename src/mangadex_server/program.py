"""The program `mangadex-server`."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from pydantic import ValidationError

from mangadex_server.app import Parts
from mangadex_server.errors import ServiceError
from mangadex_server.migrate import migrate
from mangadex_server.serving import DataFolderInUseError, serve
from mangadex_server.settings import Settings, given
from mangadex_server.tokens import KeyFileError

T = TypeVar("T")

program = typer.Typer(no_args_is_help=True, add_completion=False, help="The service behind the Upload API.")
user_commands = typer.Typer(no_args_is_help=True, help="Accounts.")
client_commands = typer.Typer(no_args_is_help=True, help="Personal API clients.")
manga_commands = typer.Typer(no_args_is_help=True, help="The manga that chapters belong to.")
group_commands = typer.Typer(no_args_is_help=True, help="Scanlation groups.")
program.add_typer(user_commands, name="user")
program.add_typer(client_commands, name="client")
program.add_typer(manga_commands, name="manga")
program.add_typer(group_commands, name="group")

DataDir = Annotated[Path | None, typer.Option(help="Where everything is kept.")]


@program.command()
def run(
    data_dir: DataDir = None,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    sandbox: Annotated[bool, typer.Option(help="A test bench with known passwords, on this machine only.")] = False,
    strict: Annotated[bool, typer.Option(help="Ask of clients what the real service asks.")] = False,
) -> None:
    """Serve until stopped; prints one line with the address when it is ready."""
    flags = given(data_dir=data_dir, host=host, port=port, sandbox=sandbox or None, strict=strict or None)
    with tempfile.TemporaryDirectory(prefix="mangadex-sandbox-") as folder:
        if sandbox and data_dir is None:
            flags["data_dir"] = Path(folder)
        settings = _settings(**flags)
        if settings.port == 0:
            settings = settings.model_copy(update={"port": _free_port(settings.host)})
        try:
            serve(settings)
        except (DataFolderInUseError, KeyFileError) as problem:
            _stop(str(problem))


@user_commands.command("add")
def add_user(username: str, data_dir: DataDir = None) -> None:
    """Add an account; asks for its password, or reads it from standard input."""
    password = _secret("Password")
    _work(data_dir, lambda parts: parts.accounts.add_user(username, password))


@client_commands.command("add")
def add_client(username: str, data_dir: DataDir = None) -> None:
    """Add a personal client of an account; prints its id and secret, once."""
    client_id, secret = f"personal-client-{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    _work(data_dir, lambda parts: parts.accounts.add_client(username, client_id, secret))
    typer.echo(f"client id: {client_id}\nclient secret: {secret}")


@manga_commands.command("add")
def add_manga(title: str, data_dir: DataDir = None) -> None:
    """Add a manga; prints its id."""
    typer.echo(_work(data_dir, lambda parts: parts.catalog.add_manga(title)))


@group_commands.command("add")
def add_group(
    name: str,
    locked: Annotated[bool, typer.Option(help="Only members may credit it.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Add a group; prints its id."""
    typer.echo(_work(data_dir, lambda parts: parts.catalog.add_group(name, locked=locked)))


@group_commands.command("add-member")
def add_member(group: str, username: str, data_dir: DataDir = None) -> None:
    """Let a user edit the group's chapters, and credit it where it is locked."""
    _work(data_dir, lambda parts: parts.catalog.add_member(group, username))


@program.command()
def token(username: str, data_dir: DataDir = None) -> None:
    """Print an access token of an account."""
    typer.echo(_work(data_dir, lambda parts: parts.accounts.access_token_for(username)))


@program.command()
def sweep(data_dir: DataDir = None) -> None:
    """Remove blobs that nothing has referred to for a day; prints how many."""
    typer.echo(_work(data_dir, lambda parts: parts.sweep.run()))


def _work(data_dir: Path | None, do: Callable[[Parts], Awaitable[T]]) -> T:
    settings = _settings(**given(data_dir=data_dir))
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    migrate(settings.database)

    async def done() -> T:
        parts = Parts(settings)
        try:
            return await do(parts)
        finally:
            await parts.database.close()

    try:
        return asyncio.run(done())
    except (ServiceError, KeyFileError) as refusal:
        _stop(str(refusal))


def _settings(**flags: Any) -> Settings:
    try:
        return Settings(**flags)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(step) for step in first["loc"]) or "settings"
        _stop(f"{name}: {first['msg'].removeprefix('Value error, ')}")


def _secret(what: str) -> str:
    if sys.stdin.isatty():
        return str(typer.prompt(what, hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\n")


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def _stop(problem: str) -> NoReturn:
    typer.echo(problem, err=True)
    raise typer.Exit(2)
