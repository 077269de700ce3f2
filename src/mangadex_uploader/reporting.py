"""What an upload tells, brought to people and programs."""

from __future__ import annotations

import time

from mangadex_uploader import json_output
from mangadex_uploader.chapter import Plan
from mangadex_uploader.events import Committing, Event, Note, PagesStored, Planned, Result, Retrying, SessionReady
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.meter import Meter
from mangadex_uploader.output import Output, size
from mangadex_uploader.progress import Progress

MOST_CHANGES = 10


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
        if plan.source.ignored:
            names = ", ".join(plan.source.ignored)
            self._output.detail(f"{self._label}: left out, as they are no pages: {names}")

    def _tell_session(self, event: SessionReady) -> None:
        self._meter.start(event.kept_bytes, time.monotonic())
        if event.resumed:
            there = f"{_pages(event.kept_pages)} ({size(event.kept_bytes)}) are there already"
            self._output.say(f"{self._label}: going on in session {event.session_id}; {there}")
        else:
            self._output.detail(f"{self._label}: session {event.session_id}")
        self._progress.start(self._label, self._meter)


def tell_changes(plan: Plan, output: Output) -> None:
    """What was done to the pages: a line each, of many only to those who want to know more."""
    label = plan.chapter.label
    if plan.source.order_file:
        output.say(f"{label}: the pages are in the order of {plan.source.order_file}")
    is_long = len(plan.done) > MOST_CHANGES
    if is_long:
        more = "" if output.is_verbose else "; --verbose says what was done to each"
        output.say(f"{label}: {len(plan.done)} pages were changed, as the service would refuse them{more}")
    for change in plan.done:
        (output.detail if is_long else output.say)(f"{label}: {change.name}: {'; '.join(change.done)}")


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
