"""A small service for the client's tests: real sockets, the wire of the contract, and faults on demand.

It stores what it is sent, answers in the real envelope, and keeps a record of every request.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

REALM = "/realms/mangadex/protocol/openid-connect"
ERROR_ID = "770a6444-c695-570d-bfd2-a0eec2e95ce9"


@dataclass
class Part:
    name: str
    filename: str
    content_type: str
    content: bytes


@dataclass
class Recorded:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    parts: list[Part] = field(default_factory=list)

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """An answer instead of the service's own. `body` that is no text is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    act_first: bool = False  # let the service do its work, then answer this


@dataclass
class Cut:
    """Break the connection: before acting, after acting, or after so many bytes of the answer."""

    act_first: bool = False
    answer_bytes: int = 0


@dataclass
class Stall:
    """Answer only when `until` is set."""

    until: threading.Event


Fault = Answer | Cut | Stall | None  # None: no fault for this request


def error_body(status: int, title: str, detail: str | None) -> dict[str, Any]:
    entry = {"id": ERROR_ID, "status": status, "title": title, "detail": detail, "context": None}
    return {"result": "error", "errors": [entry]}


def entity(kind: str, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": str(uuid.uuid4()), "type": kind, "attributes": attributes, "relationships": [], **more}


def envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {"result": "ok", "response": "entity", "data": data}


class RefusedError(Exception):
    def __init__(self, status: int, title: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail


class Service:
    """State and rules; one per test."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.session: dict[str, Any] | None = None
        self.files: dict[str, dict[str, Any]] = {}
        self.chapters: list[dict[str, Any]] = []
        self.committed_files: list[dict[str, dict[str, Any]]] = []
        self.refused_names: set[str] = set()
        self.faults: dict[str, list[Fault]] = {}
        self.valid_tokens: set[str] | None = None  # None: every token will do
        self.refresh_tokens: set[str] = set()
        self.logins: list[dict[str, str]] = []
        self.token_life_s: float = 900
        self.token_gate: threading.Event | None = None
        self.password = "right password"
        self.address = ""
        self.lock = threading.Lock()

    def fault(self, route: str, *faults: Fault) -> None:
        """The next requests to `"METHOD /path"` (a regular expression) meet these faults, one each."""
        self.faults.setdefault(route, []).extend(faults)

    def next_fault(self, request: Recorded) -> Fault:
        with self.lock:
            for route, faults in self.faults.items():
                if faults and re.fullmatch(route, f"{request.method} {request.path}"):
                    return faults.pop(0)
        return None

    def sent(self, route: str) -> list[Recorded]:
        return [item for item in self.requests if re.fullmatch(route, f"{item.method} {item.path}")]

    def handle(self, request: Recorded) -> tuple[int, Any]:
        with self.lock:
            try:
                if request.path == f"{REALM}/token":
                    return self._token(dict(parse_qsl(request.body.decode())))
                token = request.headers.get("authorization", "").removeprefix("Bearer ")
                self._check(token)
                return 200, self._route(request)
            except RefusedError as refused:
                return refused.status, error_body(refused.status, refused.title, refused.detail)

    def _check(self, token: str) -> None:
        if self.valid_tokens is not None and token not in self.valid_tokens:
            raise RefusedError(401, "unauthorized_http_exception", "User not found")

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        self.logins.append(form)
        if form.get("client_secret") != "secret":
            return 401, {"error": "invalid_client", "error_description": "Invalid client credentials"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] not in self.refresh_tokens:
                return 400, {"error": "invalid_grant", "error_description": "Token is not active"}
            self.refresh_tokens.remove(form["refresh_token"])
        elif form.get("password") != self.password:
            return 401, {"error": "invalid_grant", "error_description": "Invalid user credentials"}
        access, refresh = f"access-{len(self.logins)}", f"refresh-{len(self.logins)}"
        self.refresh_tokens.add(refresh)
        self.valid_tokens = (self.valid_tokens or set()) | {access}
        return 200, {
            "access_token": access,
            "expires_in": self.token_life_s,
            "refresh_token": refresh,
            "refresh_expires_in": 3600,
            "token_type": "Bearer",
        }

    def _route(self, request: Recorded) -> Any:  # noqa: C901, PLR0911 - a table of the paths
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["upload"]:
                return envelope(self._open())
            case "POST", ["upload", "begin", *_chapter]:
                if self.session:
                    raise RefusedError(409, "conflict_http_exception", "An upload session is already open")
                self.session = entity("upload_session", {"isCommitted": False, "isProcessed": False, "version": 1})
                self.files = {}
                return envelope(self.session)
            case "POST", ["upload", "check-approval-required"]:
                return {"result": "ok", "requiresApproval": True}
            case "POST", ["upload", session]:
                self._open(session)
                return self._store(request)
            case "POST", ["upload", session, "commit"]:
                self._open(session)
                return self._commit(request.json())
            case "DELETE", ["upload", session]:
                self._open(session)
                self.session = None
                return {"result": "ok"}
            case "DELETE", ["upload", session, "batch"]:
                self._open(session)
                for file_id in request.json():
                    self.files.pop(file_id, None)
                return {"result": "ok"}
            case "DELETE", ["upload", session, file_id]:
                self._open(session)
                if self.files.pop(file_id, None) is None:
                    raise RefusedError(404, "not_found_http_exception", "No such file")
                return {"result": "ok"}
        raise RefusedError(404, "not_found_http_exception", f'No route found for "{request.method} {request.path}"')

    def _open(self, session_id: str | None = None) -> dict[str, Any]:
        if self.session is None or session_id not in (None, self.session["id"]):
            raise RefusedError(404, "not_found_http_exception", "No upload session found")
        return self.session

    def _store(self, request: Recorded) -> Any:
        data, errors = [], []
        if not request.parts:
            raise RefusedError(400, "validation_exception", "No file")
        for part in request.parts:
            if part.filename in self.refused_names:
                errors.append(error_body(400, "validation_exception", f"{part.filename}: unsupported")["errors"][0])
                continue
            stored = entity(
                "upload_session_file",
                {
                    "originalFileName": part.filename,
                    "fileHash": hashlib.sha256(part.content).hexdigest(),
                    "fileSize": len(part.content),
                    "mimeType": part.content_type,
                    "source": "local",
                    "version": 1,
                },
            )
            self.files[stored["id"]] = stored
            data.append(stored)
        return {"result": "ok", "errors": errors, "data": data}

    def _commit(self, body: Any) -> Any:
        order = body.get("pageOrder", [])
        if not order or any(item not in self.files for item in order):
            raise RefusedError(400, "validation_exception", "Error validating /pageOrder")
        attributes = {**body["chapterDraft"], "pages": 0, "version": 1, "isUnavailable": False}
        chapter = entity("chapter", attributes)
        self.chapters.append(chapter)
        self.session = None
        self.committed_files.append(self.files)
        return envelope(chapter)


def parse_parts(content_type: str, body: bytes) -> list[Part]:
    boundary = b"--" + content_type.partition("boundary=")[2].encode()
    *parts, last = body.split(boundary)
    assert last == b"--\r\n", "a cut-off multipart body"
    found = []
    for part in parts[1:]:
        head, _, content = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        names = dict(re.findall(r'(\w+)="([^"]*)"', headers["Content-Disposition"]))
        found.append(Part(names["name"], names["filename"], headers["Content-Type"], content.removesuffix(b"\r\n")))
    return found


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: Service

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = b""
        while len(body) < length and (chunk := self.rfile.read(min(1 << 20, length - len(body)))):
            body += chunk
        if len(body) < length:
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Recorded(self.command, parts.path, parse_qsl(parts.query), headers, body)
        if headers.get("content-type", "").startswith("multipart/"):
            request.parts = parse_parts(headers["content-type"], body)
        with self.service.lock:
            self.service.requests.append(request)
        self._answer(request, self.service.next_fault(request))

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _answer(self, request: Recorded, fault: Fault) -> None:
        if isinstance(fault, Stall):
            fault.until.wait(30)
            fault = None
        if (gate := self.service.token_gate) and request.path.endswith("/token"):
            gate.wait(30)
        if fault is None:
            self._write(*self.service.handle(request), {})
            return
        status, body = self.service.handle(request) if fault.act_first else (200, {"result": "ok"})
        if isinstance(fault, Answer):
            self._write(fault.status, fault.body, fault.headers)
            return
        if fault.answer_bytes:
            self._write(status, body, {}, stop_at=fault.answer_bytes)
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    def _write(self, status: int, body: Any, headers: dict[str, str], stop_at: int | None = None) -> None:
        content = body.encode() if isinstance(body, str) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "X-Request-ID": "11111111-2222-4333-8444-555555555555", **headers}
        for name, value in {**sent, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content[:stop_at])

    def log_message(self, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that goes away in the middle is what some tests are about


@contextmanager
def running(service: Service, context: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Serve on a free port of the loopback address until the block ends."""
    handler = type("BoundHandler", (Handler,), {"service": service})
    server = _Server(("127.0.0.1", 0), handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    service.address = f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wait_until(condition: Callable[[], bool]) -> None:
    """Give other threads time until the condition holds; fails after ten seconds."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "the awaited state did not come"
        time.sleep(0.002)
