"""The command about names of chapters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import given_path
from mangadex_uploader.output import Output

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", parser=given_path, help="Names of chapters; they need not exist.")
]


@command
def names(files: Files, output: Output) -> None:
    """Explain what a name says of its chapter, and what the files in and beside it do. Nothing is asked or sent."""
    from mangadex_uploader.run_names import explain_all  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(explain_all(files, output))
