"""The whole way on this machine: a service, two chapters drawn and uploaded, and each published page compared.

Run by `make demo`; `make demo KEEP=1` leaves the service running to look at.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pages import draw_chapter, write_archive, write_folder
from program import start

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"
MANGADEX = shutil.which("mangadex", path=str(Path(sys.executable).parent)) or "mangadex"
PAGES = 24
PAGE_BYTES = 1_000_000
READABLE_WITHIN_S = 60.0


@dataclass(frozen=True)
class Drawn:
    """A chapter on disk, and what has to be published."""

    path: Path
    number: str
    pages: list[bytes]


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="mangadex-demo-") as name:
        folder = Path(name)
        running = start("--sandbox", "--port", "0", "--data-dir", str(folder / "service"))
        try:
            show(running.url, folder)
            if os.environ.get("KEEP"):
                say(f"The service stays at {running.url} until you press Ctrl-C.")
                running.process.wait()
        except KeyboardInterrupt:
            say("Stopping.")
        finally:
            running.stop()


def show(url: str, folder: Path) -> None:
    say(f"A service of its own is at {url}.")
    chapters = draw(folder)
    environment = home(folder, url)
    run(["login"], environment | credentials(), folder)
    began = time.monotonic()
    published = [(chapter, upload(chapter, environment)) for chapter in chapters]
    took_s = time.monotonic() - began
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as reader:
        for chapter, chapter_id in published:
            compare(reader, chapter, chapter_id)
    total_bytes = sum(len(page) for chapter in chapters for page in chapter.pages)
    total = sum(len(chapter.pages) for chapter in chapters)
    for _, chapter_id in published:
        say(f"Read it: {url}/chapter/{chapter_id}/read")
    rate = total_bytes / 1e6 / took_s
    say(f"All {total} published pages are the drawn ones, byte by byte and in order: {rate:.1f} MB/s, checks included.")


def draw(folder: Path) -> list[Drawn]:
    first, second = (
        draw_chapter(PAGES, size_bytes=PAGE_BYTES),
        draw_chapter(PAGES, size_bytes=PAGE_BYTES, kinds=("jpeg",)),
    )
    as_folder = write_folder(folder / "The Storm 1", first)
    as_archive = write_archive(folder / "The Storm 2.cbz", second)
    say(f"Drew {PAGES} PNG pages into the folder {as_folder.name!r} and {PAGES} JPEG pages into {as_archive.name!r}.")
    return [Drawn(as_folder, "1", list(first.values())), Drawn(as_archive, "2", list(second.values()))]


def home(folder: Path, url: str) -> dict[str, str]:
    """A user's environment in which nothing of this machine's user is touched."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MANGADEX_", "XDG_"))}
    own = {"HOME": str(folder), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    return others | own | {"MANGADEX_API_URL": url}


def credentials() -> dict[str, str]:
    return {
        "MANGADEX_USERNAME": "sandbox",
        "MANGADEX_PASSWORD": "sandbox-password",
        "MANGADEX_CLIENT_ID": "personal-client-sandbox",
        "MANGADEX_CLIENT_SECRET": "sandbox-secret",
    }


def upload(chapter: Drawn, environment: dict[str, str]) -> str:
    """The id of the published chapter."""
    told = ["--manga", MANGA, "--group", GROUP, "--chapter", chapter.number, "--title", "The storm", "--accept-terms"]
    output = run(["upload", chapter.path.name, *told, "--json", "--no-pacing"], environment, chapter.path.parent)
    return str(json.loads(output.splitlines()[-1])["chapter_id"])


def compare(reader: httpx2.Client, chapter: Drawn, chapter_id: str) -> None:
    until = time.monotonic() + READABLE_WITHIN_S
    while (answer := reader.get(f"/at-home/server/{chapter_id}")).status_code == 404:
        if time.monotonic() > until:
            sys.exit(f"{chapter.path.name}: the service has not made it readable within {READABLE_WITHIN_S:.0f} s.")
        time.sleep(0.1)
    told = answer.raise_for_status().json()
    names = told["chapter"]["data"]
    published = [reader.get(f"{told['baseUrl']}/data/{told['chapter']['hash']}/{name}").content for name in names]
    if published != chapter.pages:
        sys.exit(f"{chapter.path.name}: what was published is NOT what was drawn.")
    say(f"{chapter.path.name}: {len(published)} pages fetched back, all equal.")


def run(arguments: list[str], environment: dict[str, str], folder: Path) -> str:
    """Run `mangadex`; its output, while what it tells people is shown."""
    say(f"\n$ {shlex.join(['mangadex', *arguments])}")
    done = subprocess.run(
        [MANGADEX, *arguments], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"`mangadex {arguments[0]}` ended with status {done.returncode}.")
    return done.stdout


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
