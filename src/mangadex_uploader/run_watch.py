"""What `watch` does."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import filelock

from mangadex_uploader import interrupts, places
from mangadex_uploader.access import access, host_of
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import Ending
from mangadex_uploader.errors import UsageError
from mangadex_uploader.failures import explained, report
from mangadex_uploader.interruption import InterruptedBySignalError
from mangadex_uploader.journal import Journal
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Queue, Waits
from mangadex_uploader.run_chapters import check_done_folder, policy_of, upload_paths
from mangadex_uploader.wanted_chapters import Expand
from mangadex_uploader.watched import Watched
from mangadex_uploader.watching import Watching

RETRY_S = 300.0
"""What stopped because of the network, the service or an open session is tried again after so long."""

SHORTEST_SETTLE_S = 0.1
LONGEST_LOOK_S = 1.0


def watch_folder(  # noqa: PLR0913 - groups of options
    folder: Path,
    settle_s: float,
    wanted: Wanted,
    choices: Choices,
    many: Many,
    reach: Reach,
    talking: Talking,
    output: Output,
) -> None:
    """Upload the chapters in a folder as they appear, until a signal stops it.

    Raises:
        UploadError: the options do not do, the folder is none, another process watches, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    policy_of(choices)
    _check(folder, settle_s, wanted, many)
    access(reach, talking.file)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)

    def upload(paths: list[Path], expand: Expand) -> Sequence[Ending]:
        return upload_paths(paths, wanted, choices, many, reach, talking, output, expand)

    with _alone():
        finished = {} if many.move_done else _finished(host_of(reach))  # what is to be moved is looked at once more
        watching, watched = Watching(settle_s, RETRY_S), Watched(folder, finished, output)
        output.tell("watching", path=str(folder), settle_seconds=settle_s)
        output.say(f"Watching {printable(str(folder))}; Ctrl-C ends it.")
        with interrupts.noting() as received:
            while not received:
                ready = watching.ready(watched.look(), time.monotonic())
                if ready:
                    done, later = _upload(ready, watched, upload, output)
                    watching.handled(done)
                    watching.postpone(later, time.monotonic())
                else:
                    _pause(min(settle_s, LONGEST_LOOK_S), output)
        raise InterruptedBySignalError(received[0])


def _upload(
    ready: list[Path],
    watched: Watched,
    upload: Callable[[list[Path], Expand], Sequence[Ending]],
    output: Output,
) -> tuple[set[Path], set[Path]]:
    """Upload what is in these; those that are done, and those that are to be tried again later."""
    try:
        endings = upload(ready, watched.chapters)
    except Exception as error:
        failure = explained(error)
        if failure is None:
            raise
        if failure.status == UsageError.exit_status and len(ready) > 1:  # it may be about one of them
            each = [_upload([path], watched, upload, output) for path in ready]
            return set().union(*(done for done, _ in each)), set().union(*(later for _, later in each))
        report(output, error)
        output.say(f"Trying again in {RETRY_S / 60:.0f} minutes.")
        return set(), set(ready)
    return watched.done_and_later(ready, endings)


def _check(folder: Path, settle_s: float, wanted: Wanted, many: Many) -> None:
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))}: is no folder; give the one in which chapters appear")
    if not (math.isfinite(settle_s) and settle_s >= SHORTEST_SETTLE_S):
        raise UsageError(f"--settle: {settle_s:g} is no time to wait: give seconds, {SHORTEST_SETTLE_S:g} or more.")
    for name, value in {"chapter": wanted.chapter, "volume": wanted.volume, "title": wanted.title}.items():
        if value is not None and (name, value) != ("chapter", "oneshot"):
            raise UsageError(f"--{name} is one chapter's, and a folder is watched for many: leave it out.")
    check_done_folder([folder], many)


def _finished(host: str) -> dict[str, str]:
    """What earlier runs finished, as it was then."""
    with closing(Journal(places.journal_file())) as journal:
        return {
            it.path: it.signature
            for it in Queue(journal).all()
            if it.host == host and it.state is Waits.DONE and it.signature
        }


def _pause(seconds: float, output: Output) -> None:
    interrupts.run(asyncio.sleep(seconds), lambda: output.say("Stopping."))


@contextmanager
def _alone() -> Iterator[None]:
    """One process of this user."""
    places.state_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = filelock.FileLock(places.state_folder() / "watch.lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout as error:
        raise UsageError(
            "Another `mangadex watch` of yours is running: stop it first, or leave it to that one."
        ) from error
    try:
        yield
    finally:
        lock.release()
