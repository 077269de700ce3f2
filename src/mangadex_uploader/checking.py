"""A chapter on disk becomes a plan, or the reasons why not. Nothing is sent here."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from functools import partial

from mangadex_uploader import fields, order_warnings
from mangadex_uploader.chapter import MIB, Chapter, PageChange, Plan
from mangadex_uploader.errors import BadPages, Hopeless, PageProblem, UploadError, UsageError
from mangadex_uploader.images import BadImage
from mangadex_uploader.listing import UnreadablePage
from mangadex_uploader.page_files import LIMITS, File, Limits, Look, Page, as_is, prepared_page
from mangadex_uploader.prepared_source import PreparedSource
from mangadex_uploader.sources import open_source

MOST_THREADS = 4  # each holds one page


def plan_chapter(
    chapter: Chapter, *, now: datetime, limits: Limits = LIMITS, stop: threading.Event | None = None
) -> Plan:
    """Check all values, then read every page once, prepare it where that is needed and wanted, and decode it.

    Blocks, and uses up to four threads, and two more for each strip that is being cut. When `stop` is set, the pages
    that were not begun are left out, and it ends with an UploadError.

    Raises:
        UsageError: a value cannot be used, or the path is no chapter.
        BadPages: pages that the service would refuse and that cannot be prepared, all of them.
        Hopeless: more pages or bytes than a chapter may have.
        UploadError: the source was changed meanwhile, or there is no room for prepared pages.
    """
    chapter, warnings = _with_values_checked(chapter, now)
    source = opened = open_source(chapter.path, chapter.zip_encoding)
    look = partial(as_is, opened, limits)
    if not chapter.as_is:
        source = prepared = PreparedSource(opened)
        look = partial(prepared_page, prepared, limits)
    checking = _Checking(limits, stop or threading.Event(), label=chapter.label)
    pages = checking.pages(opened.names, look)
    files = tuple(file for page in pages for file in page.files)
    doubts = (doubt for page in pages for doubt in page.doubts)
    by_names = () if opened.order_file else order_warnings.warnings(opened.names)
    return Plan(
        chapter,
        source,
        tuple(file.at(position) for position, file in enumerate(files, start=1)),
        (*warnings, *opened.warnings, *by_names, *doubts, *_doubles(files)),
        tuple(PageChange(page.name, page.done) for page in pages if page.done),
    )


def _with_values_checked(chapter: Chapter, now: datetime) -> tuple[Chapter, tuple[str, ...]]:
    try:
        return fields.checked(chapter, now=now)
    except UsageError as error:
        raise UsageError(f"{chapter.label}: {error}") from error


class _Checking:
    """One chapter's pages on their way to a plan."""

    def __init__(self, limits: Limits, stop: threading.Event, *, label: str) -> None:
        self._limits = limits
        self._stop = stop
        self._label = label
        self._total_bytes = 0

    def pages(self, names: Sequence[str], look: Look) -> list[Page]:
        """All pages, each as the files to send for it."""
        self._check_count(len(names))
        pages: list[Page] = []
        problems: list[PageProblem] = []
        with closing(self._verdicts(names, look)) as verdicts:
            for verdict in verdicts:
                self._check_stop()
                if isinstance(verdict, PageProblem):
                    problems.append(verdict)
                else:
                    pages.append(verdict)
                    self._count_in(verdict.files)
        if problems:
            raise BadPages(self._label, problems)
        files = [file for page in pages for file in page.files]
        self._check_count(len(files))
        self._check_names(files)
        return pages

    def _verdicts(self, names: Sequence[str], look: Look) -> Generator[Page | PageProblem, None, None]:
        """On each page, in order. Closing it leaves out the pages that were not begun."""
        pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="check")
        try:
            yield from pool.map(partial(self._verdict, look), names)
        finally:
            pool.shutdown(cancel_futures=True)

    def _verdict(self, look: Look, name: str) -> Page | PageProblem:
        self._check_stop()
        try:
            return look(name)
        except UnreadablePage as error:
            return error.page_problem
        except BadImage as error:
            return PageProblem(name, error.reason)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise UploadError(f"{self._label}: stopped while its pages were being checked")

    def _check_count(self, count: int) -> None:
        if count > self._limits.pages:
            raise Hopeless(f"{self._label}: has {count} pages, a chapter may have {self._limits.pages}; split it")

    def _count_in(self, files: Iterable[File]) -> None:
        self._total_bytes += sum(file.size_bytes for file in files)
        if self._total_bytes > self._limits.total_bytes:
            most = self._limits.total_bytes // MIB
            raise Hopeless(
                f"{self._label}: its pages have more than {most} MB together; split it, or make them smaller"
            )

    def _check_names(self, files: Iterable[File]) -> None:
        """A piece of a strip is named by us, and might be called like a page of the user's."""
        seen: set[str] = set()
        for file in files:
            if file.name in seen:
                raise UsageError(f"{self._label}: {file.name} is a page, and a piece of another; rename one of them")
            seen.add(file.name)


def _doubles(files: Iterable[File]) -> Iterator[str]:
    same: dict[str, list[str]] = defaultdict(list)
    for file in files:
        same[file.digest].append(file.name)
    for names in same.values():
        if len(names) > 1:
            yield f"{' and '.join(names)} are the same image; all are sent"
