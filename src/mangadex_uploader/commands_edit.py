"""The command that changes a chapter which is published."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mangadex_uploader.command_line import command
from mangadex_uploader.options import Reach, Talking, given_path, setting
from mangadex_uploader.output import Output

ChapterId = Annotated[str, typer.Argument(metavar="CHAPTER", help="The chapter's id or address.")]
Pages = Annotated[
    Path | None,
    typer.Argument(
        metavar="[PATH]",
        parser=given_path,
        help="The pages that it shall have: a folder, a .zip or a .cbz file.",
        show_default=False,
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewValues:
    """What the chapter shall be called. Neither environment nor settings file count: those are for new chapters."""

    new_group: Annotated[
        list[str] | None,
        typer.Option("--group", help="A group's id, address or name; all groups that it shall have. Empty for none."),
    ] = None
    new_chapter: Annotated[str | None, typer.Option("--chapter", help="Its number; 'oneshot' or empty for none.")] = (
        None
    )
    new_volume: Annotated[str | None, typer.Option("--volume", help="The volume's number; empty for none.")] = None
    new_title: Annotated[str | None, typer.Option("--title", help="Its title; empty for none.")] = None
    new_language: Annotated[str | None, typer.Option("--language", help="Its language, such as pt-br.")] = None
    new_publish_at: Annotated[
        str | None, typer.Option("--publish-at", help="When it shall become readable; only with PATH.")
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EditChoices:
    """How to change it."""

    time_zone: Annotated[str | None, setting("time-zone", help="Of --publish-at, such as Europe/Berlin.")] = None
    as_is: Annotated[bool, setting("as-is", help="Change no page; one that the service refuses is an error.")] = False
    zip_encoding: Annotated[str | None, setting("zip-encoding", help="Of names in archives, such as cp932.")] = None
    accept_terms: Annotated[bool, setting("accept-terms", help="Accept https://mangadex.org/compliance.")] = False
    abandon_existing: Annotated[
        bool, setting("abandon-existing", help="Throw an open session away, with its pages.")
    ] = False
    send_again: Annotated[
        bool, typer.Option("--send-again", help="Also where an unanswered commit may have given it these pages.")
    ] = False
    no_progress: Annotated[bool, setting("no-progress", help="Show neither bar nor percentages.")] = False


@command
def edit(  # noqa: PLR0913 - groups of options
    chapter_id: ChapterId,
    values: NewValues,
    choices: EditChoices,
    reach: Reach,
    talking: Talking,
    output: Output,
    pages: Pages = None,
) -> None:
    """Change a chapter that is published.

    With PATH it gets exactly these pages, in order; only those that it does not have are sent, where the service says
    which it has. What is not given stays as it is. The same command goes on where it stopped.
    """
    from mangadex_uploader.run_edit import edit_chapter  # noqa: PLC0415 - slow to load, and only for this

    edit_chapter(chapter_id, pages, values, choices, reach, talking, output)
