"""The commands about what is kept on this machine."""

from __future__ import annotations

from mangadex_uploader.command_line import command
from mangadex_uploader.output import Output


@command
def status(output: Output) -> None:
    """List what was uploaded from this machine, and how far it is; newest first."""
    from mangadex_uploader.run_journal import list_uploads  # noqa: PLC0415 - slow to load, and only for this

    list_uploads(output)


@command
def paths(output: Output) -> None:
    """Print where settings, journal, logins and logs are."""
    from mangadex_uploader.run_journal import list_paths  # noqa: PLC0415 - slow to load, and only for this

    list_paths(output)
