"""Keeping the data: backup, restore, sweep."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mangadex_server import data_folder
from mangadex_server.command_line import ConfigFile, DataDir, loading, refusals, settings_for, stop, work

if TYPE_CHECKING:
    from mangadex_server.backup import Copied
    from mangadex_server.parts import Parts


def bring_to_version(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Bring the database to this program's version; stop servers of other versions first."""
    settings = settings_for(data_dir, config)
    with loading():
        from mangadex_server.migrate import migrate, migrate_alone, newest  # noqa: PLC0415

    with refusals():
        if settings.is_embedded:
            data_folder.make(settings.data_dir)
            migrate_alone(settings)
        else:
            migrate(settings.database)
        typer.echo(f"The database is at version {newest()}.")


def make_backup(dest: Path, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Copy everything into an empty folder; the server may be running."""
    with loading():
        from mangadex_server.backup import backup  # noqa: PLC0415

    settings = settings_for(data_dir, config)
    with refusals():
        _say(f"Copied to {dest}", backup(settings, dest))


def restore_backup(source: Path, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Make a data folder, which is empty or not there yet, from a backup."""
    with loading():
        from mangadex_server.backup import restore  # noqa: PLC0415

    settings = settings_for(data_dir, config)
    with refusals():
        _say(f"Restored to {settings.data_dir}", restore(settings, source))


def move_data(
    to: Annotated[Path, typer.Option(help="The settings file of the new installation.")],
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Copy a data folder to the database and the store of another settings file, and compare; begin again any time."""
    with loading():
        from mangadex_server.engine_checks import check_engines  # noqa: PLC0415
        from mangadex_server.migrate import migrate  # noqa: PLC0415
        from mangadex_server.moving import move  # noqa: PLC0415
        from mangadex_server.parts import blobs_of  # noqa: PLC0415

    source, target = settings_for(data_dir, config), settings_for(None, to)
    with refusals():
        if not target.is_embedded:
            migrate(target.database)
            check_engines(target)
        moved = move(source, target, blobs_of, lambda line: typer.echo(line, err=True))
    typer.echo(f"Moved {moved.rows} rows and {moved.blobs} pages, each compared; {moved.sent} pages were sent now.")
    typer.echo(f"Start the new installation with --config {to}. The old data folder is as it was.")
    _stop_if_lost(moved.lost)


def sweep(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Remove blobs that nothing has referred to for a day; prints how many."""
    settings = settings_for(data_dir, config)

    async def remove(parts: Parts) -> int:
        parts.blobs.make_folders()
        with data_folder.sweeping(settings.data_dir) as may_remove:
            if not may_remove:
                stop("A backup is running, and needs all blobs. Sweep when it has ended.")
        return await parts.sweep.run()

    typer.echo(work(settings, remove))


def _say(done: str, copied: Copied) -> None:
    typer.echo(f"{done}: the database and {copied.blobs} blobs, each with its right hash.")
    _stop_if_lost(copied.lost)


def _stop_if_lost(lost: list[str]) -> None:
    if lost:
        stop(f"{len(lost)} blobs are missing or damaged and were left out: {', '.join(lost)}")
