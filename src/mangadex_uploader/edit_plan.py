"""What an edit changes of a published chapter: its values before and after, and what became of it. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeAlias

from mangadex_openapi import Chapter as WireChapter
from mangadex_openapi import ChapterAttributes
from mangadex_uploader.chapter import Chapter
from mangadex_uploader.inventory import moment


@dataclass(frozen=True, slots=True)
class Values:
    """What a chapter is called. A number, volume or title of None is none."""

    title: str | None
    volume: str | None
    chapter: str | None
    language: str
    groups: tuple[str, ...]

    @classmethod
    def of(cls, chapter: Chapter) -> Self:
        """Those of a chapter on disk."""
        return cls(chapter.title, chapter.volume, chapter.chapter, chapter.language, chapter.groups)

    def shown(self) -> dict[str, Any]:
        """As JSON has them."""
        return asdict(self) | {"groups": list(self.groups)}


@dataclass(frozen=True, slots=True)
class Changes:
    """What the user gave. `values` are fields of `Values`, None clears; `publish_at` has a time zone."""

    values: dict[str, Any] = field(default_factory=dict)
    publish_at: datetime | None = None

    def alone(self, path: Path, manga: str, **reading: Any) -> Chapter:
        """As a chapter on disk that has nothing else, so that what was not given is neither checked nor changed."""
        return Chapter(path=path, manga=manga, publish_at=self.publish_at, **self.values, **reading)

    def over(self, present: Values, checked: Chapter) -> Values:
        """The present values with the given ones, in the form that they were checked into, in their place."""
        return replace(present, **{name: getattr(checked, name) for name in self.values})

    def options(self) -> list[str]:
        """The words of a command that gives them again."""
        words: list[str] = []
        for name, value in self.values.items():
            if name == "groups":
                words += [word for group in value or ("",) for word in ("--group", group)]
            else:
                words += [f"--{name}", value or ""]
        return words + (["--publish-at", self.publish_at.isoformat()] if self.publish_at else [])


Difference: TypeAlias = dict[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Present:
    """A chapter at the service.

    Attributes:
        pages: how many it has; 0 until they are processed (contract 3.2).
        digests: of the pages that its readers get, asked for just before the rest; empty where that is not known.
    """

    id: str
    version: int
    manga: str
    values: Values
    pages: int
    publish_at: datetime | None
    external_url: str | None
    digests: tuple[str, ...] = ()

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
        """What two sides of a conflict are compared by, as JSON has it."""
        return {
            "version": self.version,
            **self.values.shown(),
            "publish_at": self.publish_at.isoformat() if self.publish_at else None,
            "pages": self.pages,
            "page_digests": list(self.digests),
        }


def differences(before: Values, after: Values) -> Difference:
    """What differs, by field; the order of groups counts for nothing."""
    sides = asdict(before), asdict(after)
    found = {name: (sides[0][name], sides[1][name]) for name in sides[0] if sides[0][name] != sides[1][name]}
    if sorted(before.groups) == sorted(after.groups):
        found.pop("groups", None)
    return found


@dataclass(frozen=True, slots=True)
class EditResult:
    """What became of an edit.

    Attributes:
        values: what changed of the chapter's values.
        pages: how many it has now; None where this run left the pages as they were.
        kept_pages: of these, those that it had before and that were not sent.
        confirmed: whether the service said or showed that all is as wanted.
        already_done: nothing was to be changed, as all that is wanted was committed before.
        needs_approval: whether it waits for a moderator; None where that was not asked, or the service does not say.
        sent_bytes: page bytes that this run sent and that were acknowledged.
    """

    chapter_id: str
    version: int
    values: Difference = field(default_factory=dict)
    pages: int | None = None
    kept_pages: int = 0
    confirmed: bool = True
    already_done: bool = False
    needs_approval: bool | None = None
    sent_bytes: int = 0
