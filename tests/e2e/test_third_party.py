"""Programs that people use today, as they are installed: from log-in to commit, then every page as a reader gets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pyvips
from balancer import balancing
from installations import are_big, environment
from program import sandbox

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"
SIGN_IN = {
    "grant_type": "password",
    "username": "sandbox",
    "password": "sandbox-password",
    "client_id": "personal-client-sandbox",
    "client_secret": "sandbox-secret",
}
TOKENS = "/realms/mangadex/protocol/openid-connect"
KINDS = [".png", ".jpg", ".gif"]
LONGEST_S = 120.0


@contextmanager
def served_from(folder: Path, **settings: str) -> Iterator[str]:
    """The address of a sandbox; with `--engines=big`, of two nodes behind a balancer."""
    with sandbox(folder / "data", **settings) as server:
        if not are_big():
            yield server.url
            return
        shared = environment(folder / "data") | settings
        with sandbox(folder / "other node", **shared) as other, balancing([server.url, other.url]) as url:
            yield url


def chapter_in(folder: Path, count: int) -> list[bytes]:
    """Pages 1 to `count` in a folder: 2.jpg comes before 10.png."""
    folder.mkdir()
    pages = []
    for number in range(1, count + 1):
        kind = KINDS[number % len(KINDS)]
        noise = pyvips.Image.gaussnoise(400, 600, mean=200, sigma=20, seed=number)
        drawn = (pyvips.Image.text(f"page {number}", dpi=300).embed(20, 20, 400, 600) + noise).cast("uchar")
        pages.append(bytes(drawn.write_to_buffer(kind)))
        (folder / f"{number}{kind}").write_bytes(pages[-1])
    assert len(set(pages)) == count
    return pages


def run(*command: str, home: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """A Python program on its own, in a home of its own, that asks no proxy for this machine."""
    environment = os.environ | {"HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return subprocess.run(
        [sys.executable, *command],
        cwd=home,
        env=environment,
        input=typed,
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=False,
    )


def muplr(url: str, home: Path, **options: int) -> subprocess.CompletedProcess[str]:
    """Its command line, on the folder `uploads`, without the look for updates (-u), with its question answered."""
    config = {
        "options": {
            "number_of_images_upload": 10,
            "upload_retry": 3,
            "ratelimit_time": 1,
            "max_log_days": 1,
            "group_fallback_id": None,
            "number_threads": 3,
            "language": "en",
        }
        | options,
        "credentials": {
            "mangadex_username": SIGN_IN["username"],
            "mangadex_password": SIGN_IN["password"],
            "client_id": SIGN_IN["client_id"],
            "client_secret": SIGN_IN["client_secret"],
        },
        "paths": {
            "name_id_map_file": "name_id_map.json",
            "uploads_folder": "uploads",
            "uploaded_files": "uploaded",
            "mangadex_api_url": url,
            "mangadex_auth_url": url + TOKENS,
            "mdauth_path": ".mdauth",
        },
    }
    (home / "config.json").write_text(json.dumps(config))
    return run("-c", "from mupl.cli import main; main()", "-u", home=home, typed="y\n")


def published_by(done: subprocess.CompletedProcess[str]) -> str:
    """The chapter that muplr says it published."""
    said = re.findall(r"Successfully uploaded: (\S+),", done.stdout)
    assert (done.returncode, len(said)) == (0, 1), done.stdout + done.stderr
    return str(said[0])


def hondana(url: str, home: Path, folder: Path, step: str) -> dict[str, object]:
    """What run_hondana.py answers."""
    done = run(str(Path(__file__).with_name("run_hondana.py")), url, str(folder), step, home=home)
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def as_served(url: str, chapter_id: str) -> list[bytes]:
    """The pages of a chapter in the order of the reader, as soon as there are any."""
    deadline = time.monotonic() + LONGEST_S
    with httpx2.Client(trust_env=False) as http:
        while (answer := http.get(f"{url}/at-home/server/{chapter_id}")).status_code in {404, 429}:
            assert time.monotonic() < deadline, "the chapter did not become readable"
            time.sleep(0.05)
        where = answer.raise_for_status().json()
        folder = f"{where['baseUrl']}/data/{where['chapter']['hash']}"
        return [http.get(f"{folder}/{name}").raise_for_status().content for name in where["chapter"]["data"]]


@contextmanager
def signed_in(url: str) -> Iterator[httpx2.Client]:
    """The sandbox's user at another computer."""
    with httpx2.Client(base_url=url, trust_env=False) as http:
        token = http.post(f"{TOKENS}/token", data=SIGN_IN).raise_for_status().json()["access_token"]
        http.headers["Authorization"] = f"Bearer {token}"
        yield http


