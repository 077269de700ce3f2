"""What an upload tells while it runs. The engine prints nothing; who shows or logs these is the caller's affair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from mangadex_uploader.chapter import Plan


@dataclass(frozen=True, slots=True)
class Planned:
    """All pages passed their checks."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class SessionReady:
    """A session is open for this chapter; `kept_bytes` and `kept_pages` are in it already."""

    session_id: str
    resumed: bool
    kept_pages: int
    kept_bytes: int


@dataclass(frozen=True, slots=True)
class PagesStored:
    """The service acknowledged these pages (the user's names)."""

    names: tuple[str, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Retrying:
    """Something failed that may pass; `problem` says what, `wait_s` how long until the next attempt."""

    problem: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Committing:
    """All pages are there; the chapter is being published."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something that the user should know."""

    text: str


Event: TypeAlias = Planned | SessionReady | PagesStored | Retrying | Committing | Note


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a chapter.

    Attributes:
        chapter_id: None where the commit's answer was lost and the chapter cannot be seen yet.
        confirmed: whether the service said that the chapter is there.
        needs_approval: whether it waits for a moderator; None where the service did not say.
        already_done: nothing was sent, since an earlier run had published it.
        sent_bytes: page bytes that this run sent and that were acknowledged.
    """

    plan: Plan
    chapter_id: str | None
    confirmed: bool
    needs_approval: bool | None = None
    already_done: bool = False
    sent_bytes: int = 0
