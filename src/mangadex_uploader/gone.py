"""Chapters that were published and are no longer where they were, as after `--move-done`: they are not missing."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from mangadex_uploader.endings import Ending, What
from mangadex_uploader.expanding import holds_nothing
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Queued, Waits
from mangadex_uploader.whereabouts import placed


def is_gone(path: Path) -> bool:
    """Whether nothing is there, or a folder without chapters."""
    return not os.path.lexists(path) or holds_nothing(path)


def finished_at(path: Path, queued: Iterable[Queued]) -> list[Queued]:
    """What was at a path that is gone, or in the folder that is empty now, if all of that was published."""
    place = Path(placed(path))
    is_folder = os.path.lexists(path)
    found = [it for it in queued if (place in Path(it.path).parents if is_folder else Path(it.path) == place)]
    return found if all(it.state is Waits.DONE for it in found) else []


def tell_gone(path: Path, its: list[Queued], output: Output) -> Ending:
    """Say so; how it ended."""
    if os.path.lexists(path):
        text = f"nothing is left in it; what was there is published ({len(its)})"
        output.tell("note", path=str(path), text=text)
        output.say(f"{printable(str(path))}: {text}")
        return Ending(path, What.FINISHED)
    (chapter,) = its[-1:]
    url = chapter_page(chapter.host, chapter.chapter_id) if chapter.chapter_id else None
    output.tell(
        "result",
        path=str(path),
        chapter_id=chapter.chapter_id,
        url=url,
        confirmed=True,
        needs_approval=None,
        already_done=True,
        sent_bytes=0,
        exit_status=0,
    )
    output.say(f"{printable(str(path))}: nothing to do; it is no longer there, and an earlier run has published it")
    if url:
        output.result(url)
    return Ending(path, What.FINISHED, chapter_id=chapter.chapter_id)
