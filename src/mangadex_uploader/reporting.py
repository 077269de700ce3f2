"""What an upload tells, brought to people and programs."""

from __future__ import annotations

import re
import time
from collections import Counter

from mangadex_uploader import json_output
from mangadex_uploader.chapter import PageChange, Plan
from mangadex_uploader.events import Committing, Event, Note, PagesStored, Planned, Result, Retrying, SessionReady
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.listing import is_left_by_program
from mangadex_uploader.meter import Meter
from mangadex_uploader.output import Output, size
from mangadex_uploader.progress import Progress

MOST_CHANGES = 10
MOST_LEFT_OUT = 5

NOT_LOSING = (
    (r"was ([^,]+), which the service does not take: sent as ((?:PNG|JPEG)(?: of quality \d+)?)", r"\1 sent as \2"),
    (r"strip of .* px, a side may have \d+: cut into \d+ at blank rows", "cut into pieces at blank rows"),
    (r"the pieces were (saved as .*)", r"pieces \1"),
    (r"(?:had|as PNG .* would have) .* MB, a page may have .* MB: (packed tighter as PNG, .*)", r"\1"),
    (r"had .* MB, a page may have .* MB: (saved again, .*)", r"\1"),
    (r"(turned upright, as its metadata says)", r"\1"),
    (r"(the position at which it was taken was left out)", r"\1"),
)
"""What `preparing` says of a change that costs a reader nothing, and what it is counted as."""


class Reporter:
    """Told everything by the engine, one chapter after the other."""

    def __init__(self, output: Output, progress: Progress, host: str) -> None:
        self._output = output
        self._progress = progress
        self._host = host
        self._path = ""
        self._label = ""
        self._meter = Meter(0)

    def on_event(self, event: Event) -> None:
        """Tell it."""
        if isinstance(event, Planned):
            self._begin(event.plan)
        name, keys = json_output.of_event(event)
        self._output.tell(name, path=self._path, **keys)
        match event:
            case Planned(plan):
                self._tell_plan(plan)
            case SessionReady():
                self._tell_session(event)
            case PagesStored(names, size_bytes):
                self._meter.add(size_bytes, time.monotonic())
                self._progress.update()
                self._output.detail(f"{self._label}: stored {', '.join(names)}")
            case Retrying(problem, wait_s):
                self._output.say(f"{self._label}: {problem} Trying again in {wait_s:.0f} s.")
            case Committing():
                self._progress.stop()
                self._output.detail(f"{self._label}: all pages are there; publishing")
            case Note(text):
                self._output.say(f"{self._label}: {text}" if self._label else text)

    def result(self, result: Result) -> None:
        """A chapter is done."""
        self._progress.stop()
        self._output.tell("result", path=str(result.plan.chapter.path), **json_output.of_result(result, self._host))
        self._output.say(_outcome(result))
        if result.chapter_id:
            self._output.result(chapter_page(self._host, result.chapter_id))

    def stop(self) -> None:
        """Nothing is being sent any more."""
        self._progress.stop()

    def _begin(self, plan: Plan) -> None:
        self._progress.stop()
        self._path, self._label = str(plan.chapter.path), plan.chapter.label
        self._meter = Meter(plan.total_bytes)

    def _tell_plan(self, plan: Plan) -> None:
        self._output.say(f"{self._label}: {_pages(len(plan.pages))}, {size(plan.total_bytes)}")
        tell_changes(plan, self._output)
        for warning in plan.warnings:
            self._output.say(f"{self._label}: {warning}")
        tell_left_out(plan, self._output)

    def _tell_session(self, event: SessionReady) -> None:
        self._meter.start(event.kept_bytes, time.monotonic())
        if event.resumed:
            there = f"{_pages(event.kept_pages)} ({size(event.kept_bytes)}) are there already"
            self._output.say(f"{self._label}: going on in session {event.session_id}; {there}")
        else:
            self._output.detail(f"{self._label}: session {event.session_id}")
        self._progress.start(self._label, self._meter)


def tell_changes(plan: Plan, output: Output) -> None:
    """What was done to the pages: a line each. Of many, what loses nothing is only counted, unless more is wanted."""
    label = plan.chapter.label
    if plan.source.order_file:
        output.say(f"{label}: the pages are in the order of {plan.source.order_file}")
    is_long = len(plan.done) > MOST_CHANGES
    if is_long:
        what = _counted(plan.done)
        output.say(f"{label}: {len(plan.done)} pages were changed, as the service would refuse them: {what}")
    for change in plan.done:
        tell = output.say if not is_long or _kinds(change) is None else output.detail
        tell(f"{label}: {change.name}: {'; '.join(change.done)}")


def tell_left_out(plan: Plan, output: Output) -> None:
    """The first names of what is no page, without those that programs left there; all if more is wanted."""
    names = [name for name in plan.source.ignored if output.is_verbose or not is_left_by_program(name)]
    most = len(names) if output.is_verbose else MOST_LEFT_OUT
    more = f" and {len(names) - most} more" if len(names) > most else ""
    if names:
        output.say(f"{plan.chapter.label}: left out: {', '.join(names[:most])}{more}")


def _counted(changes: tuple[PageChange, ...]) -> str:
    kinds = [_kinds(change) for change in changes]
    counts = Counter(kind for page in kinds for kind in page or ())
    told = [f"{_pages(count)}: {kind}" for kind, count in counts.items()]
    return "; ".join(told + ([f"{_pages(kinds.count(None))}: see below"] if None in kinds else []))


def _kinds(change: PageChange) -> list[str] | None:
    """What was done to a page, as it is counted; None if it loses something by any of it."""
    kinds: dict[str, None] = {}
    for sentence in change.done:
        found = ((re.fullmatch(pattern, sentence), kind) for pattern, kind in NOT_LOSING)
        kind = next((match.expand(kind) for match, kind in found if match), None)
        if kind is None:
            return None
        kinds[kind] = None
    return list(kinds)


def _outcome(result: Result) -> str:
    label = result.plan.chapter.label
    if not result.confirmed:
        return f"{label}: sent and committed; the service does not show it yet, as with chapters that wait for approval"
    if result.already_done:
        return f"{label}: nothing to do, an earlier run has published it"
    waiting = "; it waits for approval" if result.needs_approval else ""
    return f"{label}: published, {_pages(len(result.plan.pages))}, {size(result.plan.total_bytes)}{waiting}"


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count} pages"
