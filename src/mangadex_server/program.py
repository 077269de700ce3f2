"""The program `mangadex-server`. Commands about one subject are in `commands_*`."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mangadex_server import commands_accounts, commands_catalog, commands_data
from mangadex_server.command_line import (
    ConfigFile,
    DataDir,
    Host,
    Port,
    Sandbox,
    Strict,
    loading,
    refusals,
    settings_for,
    work,
)
from mangadex_server.commands_jobs import job_commands
from mangadex_server.commands_review import review_commands
from mangadex_server.listening import free_port
from mangadex_server.settings import given
from mangadex_server.settings_report import report

if TYPE_CHECKING:
    from mangadex_server.parts import Parts

program = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print the values of variables, such as passwords
    help="The service behind the Upload API.",
)


@program.callback()
def for_its_owner_only() -> None:
    """What a command or a server makes nobody else can read, also in a folder that everybody can."""
    os.umask(0o077)


program.add_typer(commands_accounts.user_commands, name="user")
program.add_typer(commands_catalog.client_commands, name="client")
program.add_typer(commands_catalog.manga_commands, name="manga")
program.add_typer(commands_catalog.group_commands, name="group")
program.add_typer(review_commands, name="review")
program.add_typer(job_commands, name="jobs")
program.command("rotate-key")(commands_accounts.rotate_key)
program.command("migrate")(commands_data.bring_to_version)
program.command("backup")(commands_data.make_backup)
program.command("restore")(commands_data.restore_backup)
program.command("move")(commands_data.move_data)
program.command("sweep")(commands_data.sweep)


@program.command()
def run(  # noqa: PLR0913 - the flags
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    sandbox: Sandbox = False,
    strict: Strict = False,
    config: ConfigFile = None,
) -> None:
    """Serve until stopped; prints one line with the address when it is ready."""
    with loading():
        from mangadex_server.serving import serve  # noqa: PLC0415

    flags = given(host=host, port=port, sandbox=sandbox or None, strict=strict or None)
    settings = settings_for(data_dir, config, **flags)
    with tempfile.TemporaryDirectory(prefix="mangadex-sandbox-") as folder, refusals():
        if settings.sandbox and "data_dir" not in settings.model_fields_set:
            settings = settings.model_copy(update={"data_dir": Path(folder)})
        if settings.port == 0:
            settings = settings.model_copy(update={"port": free_port(settings.host)})
        serve(settings)


@program.command("settings")
def show_settings(  # noqa: PLR0913 - those of `run`
    data_dir: DataDir = None,
    host: Host = None,
    port: Port = None,
    sandbox: Sandbox = False,
    strict: Strict = False,
    config: ConfigFile = None,
) -> None:
    """Print every setting, its value and where it came from."""
    flags = given(data_dir=data_dir, host=host, port=port, sandbox=sandbox or None, strict=strict or None)
    with refusals():
        rows = report(settings_for(config=config, **flags), config, flags)
    for row in rows:
        typer.echo(f"{row.name} = {row.value}  ({row.origin})")


@program.command()
def token(username: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print an access token of an account."""
    typer.echo(work(settings_for(data_dir, config), lambda parts: parts.accounts.access_token_for(username)))


@program.command()
def worker(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Process committed chapters beside a running server, until stopped."""
    settings = settings_for(data_dir, config)
    with loading():
        from mangadex_server.engine_checks import check_engines  # noqa: PLC0415

    with refusals():
        check_engines(settings)
    work(settings, _process_until_stopped)


async def _process_until_stopped(parts: Parts) -> None:
    await asyncio.to_thread(parts.blobs.make_folders)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    typer.echo("mangadex-server worker is ready")
    await parts.worker.run(stop, asyncio.Event())
