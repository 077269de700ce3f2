"""The commands about chapters on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Choices, Reach, Talking, Wanted
from mangadex_uploader.output import Output

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="A folder with pages, a .zip or a .cbz file.")]


@command
def upload(  # noqa: PLR0913 - groups of options
    paths: Paths, wanted: Wanted, choices: Choices, reach: Reach, talking: Talking, output: Output
) -> None:
    """Publish chapters. The same command goes on where it stopped."""
    from mangadex_uploader.run_chapters import upload_all  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(upload_all(paths, wanted, choices, reach, talking, output))


@command
def check(paths: Paths, wanted: Wanted, reach: Reach, talking: Talking, output: Output) -> None:
    """Do everything but sending: read and check all pages, look for the chapter on the service."""
    from mangadex_uploader.run_chapters import check_all  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(check_all(paths, wanted, reach, talking, output))
