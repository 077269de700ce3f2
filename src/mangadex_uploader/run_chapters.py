"""What `upload` and `check` do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mangadex_uploader.access import host_of
from mangadex_uploader.batch import Batch, Place
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import Ending, tell_summary
from mangadex_uploader.errors import DuplicateChapter, UsageError
from mangadex_uploader.failures import common_status
from mangadex_uploader.first_pass import failed, tell_values
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.json_output import of_plan
from mangadex_uploader.loading import load_ahead
from mangadex_uploader.memory import give_back_pages
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted
from mangadex_uploader.output import Output, size
from mangadex_uploader.printable import printable
from mangadex_uploader.progress import progress_for
from mangadex_uploader.queue_journal import Queue
from mangadex_uploader.reporting import Reporter, tell_changes, tell_left_out
from mangadex_uploader.sessions import OpenSessionPolicy
from mangadex_uploader.uploader import Checked, Uploader
from mangadex_uploader.wanted_chapters import Described, WantedChapters

STOPPING = "Stopping. What was sent is kept: run the same command again to go on. Press Ctrl-C again to end at once."


def upload_all(  # noqa: PLR0913 - groups of options
    paths: list[Path], wanted: Wanted, choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    """Upload the chapters, one after the other; a failing one does not stop the rest. The exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    return common_status([it.status for it in upload_paths(paths, wanted, choices, many, reach, talking, output)])


def upload_paths(  # noqa: PLR0913 - groups of options
    paths: list[Path], wanted: Wanted, choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> list[Ending]:
    """As `upload_all`; how each chapter ended.

    Raises:
        UploadError: as `upload_all`.
        InterruptedBySignalError: as `upload_all`.
    """
    policy_of(choices)
    check_done_folder(paths, many)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    chapters = WantedChapters(wanted, reach, talking, output)
    described = chapters.of(paths)
    endings = list(chapters.failed)
    if described and not (many.fail_fast and endings):
        allowed = wanted.allow_duplicate
        endings += upload_described(described, choices, many, reach, talking, output, allow_duplicate=allowed)
    if len(endings) > 1:
        tell_summary(endings, output)
    return endings


def upload_described(  # noqa: PLR0913 - groups of options
    described: Sequence[Described],
    choices: Choices,
    many: Many,
    reach: Reach,
    talking: Talking,
    output: Output,
    *,
    allow_duplicate: bool = False,
) -> list[Ending]:
    """Upload chapters whose values are known.

    Raises:
        UploadError: as `upload_all`.
        InterruptedBySignalError: as `upload_all`.
    """
    policy = policy_of(choices)
    progress = progress_for(output, is_wanted=not choices.no_progress)
    reporter = Reporter(output, progress, host_of(reach))
    give_back_pages()

    async def upload(connected: Connected) -> list[Ending]:
        load_ahead()
        uploader = connected.uploader(reporter.on_event, allow_duplicate=allow_duplicate, open_session=policy)
        place = Place(Queue(connected.journal), connected.client.configuration.host, connected.account)
        return await Batch(uploader, place, reporter, output, many).run(described, allow_duplicate=allow_duplicate)

    try:
        return run_connected(reach, talking, output, upload, STOPPING)
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
    statuses = [it.status for it in chapters.failed]
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


def check_done_folder(paths: Sequence[Path], many: Many) -> None:
    """What is moved away must not be among what is uploaded.

    Raises:
        UsageError: it is.
    """
    if many.move_done is None:
        return
    place = many.move_done.absolute()
    for path in paths:
        if path.absolute() in (place, *place.parents):
            raise UsageError(
                f"--move-done: {printable(str(many.move_done))} is in {printable(str(path))}, and would be taken for a "
                f"chapter of it: name a folder elsewhere."
            )


def policy_of(choices: Choices) -> OpenSessionPolicy:
    """What to do with an open session.

    Raises:
        UsageError: two things at once.
    """
    if choices.adopt and choices.abandon_existing:
        raise UsageError("--adopt and --abandon-existing exclude each other: choose one.")
    if choices.adopt:
        return OpenSessionPolicy.ADOPT
    return OpenSessionPolicy.ABANDON if choices.abandon_existing else OpenSessionPolicy.STOP
