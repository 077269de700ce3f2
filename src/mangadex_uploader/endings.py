"""How each of several chapters ended: a line for people, an object for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable

MOST_LINES = 3
"""Of a problem with several, such as one for each bad page, so many are in the table."""


class What(StrEnum):
    """What became of a chapter. `WOULD` is that of a dry run."""

    PUBLISHED = "published"
    COMMITTED = "committed"  # perhaps: the answer was lost, and the service does not show it
    FINISHED = "finished"  # by an earlier run
    FAILED = "failed"
    WAITING = "waiting"
    WOULD = "would_publish"


WORDS = {
    What.COMMITTED: "may be committed",
    What.FINISHED: "skipped, finished already",
    What.WAITING: "not reached",
    What.WOULD: "would be published",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of one chapter; `status` is the exit status of a failure."""

    path: Path
    what: What
    status: int = 0
    problem: str | None = None
    chapter_id: str | None = None

    def line(self) -> str:
        """For people."""
        first, *more = self.problem.splitlines() if self.problem else [""]
        told = "; ".join(it.strip() for it in more[:MOST_LINES])
        rest = f"; and {len(more) - MOST_LINES} more" if len(more) > MOST_LINES else ""
        problem = f": {first}" + (f" {told}{rest}" if told else "") if first else ""
        return f"  {printable(str(self.path))}: {WORDS.get(self.what, self.what)}{problem}"


def tell_summary(endings: Sequence[Ending], output: Output) -> None:
    """A line each, and how many ended how."""
    output.tell(
        "summary",
        chapters=[
            {
                "path": str(it.path),
                "outcome": str(it.what),
                "chapter_id": it.chapter_id,
                "problem": it.problem,
                "exit_status": it.status,
            }
            for it in endings
        ],
    )
    counts = Counter(it.what for it in endings)
    how = ", ".join(f"{counts[what]} {WORDS.get(what, what)}" for what in What if counts[what])
    output.say(f"{len(endings)} chapters: {how}")
    for it in endings:
        output.say(it.line())
