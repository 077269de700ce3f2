"""A chapter on disk becomes a plan, or the reasons why not. Nothing is sent here."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import count

from mangadex_uploader import fields
from mangadex_uploader.chapter import MIB, Chapter, Plan, PlannedPage, Source
from mangadex_uploader.errors import BadPages, Hopeless, PageProblem, UploadError
from mangadex_uploader.images import BadImage, inspect
from mangadex_uploader.listing import UnreadablePage
from mangadex_uploader.printable import printable
from mangadex_uploader.sources import open_source

MOST_THREADS = 4  # each holds one page


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the service takes (contract 4.6). The pixels are those of all frames of a page, as its readers decode it."""

    page_bytes: int = 20 * MIB
    pages: int = 500
    total_bytes: int = 150 * MIB
    side_px: int = 10_000
    pixels: int = 200_000_000


LIMITS = Limits()


def plan_chapter(
    chapter: Chapter, *, now: datetime, limits: Limits = LIMITS, stop: threading.Event | None = None
) -> Plan:
    """Check all values, then read and decode every page once. Blocks, and uses up to four threads.

    When `stop` is set, the pages that were not begun are left out, and it ends with an UploadError.

    Raises:
        UsageError: a value cannot be used, or the path is no chapter.
        BadPages: pages that the service would refuse, all of them.
        Hopeless: more pages or bytes than a chapter may have.
        UploadError: the source was changed meanwhile.
    """
    chapter, warnings = fields.checked(chapter, now=now)
    source = open_source(chapter.path)
    pages = _checked_pages(source, limits, stop or threading.Event(), label=printable(chapter.label))
    return Plan(chapter, source, pages, (*warnings, *_doubles(pages)))


def _checked_pages(source: Source, limits: Limits, stop: threading.Event, *, label: str) -> tuple[PlannedPage, ...]:
    if len(source.names) > limits.pages:
        raise Hopeless(f"{label}: has {len(source.names)} pages, a chapter may have {limits.pages}; split it")
    pages: list[PlannedPage] = []
    problems: list[PageProblem] = []
    total_bytes = 0
    with closing(_verdicts(source, limits)) as verdicts:
        for verdict in verdicts:
            if stop.is_set():
                raise UploadError(f"{label}: stopped while its pages were being checked")
            if isinstance(verdict, PageProblem):
                problems.append(verdict)
                continue
            pages.append(verdict)
            total_bytes += verdict.size_bytes
            if total_bytes > limits.total_bytes:
                most = limits.total_bytes // MIB
                raise Hopeless(f"{label}: its pages have more than {most} MB together; split it, or make them smaller")
    if problems:
        raise BadPages(label, problems)
    return tuple(pages)


def _verdicts(source: Source, limits: Limits) -> Generator[PlannedPage | PageProblem, None, None]:
    """On each page, in order. Closing it leaves out the pages that were not begun."""
    pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="check")
    try:
        yield from pool.map(partial(_verdict, source, limits), count(1), source.names)
    finally:
        pool.shutdown(cancel_futures=True)


def _verdict(source: Source, limits: Limits, position: int, name: str) -> PlannedPage | PageProblem:
    try:
        data = source.read(name)
    except UnreadablePage as error:
        return error.page_problem
    if len(data) > limits.page_bytes:
        problem = f"it has {len(data) / MIB:.1f} MB, a page may have {limits.page_bytes / MIB:g}; make it smaller"
        return PageProblem(name, problem)
    try:
        image = inspect(data, max_side_px=limits.side_px, max_pixels=limits.pixels)
    except BadImage as error:
        return PageProblem(name, error.reason)
    digest = hashlib.sha256(data).hexdigest()
    return PlannedPage(position, name, digest, len(data), image.mime_type, image.width, image.height)


def _doubles(pages: Iterable[PlannedPage]) -> Iterator[str]:
    same: dict[str, list[str]] = defaultdict(list)
    for page in pages:
        same[page.digest].append(page.name)
    for names in same.values():
        if len(names) > 1:
            yield f"{' and '.join(names)} are the same image; all are sent"
