"""Adding what clients need to begin: clients, manga, groups."""

from __future__ import annotations

import secrets
from typing import Annotated

import typer

from mangadex_server.command_line import ConfigFile, DataDir, settings_for, work

client_commands = typer.Typer(no_args_is_help=True, help="Personal API clients.")
manga_commands = typer.Typer(no_args_is_help=True, help="The manga that chapters belong to.")
group_commands = typer.Typer(no_args_is_help=True, help="Scanlation groups.")


@client_commands.command("add")
def add_client(username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Add a personal client of an account; prints its id and secret, once."""
    client_id, client_secret = f"personal-client-{secrets.token_hex(8)}", secrets.token_urlsafe(24)
    settings = settings_for(data_dir, config)
    work(settings, lambda parts: parts.accounts.add_client(username, client_id, client_secret))
    typer.echo(f"client id: {client_id}\nclient secret: {client_secret}")


@manga_commands.command("add")
def add_manga(title: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Add a manga; prints its id."""
    typer.echo(work(settings_for(data_dir, config), lambda parts: parts.catalog.add_manga(title)))


@group_commands.command("add")
def add_group(
    name: str,
    locked: Annotated[bool, typer.Option("--locked", help="Only members may credit it.")] = False,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Add a group; prints its id."""
    typer.echo(work(settings_for(data_dir, config), lambda parts: parts.catalog.add_group(name, locked=locked)))


@group_commands.command("add-member")
def add_member(group: str, username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Let a user edit the group's chapters, and credit it where it is locked."""
    work(settings_for(data_dir, config), lambda parts: parts.catalog.add_member(group.lower(), username))
