"""The whole way on this machine: a service, two chapters drawn and uploaded, and each published page compared.

Three pages of the second are such as the service does not take: a strip, a WebP and one of more than 20 MB.

Run by `make demo`; `make demo KEEP=1` leaves the service running to look at.
"""

from __future__ import annotations

import hashlib
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
from typing import Any

import httpx2
from drawing import photo, strip
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
    """A chapter on disk, and its pages by their names."""

    path: Path
    number: str
    pages: dict[str, bytes]


@dataclass
class Counted:
    """Published pages that are equal to what they have to be."""

    untouched: int = 0
    prepared: int = 0
    size_bytes: int = 0


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
    uploads = [(chapter, *upload(chapter, environment)) for chapter in chapters]
    took_s = time.monotonic() - began
    counted = Counted()
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as reader:
        for chapter, plan, chapter_id in uploads:
            compare(chapter, plan, published_pages(reader, chapter, chapter_id), counted)
    for _, _, chapter_id in uploads:
        say(f"Read it: {url}/chapter/{chapter_id}/read")
    rate = counted.size_bytes / 1e6 / took_s
    say(
        f"All published pages are there, in order: {counted.untouched} are the drawn ones byte by byte, and "
        f"{counted.prepared} that were prepared are the plan's by their SHA-256: {rate:.1f} MB/s, checks and "
        f"preparation included."
    )


def draw(folder: Path) -> list[Drawn]:
    first = draw_chapter(PAGES, size_bytes=PAGE_BYTES)
    second = draw_chapter(PAGES, size_bytes=PAGE_BYTES, kinds=("jpeg",)) | draw_others()
    as_folder = write_folder(folder / "The Storm 1", first)
    as_archive = write_archive(folder / "The Storm 2.cbz", second)
    say(f"Drew {PAGES} PNG pages into the folder {as_folder.name!r} and {PAGES} JPEG pages into {as_archive.name!r},")
    say("and into that also a strip, a WebP and a page of more than 20 MB, which the service does not take.")
    return [Drawn(as_folder, "1", first), Drawn(as_archive, "2", second)]


def draw_others() -> dict[str, bytes]:
    """Pages that have to be prepared."""
    return {
        "025 strip.png": strip(3, width=800, height=25_000, panel_rows=(300, 1_500)).image.pngsave_buffer(
            compression=1
        ),
        "026.webp": photo(2, 700, 1_000).webpsave_buffer(lossless=True, effort=0),
        "027 large.png": photo(1, 2_800, 2_600).pngsave_buffer(compression=0),
    }


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


def upload(chapter: Drawn, environment: dict[str, str]) -> tuple[dict[str, Any], str]:
    """The plan as the program told it, and the id of the published chapter."""
    told = ["--manga", MANGA, "--group", GROUP, "--chapter", chapter.number, "--title", "The storm", "--accept-terms"]
    output = run(["upload", chapter.path.name, *told, "--json", "--no-pacing"], environment, chapter.path.parent)
    events = {event["event"]: event for event in map(json.loads, output.splitlines())}
    return events["planned"], str(events["result"]["chapter_id"])


def published_pages(reader: httpx2.Client, chapter: Drawn, chapter_id: str) -> list[bytes]:
    """As readers get them, once they are processed."""
    until = time.monotonic() + READABLE_WITHIN_S
    while (answer := reader.get(f"/at-home/server/{chapter_id}")).status_code == 404:
        if time.monotonic() > until:
            sys.exit(f"{chapter.path.name}: the service has not made it readable within {READABLE_WITHIN_S:.0f} s.")
        time.sleep(0.1)
    told = answer.raise_for_status().json()
    names = told["chapter"]["data"]
    return [reader.get(f"{told['baseUrl']}/data/{told['chapter']['hash']}/{name}").content for name in names]


def compare(chapter: Drawn, plan: dict[str, Any], published: list[bytes], counted: Counted) -> None:
    """Untouched pages with the drawn ones, prepared ones with the plan; no drawn page may be missing."""
    changed = {change["name"] for change in plan["done"]}
    if plan["order"] != list(chapter.pages) or len(published) != len(plan["pages"]):
        sys.exit(f"{chapter.path.name}: the published pages are NOT all that were drawn, in order.")
    untouched = [name for name in chapter.pages if name not in changed]
    if [page["name"] for page in plan["pages"] if page["name"] in untouched] != untouched:
        sys.exit(f"{chapter.path.name}: the plan does NOT have all pages that need nothing.")
    for page, data in zip(plan["pages"], published, strict=True):
        is_untouched = page["name"] in untouched
        is_equal = data == chapter.pages[page["name"]] if is_untouched else sha256(data) == page["sha256"]
        if not is_equal:
            sys.exit(f"{chapter.path.name}: what was published for {page['name']} is NOT what it has to be.")
        counted.untouched += is_untouched
        counted.prepared += not is_untouched
        counted.size_bytes += len(data)
    say(f"{chapter.path.name}: {len(published)} pages fetched back, all equal.")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
