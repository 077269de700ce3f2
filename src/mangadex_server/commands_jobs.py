"""Chapters that wait for their processing, and those that it was given up for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from mangadex_server.command_line import ConfigFile, DataDir, settings_for, work

if TYPE_CHECKING:
    from mangadex_server.jobs import Listed

job_commands = typer.Typer(no_args_is_help=True, help="The processing of committed chapters.")


@job_commands.command("list")
def list_jobs(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print the jobs: id, chapter, and when each is tried next or why it was given up."""
    for job in work(settings_for(data_dir, config), lambda parts: parts.jobs.listed()):
        typer.echo(f"{job.id}  chapter {job.chapter_id}  {_state(job)}")


@job_commands.command("retry")
def retry(job: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Try a job again that was given up."""
    work(settings_for(data_dir, config), lambda parts: parts.jobs.retry(job))


def _state(job: Listed) -> str:
    if job.failed_reason is not None:
        return f"given up after {job.attempts} attempts: {job.failed_reason}"
    if job.is_running:
        return f"running, attempt {job.attempts}"
    return (
        f"waiting until {datetime.fromtimestamp(job.due_at, UTC):%Y-%m-%d %H:%M:%S} UTC, {job.attempts} attempts so far"
    )
