"""The command that uploads what appears in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted, given_path, setting
from mangadex_uploader.output import Output

Folder = Annotated[Path, typer.Argument(metavar="DIR", parser=given_path, help="The folder in which chapters appear.")]
Settle = Annotated[float, setting("settle", help="So many seconds has a chapter to be unchanged before it is taken.")]


@command
def watch(  # noqa: PLR0913 - groups of options
    folder: Folder,
    wanted: Wanted,
    choices: Choices,
    many: Many,
    reach: Reach,
    talking: Talking,
    output: Output,
    settle: Settle = 5.0,
) -> None:
    """Upload the chapters in a folder as they appear, until Ctrl-C. Each is taken once it has stopped growing."""
    from mangadex_uploader.run_watch import watch_folder  # noqa: PLC0415 - slow to load, and only for this

    watch_folder(folder, settle, wanted, choices, many, reach, talking, output)
