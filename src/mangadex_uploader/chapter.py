"""What shall be published: a chapter's place, its values, and the pages as planned."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mangadex_uploader.printable import printable

MIB = 1 << 20
BATCH_PAGES = 10  # files of a request (contract 4.6)
BATCH_BYTES = 8 * MIB
"""The most that one request sends, a larger page excepted."""

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """What the user wants to publish.

    Attributes:
        path: folder, `.zip` or `.cbz`.
        manga: its id.
        groups: their ids, up to ten (contract 2.1).
        language: such as `en` or `pt-br` (contract 11.2).
        chapter: the number; None for a oneshot.
        publish_at: when it shall become readable; with a time zone.
        as_is: prepare no page: what the service does not take stops the chapter.
        zip_encoding: of the names in an archive that do not say theirs, such as `cp932`; None finds it out.
    """

    path: Path
    manga: str
    groups: tuple[str, ...] = ()
    language: str = "en"
    chapter: str | None = None
    volume: str | None = None
    title: str | None = None
    publish_at: datetime | None = None
    as_is: bool = False
    zip_encoding: str | None = None

    @property
    def label(self) -> str:
        """How messages call it."""
        return printable(self.path.name or str(self.path))


class Source(Protocol):
    """Where pages come from. `read` blocks, and gives the bytes that were there when the page was planned."""

    @property
    def path(self) -> Path:
        """The folder or archive."""

    @property
    def names(self) -> Sequence[str]:
        """The pages in reading order, by the user's names for them."""

    @property
    def ignored(self) -> Sequence[str]:
        """What is in it and is no page, such as `Thumbs.db`."""

    @property
    def warnings(self) -> Sequence[str]:
        """What is doubtful about it, as sentences."""

    @property
    def order_file(self) -> str | None:
        """The `order.txt` that decided the order; None where the names did."""

    def comic_info(self) -> bytes | None:
        """The `ComicInfo.xml` beside the pages or at the top; None where there is none.

        Raises:
            UploadError: it cannot be read, or has more than 1 MB.
        """

    def read(self, name: str) -> bytes:
        """A page's bytes.

        Raises:
            UploadError: it cannot be read (any more).
        """


@dataclass(frozen=True, slots=True)
class PlannedPage:
    """A page that was checked. `position` counts from 1; `digest` is the SHA-256 of the bytes to send.

    `name` is the user's, and for a piece of a page that was cut such as `strip.png (2 of 14)`.
    """

    position: int
    name: str
    digest: str
    size_bytes: int
    mime_type: str
    width: int
    height: int

    @property
    def wire_name(self) -> str:
        """Its name in the session (design 4): the hash finds it again, the position tells doubles apart."""
        return f"{self.position:04d}-{self.digest[:16]}.{EXTENSIONS[self.mime_type]}"


@dataclass(frozen=True, slots=True)
class PageChange:
    """What was done to a page of the user's before it is sent, and why: sentences for people."""

    name: str
    done: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A chapter whose pages passed all checks. Those that are not in `done` are sent as the user has them."""

    chapter: Chapter
    source: Source
    pages: tuple[PlannedPage, ...]
    warnings: tuple[str, ...] = ()
    done: tuple[PageChange, ...] = ()

    @property
    def total_bytes(self) -> int:
        """Of all pages."""
        return sum(page.size_bytes for page in self.pages)

    @property
    def identity(self) -> str:
        """The same for the same chapter of the same groups, whatever its pages are."""
        wanted = self.chapter
        key = [wanted.manga, wanted.language, wanted.volume, wanted.chapter, sorted(wanted.groups)]
        return hashlib.sha256(json.dumps(key).encode()).hexdigest()

    @property
    def pages_digest(self) -> str:
        """The same for the same pages in the same order."""
        return hashlib.sha256("".join(page.digest for page in self.pages).encode()).hexdigest()


def batches(pages: Iterable[PlannedPage], most_bytes: Iterator[int]) -> Iterator[tuple[PlannedPage, ...]]:
    """Pages in requests: at most ten each, and the next of `most_bytes`; a larger page goes alone."""
    batch: list[PlannedPage] = []
    size_bytes, limit_bytes = 0, next(most_bytes)
    for page in pages:
        if batch and (len(batch) == BATCH_PAGES or size_bytes + page.size_bytes > limit_bytes):
            yield tuple(batch)
            batch, size_bytes, limit_bytes = [], 0, next(most_bytes)
        batch.append(page)
        size_bytes += page.size_bytes
    if batch:
        yield tuple(batch)
