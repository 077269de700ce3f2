"""A chapter that is not any more what an edit was planned with: both sides, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mangadex_uploader.edit_plan import Difference, Present
from mangadex_uploader.errors import UploadError

NOTHING_DONE = "Nothing was changed."


class VersionConflict(UploadError):  # noqa: N818 - named as those in `errors`
    """The chapter was changed since the edit was planned. Its pages were left alone, and its values but `changed`.

    `planned` and `present` are the chapter's two sides, as `Present.shown` has them; `done` says what else was or may
    have been done, in a sentence.
    """

    def __init__(
        self, planned: dict[str, Any], present: Present, *, done: str = NOTHING_DONE, changed: Difference | None = None
    ) -> None:
        self.planned = planned
        self.present = present.shown()
        self.now = present
        self.done = done
        self.changed = changed or {}
        lines = "".join(f"\n  {line}" for line in _lines(planned, self.present))
        what = what_was_changed(self.changed, done)
        super().__init__(
            f"Chapter {present.id} was changed since this edit of it was planned, elsewhere or by another command. "
            f"What it was, and is now:{lines}\n{what} Look at it, and run the same command to edit it as it is now."
        )


def what_was_changed(changed: Difference, done: str = NOTHING_DONE) -> str:
    """What a run that stopped has done to the chapter: its groups are all that goes before the rest."""
    groups = changed.get("groups")
    if groups is None:
        return done
    rest = "Nothing else was changed." if done == NOTHING_DONE else done
    return f"Its groups were changed before that: {written(groups[0])} -> {written(groups[1])}. {rest}"


def _lines(planned: dict[str, Any], present: dict[str, Any]) -> list[str]:
    names = [name for name in present if name != "page_digests" and planned.get(name) != present[name]]
    lines = [f"{name}: {written(planned.get(name))} -> {written(present[name])}" for name in names]
    sides = planned.get("page_digests"), present["page_digests"]
    if all(sides) and sides[0] != sides[1] and "pages" not in names:
        lines.append(f"pages: {present['pages']} -> {present['pages']}, others or in another order")
    elif names == ["version"]:
        lines.append("all that can be seen of it is the same; its pages may be others that are not shown yet")
    return lines


def written(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)
