"""What an edit changes of a published chapter: its values before and after, and how both are told. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeAlias

from mangadex_openapi import Chapter as WireChapter
from mangadex_openapi import ChapterAttributes
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.errors import UploadError
from mangadex_uploader.inventory import moment


@dataclass(frozen=True, slots=True)
class Values:
    """What a chapter is called. A number, volume or title of None is none."""

    title: str | None
    volume: str | None
    chapter: str | None
    language: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What the user gave. `values` are fields of `Values`, None clears; `publish_at` has a time zone."""

    values: dict[str, Any] = field(default_factory=dict)
    publish_at: datetime | None = None

    def of(self, before: Values) -> Values:
        """The values with these in place of theirs."""
        return replace(before, **self.values)


Difference: TypeAlias = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Present:
    """A chapter at the service. `pages` is 0 until they are processed (contract 3.2)."""

    id: str
    version: int
    manga: str
    values: Values
    pages: int
    publish_at: datetime | None
    external_url: str | None

    @classmethod
    def of(cls, chapter: WireChapter) -> Self:
        """From the service's answer."""
        told, related = chapter.attributes or ChapterAttributes(), chapter.relationships or []
        groups = tuple(item.id for item in related if item.type == "scanlation_group" and item.id)
        return cls(
            id=str(chapter.id),
            version=told.version or 1,
            manga=next((item.id for item in related if item.type == "manga" and item.id), ""),
            values=Values(
                told.title or None,
                told.volume or None,
                told.chapter or None,
                told.translated_language or "",
                groups,
            ),
            pages=told.pages or 0,
            publish_at=moment(told.publish_at),
            external_url=told.external_url or None,
        )

    def shown(self) -> dict[str, Any]:
        """What two sides of a conflict are compared by."""
        return {"version": self.version, **asdict(self.values), "pages": self.pages}

    def with_values(self, path: Path, wanted: Values, publish_at: datetime | None, **reading: Any) -> Chapter:
        """As a chapter on disk that is to take this one's place; `reading` says how its pages are read."""
        return Chapter(
            path=path,
            manga=self.manga,
            groups=wanted.groups,
            language=wanted.language,
            chapter=wanted.chapter,
            volume=wanted.volume,
            title=wanted.title,
            publish_at=publish_at,
            **reading,
        )


def values_of(chapter: Chapter) -> Values:
    """Those of a chapter on disk."""
    return Values(chapter.title, chapter.volume, chapter.chapter, chapter.language, chapter.groups)


def differences(before: Values, after: Values) -> Difference:
    """What differs, by field; the order of groups counts for nothing."""
    sides = asdict(before), asdict(after)
    found = {name: (sides[0][name], sides[1][name]) for name in sides[0] if sides[0][name] != sides[1][name]}
    if sorted(before.groups) == sorted(after.groups):
        found.pop("groups", None)
    return found


class VersionConflict(UploadError):  # noqa: N818 - named as those in `errors`
    """The chapter was changed elsewhere since the edit was planned. Nothing was changed.

    `planned` and `present` are the chapter's two sides, as `Present.shown` has them.
    """

    def __init__(self, planned: dict[str, Any], present: Present) -> None:
        self.planned = planned
        self.present = present.shown()
        names = [name for name in self.present if name == "version" or planned.get(name) != self.present[name]]
        lines = "".join(f"\n  {name}: {written(planned.get(name))} -> {written(self.present[name])}" for name in names)
        super().__init__(
            f"Chapter {present.id} was changed elsewhere since this edit of it was planned. What it was, and "
            f"is now:{lines}\nNothing was changed. Look at it, and run the same command to edit it as it is now."
        )


def written(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(value) or "none"
    return "none" if value is None else str(value)


@dataclass(frozen=True, slots=True)
class EditResult:
    """What became of an edit.

    Attributes:
        values: what changed of the chapter's values.
        pages: how many it has now; None where the pages stayed as they were.
        kept_pages: of these, those that it had before and that were not sent.
        confirmed: whether the service said or showed that all is as wanted.
        already_done: nothing was to be changed.
        sent_bytes: page bytes that this run sent and that were acknowledged.
    """

    chapter_id: str
    version: int
    values: Difference = field(default_factory=dict)
    pages: int | None = None
    kept_pages: int = 0
    confirmed: bool = True
    sent_bytes: int = 0

    @property
    def already_done(self) -> bool:
        """Whether there was nothing to do."""
        return not self.values and self.pages is None
