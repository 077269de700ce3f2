"""The clients of `scale.py`, a process of their own: `scale_client.py JOB` prints what they took, as JSON.

JOB is a file of JSON: the `ports` of the nodes, which take turns; a `token` for each client; the `manga`; how often
each client does its part; `pages` a request, of so many `page_bytes`. Where `is_whole`, its part is a chapter: begin,
files, get, commit. Else it is a request with files, in a session that was begun before the clock started.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from time import perf_counter
from typing import Any, TypedDict, cast

from ingest_pages import BOUNDARY, page

DRAFT = {"volume": None, "chapter": "1", "title": None, "translatedLanguage": "en"}
WITH_FILES = "/upload?includes[]=upload_session_file"


class Job(TypedDict):
    """What to do, and where."""

    ports: list[int]
    tokens: list[str]
    manga: str
    times: int
    pages: int
    page_bytes: int
    is_whole: bool


class Figures(TypedDict):
    """What it took; the milliseconds of each request by its name."""

    seconds: float
    latencies_ms: dict[str, list[float]]


class Client:
    """A user on a connection of its own. Its bodies are ready before the clock starts."""

    def __init__(self, job: Job, number: int) -> None:
        self._http = HTTPConnection("127.0.0.1", job["ports"][number % len(job["ports"])], timeout=60)
        self._authorization = {"Authorization": f"Bearer {job['tokens'][number]}"}
        self._manga = job["manga"]
        self._bodies = [form(job["pages"], job["page_bytes"]) for _ in range(job["times"])]
        self._session = ""
        self.latencies_ms: dict[str, list[float]] = {"begin": [], "files": [], "get": [], "commit": []}

    def publish(self) -> None:
        """A chapter for each body."""
        for body in self._bodies:
            self.begin()
            added = self._files(body)
            self._send("get", "GET", WITH_FILES)
            order = [file["id"] for file in added["data"]]
            self._send_json("commit", f"/upload/{self._session}/commit", {"chapterDraft": DRAFT, "pageOrder": order})

    def begin(self) -> None:
        """Open a session."""
        begun = self._send_json("begin", "/upload/begin", {"manga": self._manga, "groups": []})
        self._session = begun["data"]["id"]

    def fill(self) -> None:
        """All bodies into the session that is open."""
        for body in self._bodies:
            self._files(body)

    def abandon(self) -> None:
        """Give the session up."""
        self._send("abandon", "DELETE", f"/upload/{self._session}")

    def _files(self, body: bytes) -> Any:
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        added = self._send("files", "POST", f"/upload/{self._session}", body, kind)
        if added["errors"]:
            raise SystemExit(f"pages were refused: {added['errors']}")
        return added

    def _send_json(self, name: str, path: str, body: object) -> Any:
        return self._send(name, "POST", path, json.dumps(body).encode(), "application/json")

    def _send(self, name: str, method: str, path: str, body: bytes = b"", kind: str = "") -> Any:
        headers = self._authorization | ({"Content-Type": kind} if kind else {})
        start = perf_counter()
        self._http.request(method, path, body, headers)
        answer = self._http.getresponse()
        text = answer.read()
        self.latencies_ms.setdefault(name, []).append((perf_counter() - start) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{method} {path} was refused with {answer.status}: {text[:2000]!r}")
        return json.loads(text)


def form(pages: int, page_bytes: int) -> bytes:
    """A multipart body with new pages."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file{number}"; filename="{number}.png"\r\n'
        "Content-Type: image/png\r\n\r\n".encode()
        + page(page_bytes)
        + b"\r\n"
        for number in range(1, 1 + pages)
    ]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def run(job: Job) -> Figures:
    """All clients at once."""
    clients = [Client(job, number) for number in range(len(job["tokens"]))]
    with ThreadPoolExecutor(len(clients)) as pool:
        if not job["is_whole"]:
            list(pool.map(Client.begin, clients))
        start = perf_counter()
        list(pool.map(Client.publish if job["is_whole"] else Client.fill, clients))
        seconds = perf_counter() - start
        if not job["is_whole"]:
            list(pool.map(Client.abandon, clients))
    names = clients[0].latencies_ms
    merged = {name: [value for client in clients for value in client.latencies_ms[name]] for name in names}
    return {"seconds": seconds, "latencies_ms": merged}


if __name__ == "__main__":
    print(json.dumps(run(cast("Job", json.loads(Path(sys.argv[1]).read_text())))))
