"""What becomes of a chapter of several when its turn is over: what is told of it, and whether it is moved away."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import Unconfirmed, UploadError
from mangadex_uploader.events import Result
from mangadex_uploader.failures import report
from mangadex_uploader.moving_done import move_into
from mangadex_uploader.output import UNTOLD, Output
from mangadex_uploader.printable import printable
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.snapshots import Snapshot


class Endings:
    """Tells and moves."""

    def __init__(self, reporter: Reporter, output: Output, done_to: Path | None) -> None:
        self._reporter = reporter
        self._output = output
        self._done_to = done_to

    def tell(self, ending: Ending, result: Result) -> None:
        """A chapter was sent, or had been."""
        if ending.what is What.COMMITTED:
            self._reporter.stop()
            report(self._output, Unconfirmed(ending.problem or ""), str(ending.path))
        else:
            self._reporter.result(result)

    def move(self, path: Path, was: Snapshot) -> None:
        """Move a finished one away, if that is wanted and its files are what was sent."""
        if self._done_to is None:
            return
        changes = was.changes(Snapshot.of(path))
        if not changes:
            self._move(path, self._done_to)
        elif os.path.lexists(path):
            self._stays(
                path,
                f"{printable(str(path))}: is finished, but was changed since it was sent, so that it is not moved: "
                f"{changes}. The chapter has the pages that were there before; `mangadex edit` changes them.",
            )
        else:
            self._stays(path, f"{printable(str(path))}: is finished, and not there any more to be moved.")

    def _move(self, path: Path, folder: Path) -> None:
        try:
            target = move_into(folder, path)
        except UploadError as error:
            self._stays(path, error.problem)
        else:
            self._output.tell("moved", path=str(path), to=str(target))
            self._output.say(f"{printable(str(path))}: moved to {printable(str(target))}")

    def _stays(self, path: Path, why: str) -> None:
        self._output.tell("note", path=str(path), text=why)
        self._output.problem(why)


def ending_of(path: Path, result: Result) -> Ending:
    """How it ended."""
    if result.confirmed:
        what = What.FINISHED if result.already_done else What.PUBLISHED
        return Ending(path, what, chapter_id=result.chapter_id)
    problem = (
        f"{printable(str(path))}: may be committed: the answer to the commit was lost, and the service does not show "
        f"the chapter, as with one that waits for approval. Look for it at the service. The same command, or "
        f"`mangadex queue retry`, looks again; if it is not there, give it to `mangadex upload` with --allow-duplicate."
    )
    return Ending(path, What.COMMITTED, Unconfirmed.exit_status, problem)


def untold(ending: Ending) -> Ending:
    """What was done and could not be told is no full success."""
    return replace(ending, status=UNTOLD) if not ending.status and ending.chapter_id else ending
