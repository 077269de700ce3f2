"""Uploading to the running program: its users, pages, forms, and what holds for each of its answers."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
from installations import blobs_of, settings_of
from program import Running, sandbox

from mangadex_server.migrate import migrate
from mangadex_server.parts import Parts
from mangadex_server.sandbox import GROUP_ID, MANGA_ID

MANGA = MANGA_ID
GROUP = GROUP_ID
UNKNOWN = "00000000-0000-4000-8000-000000000000"
PASSWORD = "long enough for anybody"
DRAFT = {"volume": None, "chapter": "1", "title": None, "translatedLanguage": "en"}
FILE_HEAD = b'Content-Disposition: form-data; name="a"; filename="a"\r\n\r\n'


@cache
def png(number: int = 0, padding_bytes: int = 0) -> bytes:
    """A real image that only this number has."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    pixels = zlib.compress((b"\0" + struct.pack(">Q", number)) * 8)
    text = chunk(b"tEXt", b"padding\0" + b"x" * padding_bytes)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + text + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def form(*parts: tuple[str, bytes], boundary: str = "b") -> bytes:
    """A multipart body: the Content-Disposition's parameters and the bytes of each part."""
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n".encode() + data + b"\r\n"
        for disposition, data in parts
    ]
    return b"".join(lines) + f"--{boundary}--\r\n".encode()


def check_answer(answer: httpx2.Response) -> None:
    """What holds for every answer (contract 13.2, 13.3)."""
    answer.read()
    assert answer.headers.get_list("content-type") == ["application/json"], answer.text
    assert UUID(answer.headers["x-request-id"]).version == 4
    assert answer.status_code in (200, *range(400, 430), 507), answer.text
    body = answer.json()
    if answer.status_code != 200:
        assert set(body) == {"result", "errors"}
        assert body["result"] == "error"
        assert body["errors"]
        for entry in body["errors"]:
            check_entry(entry)
            assert entry["status"] == answer.status_code


def check_entry(entry: dict[str, Any]) -> None:
    """Of `errors`."""
    assert set(entry) == {"id", "status", "title", "detail", "context"}
    assert UUID(entry["id"]).version == 5
    assert isinstance(entry["title"], str)
    assert entry["detail"]


class Caller:
    """A signed-in user."""

    def __init__(self, url: str, token: str) -> None:
        self.token = token
        self.http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            event_hooks={"response": [check_answer]},
            trust_env=False,
            timeout=30,
        )

    def json(self, method: str, path: str, body: Any = None) -> httpx2.Response:
        return self.http.request(method, path, content=json.dumps(body), headers={"Content-Type": "application/json"})

    def begin(self, **given: Any) -> httpx2.Response:
        return self.json("POST", "/upload/begin", {"manga": MANGA, "groups": [], **given})

    def session(self) -> str:
        """The id of a new, empty session."""
        self.close_session()
        return str(self.begin().raise_for_status().json()["id"])

    def close_session(self) -> None:
        answer = self.http.get("/upload")
        if answer.status_code == 200:
            self.http.delete(f"/upload/{answer.json()['data']['id']}").raise_for_status()

    def put(self, session: str, *pages: tuple[str, bytes]) -> httpx2.Response:
        files = [(f"file{number}", page) for number, page in enumerate(pages)]
        return self.http.post(f"/upload/{session}", files=files)

    def post_form(self, session: str, body: bytes, content_type: str = "multipart/form-data; boundary=b") -> Any:
        return self.http.post(f"/upload/{session}", content=body, headers={"Content-Type": content_type})

    def commit(self, session: str, order: Sequence[str], **draft: Any) -> httpx2.Response:
        body = {"chapterDraft": DRAFT | draft, "pageOrder": list(order)}
        return self.json("POST", f"/upload/{session}/commit", body)

    def files(self) -> list[dict[str, Any]]:
        """Of the open session, in the order of arrival."""
        answer = self.http.get("/upload", params={"includes[]": "upload_session_file"}).raise_for_status()
        related = answer.json()["data"]["relationships"]
        return [item for item in related if item["type"] == "upload_session_file"]

    def chapter(self, *pages: bytes) -> dict[str, Any]:
        """A committed chapter."""
        session = self.session()
        added = self.put(session, *((str(n), page) for n, page in enumerate(pages))).raise_for_status()
        answer = self.commit(session, [file["id"] for file in added.json()["data"]])
        found: dict[str, Any] = answer.raise_for_status().json()["data"]
        return found


class Service:
    """The running program with two users, `alice` and `mallory`."""

    def __init__(self, running: Running, data_dir: Path, tokens: dict[str, str]) -> None:
        self.running = running
        self.url = running.url
        self.program = running.process.pid
        self.data_dir = data_dir
        self.alice = Caller(running.url, tokens["alice"])
        self.mallory = Caller(running.url, tokens["mallory"])

    def stored(self, *pages: bytes) -> list[bool]:
        """Whether each is in the store of pages, byte for byte."""
        blobs = blobs_of(self.data_dir)

        async def is_stored(page: bytes) -> bool:
            digest = hashlib.sha256(page).hexdigest()
            return await blobs.is_there(digest) and await blobs.read(digest) == page

        async def all_of_them() -> list[bool]:
            return [await is_stored(page) for page in pages]

        return asyncio.run(all_of_them())

    def incoming(self) -> list[str]:
        """Of blobs that are half-written."""
        return [path.name for path in (self.data_dir / "blobs" / "incoming").iterdir()]

    def send(self, head: str, body: bytes) -> socket.socket:
        """Alice's request as it is written here, on a connection of its own."""
        address = urlsplit(self.url)
        connection = socket.create_connection((str(address.hostname), address.port or 80), timeout=20)
        connection.sendall(f"{head}\r\nHost: here\r\nAuthorization: Bearer {self.alice.token}\r\n\r\n".encode() + body)
        return connection

    def close(self) -> None:
        self.alice.http.close()
        self.mallory.http.close()


@contextmanager
def service(data_dir: Path, *arguments: str, **settings: object) -> Iterator[Service]:
    """Run the program with these settings until the block ends."""
    tokens = asyncio.run(_tokens(data_dir))
    environment = {f"MANGADEX_SERVER_{name.upper()}": str(value) for name, value in settings.items()}
    with sandbox(data_dir, *arguments, **{"MANGADEX_SERVER_DURABILITY": "normal"} | environment) as running:
        served = Service(running, data_dir, tokens)
        try:
            yield served
        finally:
            served.close()


async def _tokens(data_dir: Path) -> dict[str, str]:
    settings = settings_of(data_dir)
    await asyncio.to_thread(data_dir.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(migrate, settings.database)
    parts = Parts(settings)
    try:
        tokens = {}
        for name in ("alice", "mallory"):
            await parts.accounts.add_user(name, PASSWORD)
            tokens[name] = await parts.accounts.access_token_for(name)
        return tokens
    finally:
        await parts.database.close()
