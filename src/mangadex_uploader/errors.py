"""Why an upload stops: one class per reaction of the user. `exit_status` is what the program ends with.

UploadError (1)
├── UsageError (2)          an option or a path; correct it
├── ForeignSession (3)      a session is open that is not ours; it was left alone
├── SignInNeeded (4)        sign in (again)
├── TryLater (5)            network, service or limits; the same command goes on
├── DuplicateChapter (6)    the chapter is there already
├── Hopeless (7)            the same command would fail again
│   ├── BadPages            pages that the service would refuse, each with its reason; nothing was sent
│   └── PageRefused         a page that the service did refuse; the session stays
└── SessionLost (1)         the session was closed elsewhere; nothing was published

Each text names the thing, says what is wrong with it and what to do. None holds a secret.
"""

from __future__ import annotations

from dataclasses import dataclass


class UploadError(Exception):
    """The base of all errors of this package."""

    exit_status = 1

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class UsageError(UploadError):
    """A path that is no chapter, or a value that cannot be used."""

    exit_status = 2


class ForeignSession(UploadError):
    """A session is open that this upload did not begin."""

    exit_status = 3

    def __init__(self, problem: str, session_id: str) -> None:
        super().__init__(problem)
        self.session_id = session_id


class SignInNeeded(UploadError):
    """There is no valid access, or it was refused."""

    exit_status = 4


class TryLater(UploadError):
    """Nothing is lost; the same command goes on where this one stopped."""

    exit_status = 5


class Unconfirmed(TryLater):
    """A commit was sent and not answered, and nothing shows whether it came through."""


class DuplicateChapter(UploadError):
    """The service, or this program's journal, has this chapter already."""

    exit_status = 6


class Hopeless(UploadError):
    """The same command would fail again."""

    exit_status = 7


@dataclass(frozen=True, slots=True)
class PageProblem:
    """What is wrong with one page; `name` is the user's name for it."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


class BadPages(Hopeless):
    """Pages that the service would refuse. Nothing was sent."""

    def __init__(self, chapter: str, problems: list[PageProblem]) -> None:
        lines = "".join(f"\n  {problem}" for problem in problems)
        super().__init__(f"{chapter}: nothing was sent, because of these pages:{lines}")
        self.problems = problems


class PageRefused(Hopeless):
    """The service refused a page each time. The session stays, with the others in it."""


class SessionLost(UploadError):
    """The session was closed elsewhere. Nothing was published; the same command begins anew."""
