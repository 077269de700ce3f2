"""A watched folder: what is in it now, which chapters that is, and which of them need no other look as they are."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from mangadex_uploader.endings import Ending, What
from mangadex_uploader.errors import ForeignSession, SignInNeeded, TryLater, UsageError
from mangadex_uploader.expanding import Wrong, chapters_in, expanded_inside
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.signatures import signature
from mangadex_uploader.whereabouts import placed

MAY_PASS = {ForeignSession.exit_status, SignInNeeded.exit_status, TryLater.exit_status}


class Watched:
    """A folder in which chapters appear.

    Args:
        finished: signature by place of what earlier runs finished.
    """

    def __init__(self, folder: Path, finished: dict[str, str], output: Output) -> None:
        self._folder = folder
        self._known = dict(finished)
        self._output = output
        self._is_away = False
        self._given: dict[Path, dict[Path, str]] = {}

    def look(self) -> dict[Path, str]:
        """What is there now, by its signature; what goes away meanwhile is left out.

        A folder that cannot be read has nothing in it for now: that is told, and that it is back.
        """
        try:
            paths = chapters_in(self._folder)
        except UsageError as error:
            if not self._is_away:
                self._tell(f"{error.problem}; looking again until it is back")
            self._is_away = True
            return {}
        if self._is_away:
            self._tell(f"{printable(str(self._folder))}: is back")
        self._is_away = False
        return {path: its for path in paths if (its := _signature(path))}

    def chapters(self, path: Path, wrong: Wrong) -> list[Path]:
        """Those in what was found that are new, or others than they were. See `expanding.Expand`."""
        found = {it: _signature(it) for it in expanded_inside(path, wrong)}
        self._given[path] = {it: its for it, its in found.items() if self._known.get(placed(it)) != its or not its}
        return list(self._given[path])

    def done_and_later(self, paths: Iterable[Path], endings: Sequence[Ending]) -> tuple[set[Path], set[Path]]:
        """Those that need no other look as they are, and those with a chapter that did not end, or only for now.

        What failed and is gone is neither: its folder may have been taken away, and then it is new when it is back.
        """
        ended = {it.path: it for it in endings if it.what is not What.WAITING and it.status not in MAY_PASS}
        done, later = set(paths), set()
        for path in paths:
            for chapter, its in self._given.pop(path, {}).items():
                if chapter not in ended:
                    later.add(path)
                elif ended[chapter].status and not os.path.lexists(chapter):
                    done.discard(path)
                else:
                    self._known[placed(chapter)] = its
        return done - later, later

    def _tell(self, text: str) -> None:
        self._output.tell("note", path=str(self._folder), text=text)
        self._output.problem(text)


def _signature(path: Path) -> str:
    """Empty where there is none, as it is gone."""
    try:
        return signature(path)
    except OSError:
        return ""
