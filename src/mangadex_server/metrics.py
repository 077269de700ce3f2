"""Figures for Prometheus, of this process since its start. The labels' values are few, whatever clients send."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, generate_latest
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mangadex_server.jobs import Standing
from mangadex_server.wire import REFUSALS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
UPLOAD = "POST /upload/{uploadSessionId}"
NO_OPERATION = "none"


class Metrics:
    """Counters, in a registry of their own: a process may have several services."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = self._counter("requests", "Requests that were answered", "operation", "status")
        self._refusals = self._counter("refusals", "Refused requests and pages", "status", "title")
        self._received = self._counter("upload_received_bytes", "Bytes of uploads, as they came in")
        self._pages = self._counter("pages_stored", "Pages that were accepted into a session")
        self._chapters = self._counter("chapters_processed", "Chapters processed by this process", "result")
        self._jobs = Gauge("mangadex_jobs", "Jobs in the database", ["state"], registry=self._registry)
        self._open = Gauge("mangadex_sessions_open", "Open upload sessions", registry=self._registry)

    def request(self, operation: str, status: int | None, refusals: Iterable[tuple[int, str]]) -> None:
        """Count a request; `status` is None if there was no answer."""
        self._requests.labels(operation, status or "none").inc()
        for refused_with, title in refusals:
            self._refusals.labels(refused_with, title).inc()

    def received(self, size_bytes: int) -> None:
        """Count a part of an upload's body."""
        self._received.inc(size_bytes)

    def pages_stored(self, count: int) -> None:
        """Count pages of a session."""
        self._pages.inc(count)

    def chapter_processed(self, result: str) -> None:
        """Count a chapter: `readable` or `broken`."""
        self._chapters.labels(result).inc()

    def text(self, standing: Standing) -> bytes:
        """All of it as Prometheus reads it."""
        self._jobs.labels("waiting").set(standing.jobs_waiting)
        self._jobs.labels("given_up").set(standing.jobs_given_up)
        self._open.set(standing.open_sessions)
        return generate_latest(self._registry)

    def _counter(self, name: str, documentation: str, *labels: str) -> Counter:
        return Counter(f"mangadex_{name}", documentation, labels, registry=self._registry)


class Counted:
    """Counts what goes through an application. Pure ASGI, so that bodies stream through untouched."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = None

        async def counted_receive() -> Message:
            message = await receive()
            if operation_of(scope) == UPLOAD:
                self._metrics.received(len(message.get("body", b"")))
            return message

        async def counted_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, counted_receive, counted_send)
        finally:
            self._metrics.request(operation_of(scope), status, scope.get(REFUSALS, ()))


def operation_of(scope: Scope) -> str:
    """The method and path of the route that a request was given to; `none` before that, or if there is no such one."""
    route: BaseRoute | None = scope.get("route")
    path = getattr(route, "path_format", None)
    method = scope["method"] if scope["method"] in METHODS else "OTHER"
    return f"{method} {path}" if path else NO_OPERATION
