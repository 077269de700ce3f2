"""The real program against the real service over a link that can fail, and what was published in the end."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from link import Link
from pages import draw_chapter
from program import PROGRAM, Running, sandbox

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"
MANGADEX = shutil.which("mangadex", path=str(Path(sys.executable).parent)) or "mangadex"
CREDENTIALS = {
    "MANGADEX_USERNAME": "sandbox",
    "MANGADEX_PASSWORD": "sandbox-password",
    "MANGADEX_CLIENT_ID": "personal-client-sandbox",
    "MANGADEX_CLIENT_SECRET": "sandbox-secret",
}
PROCESSED_WITHIN_S = 60.0

_numbers = count(1)


@dataclass
class Ran:
    """A program that ended."""

    status: int
    events: list[dict[str, Any]]
    errors: str

    @property
    def result(self) -> dict[str, Any]:
        """The last line of its output."""
        return self.events[-1]


@dataclass
class Chapter:
    """A chapter on disk, with a number of its own."""

    folder: Path
    pages: list[bytes]
    number: str = field(default_factory=lambda: str(next(_numbers)))


class Rig:
    """A service, a link to it, and a user with a home of their own."""

    def __init__(self, service: Running, folder: Path) -> None:
        self.service = service
        self.folder = folder
        self._http = httpx2.Client(base_url=service.url, trust_env=False, timeout=60)
        grant = {"grant_type": "password", "username": "sandbox", "password": "sandbox-password"}
        grant |= {"client_id": "personal-client-sandbox", "client_secret": "sandbox-secret"}
        token = self._http.post("/realms/mangadex/protocol/openid-connect/token", data=grant).json()["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    @cached_property
    def _other(self) -> dict[str, str]:
        """The headers of another account."""
        where = ["--data-dir", str(self.folder / "data")]
        add = [PROGRAM, "user", "add", "other", *where]
        subprocess.run(add, input="correct horse battery staple\n", text=True, check=True)
        asked = subprocess.run([PROGRAM, "token", "other", *where], capture_output=True, text=True, check=True)
        return {"Authorization": f"Bearer {asked.stdout.strip()}"}

    @property
    def port(self) -> int:
        """The service's own."""
        return urlsplit(self.service.url).port or 0

    def chapter(self, page_count: int = 30, size_bytes: int | None = None, **drawing: Any) -> Chapter:
        """Draw one."""
        number = next(_numbers)
        folder = self.folder / f"chapter {number}"
        folder.mkdir()
        pages = draw_chapter(page_count, size_bytes=size_bytes, **({"width": 160, "height": 220} | drawing))
        for name, data in pages.items():
            (folder / name).write_bytes(data)
        return Chapter(folder, list(pages.values()), str(number))

    def start(self, chapter: Chapter, url: str, *options: str, **environment: str) -> subprocess.Popen[str]:
        """Start the program on it."""
        return subprocess.Popen(
            self.command(chapter, *options),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(url) | environment,
        )

    def command(self, chapter: Chapter, *options: str) -> list[str]:
        """What a user would type."""
        told = ["--manga", MANGA, "--group", GROUP, "--chapter", chapter.number, "--language", "en"]
        return [MANGADEX, "upload", str(chapter.folder), *told, "--accept-terms", "--json", "--no-pacing", *options]

    def environment(self, url: str) -> dict[str, str]:
        """A user's environment, with the service at this address."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(("MANGADEX_", "XDG_"))}
        home = {"HOME": str(self.folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        return others | home | CREDENTIALS | {"MANGADEX_API_URL": url, "MANGADEX_AUTH_URL": self._auth_url}

    @property
    def _auth_url(self) -> str:
        return f"{self.service.url}/realms/mangadex/protocol/openid-connect"

    def upload(self, chapter: Chapter, url: str, *options: str, **environment: str) -> Ran:
        """Run the program to its end."""
        return ended(self.start(chapter, url, *options, **environment))

    def until_done(self, chapter: Chapter, url: str, *options: str, runs: int = 5) -> Ran:
        """Run the same command until it says that all is done."""
        for _ in range(runs):
            ran = self.upload(chapter, url, *options)
            if ran.status == 0:
                return ran
        raise AssertionError(f"not done after {runs} runs: {ran.status} {ran.errors}")

    def published(self, chapter: Chapter) -> list[str]:
        """The ids of the chapters with its number."""
        asked: dict[str, str | int] = {
            "manga": MANGA,
            "chapter[]": chapter.number,
            "limit": 100,
            "includeUnavailable": 1,
        }
        return [item["id"] for item in self._http.get("/chapter", params=asked).json()["data"]]

    def pages_of(self, chapter_id: str) -> list[bytes]:
        """A chapter as readers get it, once it is processed."""
        until = time.monotonic() + PROCESSED_WITHIN_S
        while (answer := self._http.get(f"/at-home/server/{chapter_id}")).status_code == 404:
            assert time.monotonic() < until, f"{chapter_id} does not become readable"
        told = answer.json()
        base = f"{told['baseUrl']}/data/{told['chapter']['hash']}"
        return [self._http.get(f"{base}/{name}").content for name in told["chapter"]["data"]]

    def session(self) -> dict[str, Any] | None:
        """The session that is open."""
        answer = self._http.get("/upload", params={"includes[]": "upload_session_file"})
        return None if answer.status_code == 404 else answer.json()["data"]

    def abandon(self) -> None:
        """Leave no session open."""
        if session := self.session():
            self._http.delete(f"/upload/{session['id']}").raise_for_status()

    def begin(self, *groups: str) -> str:
        """Open a session as another program would."""
        body = {"manga": MANGA, "groups": groups}
        return str(self._http.post("/upload/begin", json=body).raise_for_status().json()["data"]["id"])

    @staticmethod
    def wire_name(chapter: Chapter, position: int) -> str:
        """A page's name in a session of this program."""
        return f"{position:04d}-{hashlib.sha256(chapter.pages[position - 1]).hexdigest()[:16]}.png"

    def begin_edit(self, chapter_id: str) -> str:
        """Open a session that changes a published chapter, as another program would."""
        version = self._http.get(f"/chapter/{chapter_id}").json()["data"]["attributes"]["version"]
        begun = self._http.post(f"/upload/begin/{chapter_id}", json={"version": version})
        return str(begun.raise_for_status().json()["data"]["id"])

    def commit_open(self, chapter: Chapter) -> None:
        """Commit the open session as it is, as a request does that was long on its way."""
        session = self.session()
        assert session is not None
        files = [item for item in session["relationships"] if item["type"] == "upload_session_file"]
        ordered = sorted(files, key=lambda file: str(file["attributes"]["originalFileName"]))
        draft = {"volume": None, "chapter": chapter.number, "title": None, "translatedLanguage": "en"}
        body = {"chapterDraft": draft, "pageOrder": [file["id"] for file in ordered]}
        self._http.post(f"/upload/{session['id']}/commit", json=body).raise_for_status()

    def put(self, session_id: str, name: str, data: bytes) -> None:
        """Add a page as another program would."""
        self._http.post(f"/upload/{session_id}", files={"0": (name, data)}).raise_for_status()

    def publish_by_another(self, chapter: Chapter) -> None:
        """The chapter as another program publishes it, in a session of another account of the same group."""
        begun = self._http.post("/upload/begin", json={"manga": MANGA, "groups": [GROUP]}, headers=self._other)
        session_id = begun.raise_for_status().json()["data"]["id"]
        stored = self._http.post(f"/upload/{session_id}", files={"0": ("0", chapter.pages[0])}, headers=self._other)
        draft = {"volume": None, "chapter": chapter.number, "title": None, "translatedLanguage": "en"}
        body = {"chapterDraft": draft, "pageOrder": [stored.raise_for_status().json()["data"][0]["id"]]}
        self._http.post(f"/upload/{session_id}/commit", json=body, headers=self._other).raise_for_status()

    def fault(self, **plan: Any) -> None:
        """Ask the service itself for a fault."""
        self._http.post("/sandbox/faults", json=plan).raise_for_status()

    def no_faults(self) -> None:
        """Forget them."""
        self._http.delete("/sandbox/faults").raise_for_status()

    def assert_published_once(self, chapter: Chapter) -> str:
        """Exactly this chapter's pages, in order, in one chapter."""
        ids = self.published(chapter)
        assert len(ids) == 1, f"chapter {chapter.number} is there {len(ids)} times"
        assert self.pages_of(ids[0]) == chapter.pages
        return ids[0]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


def ended(process: subprocess.Popen[str]) -> Ran:
    """Wait for its end."""
    output, errors = process.communicate(timeout=300)
    return Ran(process.returncode, [json.loads(line) for line in output.splitlines()], errors)


@contextmanager
def rig(folder: Path, **environment: str) -> Iterator[Rig]:
    """A service of its own until the block ends."""
    with sandbox(folder / "data", **environment) as service:
        made = Rig(service, folder)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def link(to: Rig, **settings: Any) -> Iterator[Link]:
    """A link to the rig's service; no session and no fault is left behind."""
    with Link(to.port, **settings) as made:
        yield made
    to.no_faults()
    to.abandon()
