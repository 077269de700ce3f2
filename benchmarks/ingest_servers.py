"""The servers that `ingest.py` compares, each as the program that it is, storing into a folder of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Protocol, Self

import httpx2
from ingest_pages import BOUNDARY, Form, Span
from ingest_sender import Request

HERE = Path(__file__).parent
READY = "mangadex-server is ready at "
MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
SIGN_IN = {
    "grant_type": "password",
    "username": "sandbox",
    "password": "sandbox-password",
    "client_id": "personal-client-sandbox",
    "client_secret": "sandbox-secret",
}
ROOMY = {"MANGADEX_SERVER_MAX_SESSION_FILES": "100000", "MANGADEX_SERVER_MAX_SESSION_BYTES": "100000000000"}
TUS_PACKAGES = ("@tus/server@2.4.5", "@tus/file-store@2.1.1")
TUS_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mangadex-openapi" / "tus"
START_WITHIN_S = 20
NGINX = """
daemon off;
worker_processes auto;
error_log stderr error;
pid {folder}/nginx.pid;
{user}
events {{}}
http {{
    access_log off;
    client_max_body_size 0;
    client_body_temp_path {folder}/arriving;
    proxy_temp_path {folder}/unused;
    fastcgi_temp_path {folder}/unused;
    uwsgi_temp_path {folder}/unused;
    scgi_temp_path {folder}/unused;
    server {{
        listen 127.0.0.1:{port};
        location / {{ root {folder}/stored; dav_methods PUT; }}
    }}
}}
"""


class Target(Protocol):
    """A running server."""

    port: int

    def begin(self, forms: list[Form]) -> list[Request]:
        """The requests that store these."""

    def end(self, pages: int) -> None:
        """See that so many pages arrived, and move them away."""


class Ours:
    """`mangadex-server`, by one session for each round."""

    def __init__(self, url: str, data_dir: Path, program_pid: int) -> None:
        self.port = int(url.rpartition(":")[2])
        self.program_pid = program_pid
        self._data_dir = data_dir
        self._http = httpx2.Client(base_url=url, trust_env=False, timeout=60)
        answer = self._http.post("/realms/mangadex/protocol/openid-connect/token", data=SIGN_IN)
        self._token = answer.raise_for_status().json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {self._token}"
        self._session = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def begin(self, forms: list[Form]) -> list[Request]:
        """As `Target`."""
        begun = self._http.post("/upload/begin", json={"manga": MANGA, "groups": []}).raise_for_status()
        self._session = begun.json()["id"]
        kind = f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nAuthorization: Bearer {self._token}\r\n"
        return [request(f"POST /upload/{self._session}", form.body, kind) for form in forms]

    def end(self, pages: int) -> None:
        """As `Target`."""
        found = self._http.get("/upload", params={"includes[]": "upload_session_file"}).raise_for_status().json()
        recorded = sum(item["type"] == "upload_session_file" for item in found["data"]["relationships"])
        blobs = [path for path in self._data_dir.glob("blobs/??/*") if path.is_file()]
        if (recorded, len(blobs)) != (pages, pages):
            raise SystemExit(f"{recorded} pages are recorded and {len(blobs)} stored, not {pages}")
        self._http.delete(f"/upload/{self._session}").raise_for_status()
        move_away(blobs, self._data_dir)


class Folder:
    """A rival: each body becomes a file, or each page of it."""

    def __init__(self, port: int, method: str, kind: str, stored: Path, *, by_page: bool) -> None:
        self.port = port
        self._method = method
        self._kind = kind
        self._stored = stored
        self._by_page = by_page
        self._sent: list[Span] = []

    def begin(self, forms: list[Form]) -> list[Request]:
        """As `Target`."""
        self._sent = [span for form in forms for span in (form.pages if self._by_page else [form.body])]
        return [
            request(self._method.format(number=number), span, self._kind.format(size=span.size))
            for number, span in enumerate(self._sent)
        ]

    def end(self, pages: int) -> None:  # noqa: ARG002 - it knows better
        """As `Target`."""
        files = list(self._stored.iterdir())
        found = sorted(path.stat().st_size for path in files if path.suffix != ".json")
        if found != sorted(span.size for span in self._sent):
            raise SystemExit(f"{self._stored} has {len(found)} files, not the {len(self._sent)} that were sent")
        move_away(files, self._stored.parent)


def move_away(files: list[Path], folder: Path) -> None:
    """Out of the way, but not deleted: ext4 looks long for a new inode where others were just deleted."""
    away = Path(tempfile.mkdtemp(dir=folder, prefix="away-"))
    for file in files:
        file.rename(away / file.name)


def request(method_and_path: str, body: Span, headers: str) -> Request:
    head = f"{method_and_path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {body.size}\r\n{headers}\r\n"
    return {"head": head, "path": str(body.path), "start": body.start, "size": body.size}


@contextmanager
def ours(folder: Path, durability: str) -> Iterator[Ours]:
    data_dir = folder / f"ours-{durability}"
    program = Path(sys.executable).with_name("mangadex-server")
    command = [str(program), "run", "--sandbox", "--port", "0", "--data-dir", str(data_dir)]
    environment = os.environ | ROOMY | {"MANGADEX_SERVER_DURABILITY": durability}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            with Ours(line.removeprefix(READY).strip(), data_dir, process.pid) as target:
                yield target
        finally:
            process.terminate()
            process.communicate()


@contextmanager
def nginx(folder: Path) -> Iterator[Folder]:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise SystemExit("There is no nginx to compare with. Install Debian's nginx-full and repeat.")
    home, port = folder / "nginx", free_port()
    for name in ("stored", "arriving"):
        (home / name).mkdir(parents=True)
    user = "user root;" if os.geteuid() == 0 else ""
    (home / "nginx.conf").write_text(NGINX.format(folder=home, port=port, user=user))
    with started([program, "-p", str(home), "-c", str(home / "nginx.conf")], port):
        yield Folder(port, "PUT /{number}", "", home / "stored", by_page=False)


@contextmanager
def tus(folder: Path, *, by_page: bool) -> Iterator[Folder]:
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise SystemExit("There is no Node.js for the tus server. Install node (20 or later) and npm, and repeat.")
    if not (TUS_CACHE / "node_modules" / "@tus" / "file-store").exists():
        TUS_CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--silent", "--prefix", str(TUS_CACHE), *TUS_PACKAGES], check=True)
    shutil.copy(HERE / "ingest_tus.mjs", TUS_CACHE)  # where it finds them
    stored, port = Path(tempfile.mkdtemp(dir=folder, prefix="tus-")) / "stored", free_port()
    stored.mkdir()
    kind = "Tus-Resumable: 1.0.0\r\nUpload-Length: {size}\r\nContent-Type: application/offset+octet-stream\r\n"
    with started([node, str(TUS_CACHE / "ingest_tus.mjs"), str(stored), str(port)], port):
        yield Folder(port, "POST /files", kind, stored, by_page=by_page)


@contextmanager
def started(command: list[str], port: int) -> Iterator[None]:
    """A program that listens on this port while the block runs."""
    with subprocess.Popen(command) as process:
        try:
            until = monotonic() + START_WITHIN_S
            while not accepts(port):
                if process.poll() is not None or monotonic() > until:
                    raise SystemExit(f"{command[0]} did not start; its messages are above.")
                sleep(0.02)
            yield
        finally:
            process.terminate()


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
