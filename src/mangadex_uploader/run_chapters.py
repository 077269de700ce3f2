"""What `upload` and `check` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mangadex_uploader.access import host_of
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.errors import DuplicateChapter, UsageError
from mangadex_uploader.failures import common_status, explained, report
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.json_output import of_plan
from mangadex_uploader.loading import load_ahead
from mangadex_uploader.memory import give_back_pages
from mangadex_uploader.options import Choices, Reach, Talking, Wanted
from mangadex_uploader.output import Output, size
from mangadex_uploader.progress import progress_for
from mangadex_uploader.reporting import Reporter, tell_changes
from mangadex_uploader.sessions import OpenSessionPolicy
from mangadex_uploader.uploader import Checked, Uploader
from mangadex_uploader.wanted_chapters import Described, WantedChapters

STOPPING = "Stopping. What was sent is kept: run the same command again to go on. Press Ctrl-C again to end at once."


def upload_all(  # noqa: PLR0913 - groups of options
    paths: list[Path], wanted: Wanted, choices: Choices, reach: Reach, talking: Talking, output: Output
) -> int:
    """Upload the chapters, one after the other; a failing one does not stop the rest. The exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    policy = _policy(choices)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    chapters = WantedChapters(wanted, reach, talking, output)
    described = chapters.of(paths)
    if not described:
        return common_status(chapters.failed)
    progress = progress_for(output, is_wanted=not choices.no_progress)
    reporter = Reporter(output, progress, host_of(reach))
    give_back_pages()

    async def upload(connected: Connected) -> list[int]:
        load_ahead()
        uploader = connected.uploader(reporter.on_event, allow_duplicate=wanted.allow_duplicate, open_session=policy)
        told = {it.chapter.path: it.told for it in described}
        ordered = uploader.unfinished_first([it.chapter for it in described])
        return [
            await _upload_one(uploader, Described(chapter, told[chapter.path]), reporter, output) for chapter in ordered
        ]

    try:
        return common_status(chapters.failed + run_connected(reach, talking, output, upload, STOPPING))
    finally:
        reporter.stop()


def check_all(paths: list[Path], wanted: Wanted, reach: Reach, talking: Talking, output: Output) -> int:
    """Check the chapters; the exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    chapters = WantedChapters(wanted, reach, talking, output)
    described = chapters.of(paths)
    if not described:
        return common_status(chapters.failed)
    host = host_of(reach)

    async def check(connected: Connected) -> list[int]:
        uploader = connected.uploader()
        return [
            await _check_one(uploader, it, host, output, allow_duplicate=wanted.allow_duplicate) for it in described
        ]

    return common_status(chapters.failed + run_connected(reach, talking, output, check))


async def _upload_one(uploader: Uploader, described: Described, reporter: Reporter, output: Output) -> int:
    chapter = described.chapter
    _tell_values(described, output)
    try:
        reporter.result(await uploader.upload(chapter))
    except Exception as error:
        reporter.stop()
        if explained(error) is None:
            raise
        return report(output, error, str(chapter.path))
    return 0


async def _check_one(
    uploader: Uploader, described: Described, host: str, output: Output, *, allow_duplicate: bool
) -> int:
    chapter = described.chapter
    _tell_values(described, output)
    try:
        found = await uploader.check(chapter)
    except Exception as error:
        if explained(error) is None:
            raise
        return report(output, error, str(chapter.path))
    _tell_checked(found, output)
    if found.duplicates and not allow_duplicate:
        pages = ", ".join(chapter_page(host, it) for it in found.duplicates)
        duplicate = DuplicateChapter(f"{chapter.label}: the service has this chapter already: {pages}.")
        return report(output, duplicate, str(chapter.path))
    output.result(str(chapter.path), f"ok, {len(found.plan.pages)} pages, {size(found.plan.total_bytes)}")
    return 0


def _tell_values(described: Described, output: Output) -> None:
    label, told = described.chapter.label, described.told
    output.tell("values", path=str(described.chapter.path), **told.keys())
    output.say(f"{label}: {told.line()}")
    for warning in told.warnings:
        output.say(f"{label}: {warning}")


def _tell_checked(found: Checked, output: Output) -> None:
    plan = found.plan
    label = plan.chapter.label
    more = {"duplicates": list(found.duplicates), "needs_approval": found.needs_approval}
    output.tell("checked", path=str(plan.chapter.path), **of_plan(plan), **more)
    output.say(f"{label}: pages {_in_order(plan.source.names, is_whole=output.is_verbose)}")
    tell_changes(plan, output)
    for warning in plan.warnings:
        output.say(f"{label}: {warning}")
    if plan.source.ignored:
        output.say(f"{label}: left out, as they are no pages: {', '.join(plan.source.ignored)}")
    if found.needs_approval:
        output.say(f"{label}: it will wait for approval")


def _in_order(names: Sequence[str], *, is_whole: bool) -> str:
    """The first and the last, or all."""
    if is_whole or len(names) < 3:
        return ", ".join(names)
    return f"{names[0]} to {names[-1]}, {len(names)} of them"


def _policy(choices: Choices) -> OpenSessionPolicy:
    if choices.adopt and choices.abandon_existing:
        raise UsageError("--adopt and --abandon-existing exclude each other: choose one.")
    if choices.adopt:
        return OpenSessionPolicy.ADOPT
    return OpenSessionPolicy.ABANDON if choices.abandon_existing else OpenSessionPolicy.STOP
