"""Deciding about chapters that wait for a moderator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mangadex_server.command_line import ConfigFile, DataDir, settings_for, work

if TYPE_CHECKING:
    from mangadex_server.parts import Parts
    from mangadex_server.review import Listed

review_commands = typer.Typer(no_args_is_help=True, help="Chapters that wait for a moderator.")


@review_commands.command("list")
def list_waiting(data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print the chapters that wait, the oldest first, then those that are broken, rejected or given up, with why."""

    async def listed(parts: Parts) -> list[Listed]:
        return [*await parts.review.waiting(), *await parts.review.refused()]

    for chapter in work(settings_for(data_dir, config), listed):
        typer.echo(_line(chapter))


@review_commands.command("show")
def show(chapter: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Print the files of a chapter's pages, in order, to look at."""

    async def paths(parts: Parts) -> list[str]:
        return [parts.blobs.where(digest) for digest in await parts.review.page_blobs(chapter)]

    typer.echo("\n".join(work(settings_for(data_dir, config), paths)))


@review_commands.command("approve")
def approve(chapter: str, data_dir: DataDir = None, config: ConfigFile = None) -> None:
    """Let everybody read a chapter, also one that was rejected."""
    work(settings_for(data_dir, config), lambda parts: parts.review.approve(chapter))


@review_commands.command("reject")
def reject(
    chapter: str,
    reason: Annotated[str, typer.Option(help="Kept with the chapter.")] = "",
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Keep a chapter hidden. Its uploader can edit it, and it waits again, or delete it."""
    work(settings_for(data_dir, config), lambda parts: parts.review.reject(chapter, reason))


def _line(chapter: Listed) -> str:
    number = f"volume {chapter.volume or '-'} chapter {chapter.chapter or '-'} ({chapter.language})"
    return (
        f"{chapter.id}  {chapter.manga}  {number}  {chapter.page_count} pages  by {chapter.username}{_refusal(chapter)}"
    )


def _refusal(chapter: Listed) -> str:
    if chapter.broken_reason is not None:
        return f"  not published: {chapter.broken_reason}"
    if chapter.edit_broken_reason is not None:
        return f"  its readers have the pages before the edit: {chapter.edit_broken_reason}"
    return ""