def begin(http: httpx2.Client) -> str:
    begun = http.post("/upload/begin", json={"manga": MANGA, "groups": [GROUP]}).raise_for_status()
    return str(begun.json()["data"]["id"])


def chapters_of(url: str) -> list[str]:
    found = httpx2.get(f"{url}/chapter", params={"manga": MANGA}, trust_env=False).raise_for_status().json()
    return [chapter["id"] for chapter in found["data"]]


def folder_for_muplr(home: Path) -> Path:
    (home / "uploads").mkdir()
    return home / "uploads" / f"{MANGA} [en] - c007 (v02) (By muplr) [{GROUP}]"


def test_muplr_publishes_an_archive(tmp_path: Path) -> None:
    folder = folder_for_muplr(tmp_path)
    pages = chapter_in(folder, 40)
    with zipfile.ZipFile(f"{folder}.cbz", "w") as archive:
        for page in sorted(folder.iterdir()):
            archive.write(page, page.name)
    shutil.rmtree(folder)

    with served_from(tmp_path) as url:
        chapter_id = published_by(muplr(url, tmp_path))

        assert as_served(url, chapter_id) == pages
        assert chapters_of(url) == [chapter_id]


def test_muplr_deletes_the_session_that_is_open_and_publishes(tmp_path: Path) -> None:
    pages = chapter_in(folder_for_muplr(tmp_path), 3)

    with served_from(tmp_path) as url, signed_in(url) as elsewhere:
        forgotten = begin(elsewhere)
        files = [("file", ("1.png", pages[2]))]
        elsewhere.post(f"/upload/{forgotten}", files=files).raise_for_status()
        chapter_id = published_by(muplr(url, tmp_path))

        assert as_served(url, chapter_id) == pages
        assert chapters_of(url) == [chapter_id]
        assert elsewhere.get("/upload").status_code == 404
        assert elsewhere.delete(f"/upload/{forgotten}").status_code == 404


def test_muplr_renews_a_token_that_expires_during_the_upload(tmp_path: Path) -> None:
    pages = chapter_in(folder_for_muplr(tmp_path), 20)

    with served_from(tmp_path, MANGADEX_SERVER_ACCESS_TOKEN_S="3") as url:
        # It rests a second after every five requests.
        done = muplr(url, tmp_path, number_of_images_upload=1)

        assert "401: Not logged in." in done.stdout
        chapter_id = published_by(done)
        assert as_served(url, chapter_id) == pages


def test_hondana_publishes_a_chapter_within_the_limits_and_reads_the_answer(tmp_path: Path) -> None:
    pages = chapter_in(tmp_path / "pages", 40)

    with served_from(tmp_path, MANGADEX_SERVER_RATE_LIMITS="true") as url:
        answer = hondana(url, tmp_path, tmp_path / "pages", "upload")

        chapter_id = str(answer.pop("id"))
        assert answer == {
            "title": "By Hondana",
            "chapter": "1",
            "version": 1,
            "manga": MANGA,
            "uploader": "sandbox",
        }
        assert as_served(url, chapter_id) == pages
        assert chapters_of(url) == [chapter_id]


def test_hondana_abandons_takes_pages_back_and_edits(tmp_path: Path) -> None:
    pages = chapter_in(tmp_path / "pages", 12)

    with served_from(tmp_path) as url:
        answer = hondana(url, tmp_path, tmp_path / "pages", "second-thoughts")

        assert (answer["title"], answer["version"]) == ("Second", 2)
        assert as_served(url, str(answer["id"])) == pages[:2]
        assert chapters_of(url) == [answer["id"]]


def test_hondana_learns_which_session_is_open(tmp_path: Path) -> None:
    chapter_in(tmp_path / "pages", 1)

    with served_from(tmp_path) as url, signed_in(url) as elsewhere:
        forgotten = begin(elsewhere)

        assert hondana(url, tmp_path, tmp_path / "pages", "upload") == {"refused": forgotten}
        assert elsewhere.get("/upload").json()["data"]["id"] == forgotten
        assert chapters_of(url) == []
