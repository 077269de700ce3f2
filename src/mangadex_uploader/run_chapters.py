"""What `upload` does."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import closing
from pathlib import Path

from mangadex_uploader import places
from mangadex_uploader.access import access, host_of
from mangadex_uploader.batch import Batch
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import Ending, What, tell_summary
from mangadex_uploader.errors import SignInNeeded, UsageError
from mangadex_uploader.expanding import expanded
from mangadex_uploader.failures import common_status
from mangadex_uploader.journal import Journal
from mangadex_uploader.loading import load_ahead
from mangadex_uploader.memory import give_back_pages
from mangadex_uploader.moving_done import check_away
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted
from mangadex_uploader.output import Output
from mangadex_uploader.progress import progress_for
from mangadex_uploader.queue_journal import Queue
from mangadex_uploader.queue_place import Place
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.sessions import OpenSessionPolicy
from mangadex_uploader.wanted_chapters import Described, Expand, WantedChapters

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
    paths: list[Path],
    wanted: Wanted,
    choices: Choices,
    many: Many,
    reach: Reach,
    talking: Talking,
    output: Output,
    expand: Expand = expanded,
) -> list[Ending]:
    """As `upload_all`; how each chapter ended. `expand` tells which chapters are at a path.

    Raises:
        UploadError: as `upload_all`.
        InterruptedBySignalError: as `upload_all`.
    """
    policy_of(choices)
    check_done_folder(paths, many)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    chapters = WantedChapters(wanted, reach, talking, output, expand=expand)
    described = chapters.of(paths)
    endings = list(chapters.ended)
    _note_failed(endings, reach, talking)
    if described and many.fail_fast and chapters.has_failed:
        endings += _put_off(described, paths, reach, talking, output)
    elif described:
        allowed = wanted.allow_duplicate
        endings += upload_described(described, choices, many, reach, talking, output, paths, allow_duplicate=allowed)
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
    given: Collection[Path] = (),
    *,
    allow_duplicate: bool = False,
) -> list[Ending]:
    """Upload chapters whose values are known; they were found at the `given` paths.

    Raises:
        UploadError: as `upload_all`.
        InterruptedBySignalError: as `upload_all`.
    """
    policy = policy_of(choices)
    check_done_folder([it.chapter.path for it in described], many)
    progress = progress_for(output, is_wanted=not choices.no_progress)
    reporter = Reporter(output, progress, host_of(reach))
    give_back_pages()

    async def upload(connected: Connected) -> list[Ending]:
        load_ahead()
        uploader = connected.uploader(reporter.on_event, allow_duplicate=allow_duplicate, open_session=policy)
        place = _place(connected)
        place.forget_folders(described, given)
        return await Batch(uploader, place, reporter, output, many).run(described, allow_duplicate=allow_duplicate)

    try:
        return run_connected(reach, talking, output, upload, STOPPING)
    finally:
        reporter.stop()


def _put_off(
    described: Sequence[Described], given: Collection[Path], reach: Reach, talking: Talking, output: Output
) -> list[Ending]:
    """Leave them for later, in the queue."""

    async def add(connected: Connected) -> None:
        place = _place(connected)
        place.forget_folders(described, given)
        place.add(described)

    run_connected(reach, talking, output, add)
    return not_reached(described)


def _note_failed(endings: Sequence[Ending], reach: Reach, talking: Talking) -> None:
    """Let the queue have those whose values could not be found out, where it is known without asking whose it is."""
    failed_here = [it for it in endings if it.what is What.FAILED and os.path.lexists(it.path)]
    if not failed_here:
        return
    try:
        given = access(reach, talking.file)
    except SignInNeeded:
        return
    if given.account is not None:
        with closing(Journal(places.journal_file())) as journal:
            Place(Queue(journal), given.configuration.host, given.account).add_failed(failed_here)


def not_reached(described: Sequence[Described]) -> list[Ending]:
    """Chapters that nothing was done for."""
    return [Ending(it.chapter.path, What.WAITING) for it in described]


def _place(connected: Connected) -> Place:
    return Place(Queue(connected.journal), connected.client.configuration.host, connected.account)


def check_done_folder(paths: Sequence[Path], many: Many) -> None:
    """What is moved away must not be among what is uploaded, nor where that is.

    Raises:
        UsageError: it is, or `--move-done` names no folder.
    """
    if many.move_done is not None:
        check_away(many.move_done, paths)


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
