"""The commands about the upload session that is open on the service."""

from __future__ import annotations

from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output

session_commands = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The upload session that is open on the service."
)

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


@session_commands.command()
@command
def show(reach: Reach, talking: Talking, output: Output) -> None:
    """Show the open session, and the upload or edit of yours that it belongs to."""
    from mangadex_uploader.run_session import show_session  # noqa: PLC0415 - slow to load, and only for this

    show_session(reach, talking, output)


@session_commands.command()
@command
def abandon(reach: Reach, talking: Talking, output: Output, yes: Yes = False) -> None:
    """Throw the open session away, with the pages in it."""
    from mangadex_uploader.run_session import abandon_session  # noqa: PLC0415 - slow to load, and only for this

    abandon_session(reach, talking, output, is_agreed=yes)
