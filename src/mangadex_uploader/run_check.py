"""What `check` does, and what is told of a chapter before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mangadex_uploader.access import host_of
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.errors import DuplicateChapter
from mangadex_uploader.failures import common_status
from mangadex_uploader.first_pass import failed, tell_values
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.json_output import of_plan
from mangadex_uploader.options import Reach, Talking, Wanted
from mangadex_uploader.output import Output, size
from mangadex_uploader.reporting import tell_changes, tell_left_out
from mangadex_uploader.uploader import Checked, Uploader
from mangadex_uploader.wanted_chapters import Described, WantedChapters


def check_all(paths: list[Path], wanted: Wanted, reach: Reach, talking: Talking, output: Output) -> int:
    """Check the chapters; the exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    chapters = WantedChapters(wanted, reach, talking, output)
    described = chapters.of(paths)
    statuses = [it.status for it in chapters.ended]
    if not described:
        return common_status(statuses)
    host = host_of(reach)

    async def check(connected: Connected) -> list[int]:
        uploader = connected.uploader()
        return [
            await _check_one(uploader, it, host, output, allow_duplicate=wanted.allow_duplicate) for it in described
        ]

    return common_status(statuses + run_connected(reach, talking, output, check))


async def _check_one(
    uploader: Uploader, described: Described, host: str, output: Output, *, allow_duplicate: bool
) -> int:
    chapter = described.chapter
    tell_values(described, output)
    try:
        found = await uploader.check(chapter)
    except Exception as error:  # noqa: BLE001 - an unexpected one goes on
        return failed(chapter.path, error, output).status
    _tell_checked(found, output)
    if found.duplicates and not allow_duplicate:
        return failed(chapter.path, duplicate_of(found, host), output).status
    output.result(str(chapter.path), f"ok, {len(found.plan.pages)} pages, {size(found.plan.total_bytes)}")
    return 0


def duplicate_of(found: Checked, host: str) -> DuplicateChapter:
    """The refusal of a chapter that the service has."""
    pages = ", ".join(chapter_page(host, it) for it in found.duplicates)
    return DuplicateChapter(f"{found.plan.chapter.label}: the service has this chapter already: {pages}.")


def _tell_checked(found: Checked, output: Output) -> None:
    plan = found.plan
    label = plan.chapter.label
    more = {"duplicates": list(found.duplicates), "needs_approval": found.needs_approval}
    output.tell("checked", path=str(plan.chapter.path), **of_plan(plan), **more)
    output.say(f"{label}: pages {in_order(plan.source.names, is_whole=output.is_verbose)}")
    tell_changes(plan, output)
    for warning in plan.warnings:
        output.say(f"{label}: {warning}")
    tell_left_out(plan, output)
    if found.needs_approval:
        output.say(f"{label}: it will wait for approval")


def in_order(names: Sequence[str], *, is_whole: bool) -> str:
    """The first and the last, or all."""
    if is_whole or len(names) < 3:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]}, {len(names)} of them"
