"""Accounts, and the key that signs what they carry."""

from __future__ import annotations

from typing import Annotated

import typer

from mangadex_server import data_folder
from mangadex_server.command_line import ConfigFile, DataDir, loading, refusals, secret, settings_for, stop, work
from mangadex_server.weak_passwords import weakness

user_commands = typer.Typer(no_args_is_help=True, help="Accounts.")

Roles = Annotated[list[str] | None, typer.Option(metavar="ROLE", help="May be given several times.")]


@user_commands.command("add")
def add_user(username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Add an account; asks for its password, or reads it from standard input."""
    settings = settings_for(data_dir, config)
    password = _password(username)
    work(settings, lambda parts: parts.accounts.add_user(username, password))


@user_commands.command("list")
def list_users(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print the accounts: id, roles, name."""
    for account in work(settings_for(data_dir, config), lambda parts: parts.account_changes.everybody()):
        typer.echo(f"{account.user_id}  {','.join(account.roles) or '-'}  {account.username}")


@user_commands.command("password")
def set_password(username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Give an account another password, as `add` reads it, and sign it out everywhere."""
    settings = settings_for(data_dir, config)
    password = _password(username)
    work(settings, lambda parts: parts.account_changes.set_password(username, password))


@user_commands.command("roles")
def change_roles(
    username: str,
    add: Roles = None,
    remove: Roles = None,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Add or remove roles; prints those that the account has now. ROLE_EXTERNAL may publish links to chapters."""
    settings = settings_for(data_dir, config)
    for role in work(settings, lambda parts: parts.account_changes.change_roles(username, add or (), remove or ())):
        typer.echo(role)


@user_commands.command("sign-out")
def sign_out(username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """End all sign-ins of an account at once; prints how many there were."""
    typer.echo(work(settings_for(data_dir, config), lambda parts: parts.account_changes.sign_out(username)))


def rotate_key(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Make another signing key while no server runs: every token given so far stops working."""
    settings = settings_for(data_dir, config)
    with loading():
        from mangadex_server.signing_keys import rotate_signing_key  # noqa: PLC0415

    if settings.is_embedded and not (settings.data_dir / "signing.key").exists():
        stop(f"There is no signing key in {settings.data_dir}. Name the folder of the service with --data-dir.")
    with refusals(), data_folder.locked(settings.data_dir):
        rotate_signing_key(settings)
    others = "" if settings.is_embedded else " Nodes that run keep the old one: restart all of them."
    typer.echo(f"The signing key is another one. No token given so far works: everybody signs in again.{others}")


def _password(username: str) -> str:
    password = secret("Password")
    if problem := weakness(username, password):
        stop(problem)
    return password
