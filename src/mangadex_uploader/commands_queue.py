"""The commands about the chapters that were given to `upload`."""

from __future__ import annotations

from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Choices, Many, Reach, Talking
from mangadex_uploader.output import Output

queue_commands = typer.Typer(invoke_without_command=True, rich_markup_mode=None)

Which = Annotated[str | None, typer.Argument(metavar="[ID|PATH]", help="One of the queue; else all that failed.")]
One = Annotated[str, typer.Argument(metavar="ID|PATH", help="One of the queue.")]


@queue_commands.callback()
@command
def queue(context: typer.Context, output: Output) -> None:
    """The chapters that were given to `upload`, and how far each is. Without a command: list them."""
    if context.invoked_subcommand is None:
        from mangadex_uploader.run_queue import list_queue  # noqa: PLC0415 - slow to load, and only for this

        list_queue(output)


@queue_commands.command()
@command
def run(choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output) -> None:
    """Upload those of this account that wait, as they were given."""
    from mangadex_uploader.run_queue import run_waiting  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(run_waiting(choices, many, reach, talking, output))


@queue_commands.command()
@command
def retry(  # noqa: PLR0913 - groups of options
    choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output, which: Which = None
) -> None:
    """Upload those that failed again, and look for those that may be committed."""
    from mangadex_uploader.run_queue import retry_failed  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(retry_failed(which, choices, many, reach, talking, output))


@queue_commands.command()
@command
def forget(which: One, output: Output) -> None:
    """Take one off the list. Its files, and what the service has of it, stay."""
    from mangadex_uploader.run_queue import forget_one  # noqa: PLC0415 - slow to load, and only for this

    forget_one(which, output)
