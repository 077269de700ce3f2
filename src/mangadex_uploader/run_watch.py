"""What `watch` does."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import filelock

from mangadex_uploader import interrupts, places
from mangadex_uploader.access import host_of
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import TryLater, UsageError
from mangadex_uploader.expanding import chapters_in
from mangadex_uploader.interruption import InterruptedBySignalError
from mangadex_uploader.journal import Journal
from mangadex_uploader.options import Choices, Many, Reach, Talking, Wanted
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Queue, Waits
from mangadex_uploader.run_chapters import check_done_folder, policy_of, upload_paths
from mangadex_uploader.signatures import signature
from mangadex_uploader.watching import Watching

RETRY_S = 300.0
"""What stopped because of the network, the service or an open session is tried again after so long."""

MAY_PASS = {3, TryLater.exit_status}
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
    _check(folder, wanted, many)
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    with _alone():
        watching = Watching(settle_s, RETRY_S, _finished(host_of(reach)))
        output.tell("watching", path=str(folder), settle_seconds=settle_s)
        output.say(f"Watching {folder}; Ctrl-C ends it.")
        try:
            while True:
                ready = watching.ready(_found(folder), time.monotonic())
                if not ready:
                    _pause(min(settle_s, LONGEST_LOOK_S), output)
                    continue
                endings = upload_paths(ready, wanted, choices, many, reach, talking, output)
                later = _to_try_again(endings)
                watching.postpone(later, time.monotonic())
                watching.handled(path for path in ready if path not in later)
        except KeyboardInterrupt:  # between two pauses
            raise InterruptedBySignalError(signal.SIGINT) from None


def _check(folder: Path, wanted: Wanted, many: Many) -> None:
    if not folder.is_dir():
        raise UsageError(f"{printable(str(folder))}: is no folder; give the one in which chapters appear")
    for name, value in {"chapter": wanted.chapter, "volume": wanted.volume, "title": wanted.title}.items():
        if value is not None and (name, value) != ("chapter", "oneshot"):
            raise UsageError(f"--{name} is one chapter's, and a folder is watched for many: leave it out.")
    check_done_folder([folder], many)


def _found(folder: Path) -> dict[Path, str]:
    """What is there now, by its signature; what goes away meanwhile is left out."""
    found = {}
    for path in chapters_in(folder):
        try:
            found[path] = signature(path)
        except OSError:
            continue
    return found


def _finished(host: str) -> dict[Path, str]:
    """What earlier runs finished, as it was then."""
    with closing(Journal(places.journal_file())) as journal:
        return {
            Path(it.path): it.signature
            for it in Queue(journal).all()
            if it.host == host and it.state is Waits.DONE and it.signature
        }


def _to_try_again(endings: Sequence[Ending]) -> set[Path]:
    return {it.path for it in endings if it.what is What.WAITING or it.status in MAY_PASS}


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
