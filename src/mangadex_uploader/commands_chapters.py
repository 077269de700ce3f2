"""The commands about chapters on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted, given_path
from mangadex_uploader.output import Output

Paths = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH...",
        parser=given_path,
        help="A folder with pages, a .zip or a .cbz file; or a folder with several of these.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", "-n", help="Show all that would happen. Nothing is sent, and nothing is written.")
]


@command
def upload(  # noqa: PLR0913 - groups of options
    paths: Paths,
    wanted: Wanted,
    choices: Choices,
    many: Many,
    reach: Reach,
    talking: Talking,
    output: Output,
    dry_run: DryRun = False,
) -> None:
    """Publish chapters, one after the other. The same command goes on where it stopped."""
    if dry_run:
        from mangadex_uploader.run_dry import dry_run_all  # noqa: PLC0415 - slow to load, and only for this

        raise typer.Exit(dry_run_all(paths, wanted, choices, many, reach, talking, output))
    from mangadex_uploader.run_chapters import upload_all  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(upload_all(paths, wanted, choices, many, reach, talking, output))


@command
def check(paths: Paths, wanted: Wanted, reach: Reach, talking: Talking, output: Output) -> None:
    """Do everything but sending: read and check all pages, look for the chapter on the service."""
    from mangadex_uploader.run_check import check_all  # noqa: PLC0415 - slow to load, and only for this

    raise typer.Exit(check_all(paths, wanted, reach, talking, output))
