"""The program `mangadex`. Commands about one subject are in `commands_*`, what they do in `run_*`."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer

from mangadex_uploader import (
    commands_account,
    commands_chapters,
    commands_edit,
    commands_journal,
    commands_names,
    commands_queue,
    commands_session,
    commands_watch,
)
from mangadex_uploader.output import Output

program = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,  # loading rich takes longer than all the rest of --help
    pretty_exceptions_enable=False,  # they print the values of variables, such as passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)
program.command()(commands_chapters.upload)
program.command()(commands_chapters.check)
program.command()(commands_watch.watch)
program.command()(commands_edit.edit)
program.command()(commands_names.names)
program.command()(commands_account.login)
program.command()(commands_account.logout)
program.command()(commands_account.whoami)
program.add_typer(commands_queue.queue_commands, name="queue")
program.add_typer(commands_session.session_commands, name="session")
program.command()(commands_journal.status)
program.command()(commands_journal.paths)


def _version(is_asked: bool) -> None:
    if is_asked:
        from mangadex_openapi import __version__  # noqa: PLC0415 - only here

        typer.echo(f"mangadex {__version__}")
        raise typer.Exit


@program.callback()
def _program(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Publish chapters on MangaDex: folders of pages, .zip and .cbz files."""


def main() -> None:
    """Run the program; ends with its exit status."""
    try:
        program(prog_name="mangadex")
    except SystemExit as end:
        status = end.code
    except KeyboardInterrupt:
        status = 128 + signal.SIGINT
    except Exception as error:  # noqa: BLE001 - the last place that can say something about it
        from mangadex_uploader.failures import report  # noqa: PLC0415 - loads the client

        status = report(Output(), error)
    sys.exit(status)
