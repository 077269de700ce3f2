"""How each client of `upload.py` is started: as a user would, in a home of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from upload_curl import GROUP, MANGA, SIGN_IN

HERE = Path(__file__).parent
HONDANA = HERE.parent / "tests" / "e2e" / "run_hondana.py"
MANGADEX = str(Path(sys.executable).with_name("mangadex"))
TOKENS = "/realms/mangadex/protocol/openid-connect"
CREDENTIALS = {
    "MANGADEX_USERNAME": SIGN_IN["username"],
    "MANGADEX_PASSWORD": SIGN_IN["password"],
    "MANGADEX_CLIENT_ID": SIGN_IN["client_id"],
    "MANGADEX_CLIENT_SECRET": SIGN_IN["client_secret"],
}


@dataclass(frozen=True)
class Job:
    """What to run, and what it finds in its home."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    typed: str = ""


Client: TypeAlias = Callable[[str, Path, str, Path], Job]
"""Makes a job of the service's address, the folder of pages, the chapter's number and the client's home."""


def curl(url: str, pages: Path, number: str, _home: Path) -> Job:
    return Job([sys.executable, str(HERE / "upload_curl.py"), url, str(pages), number])


def ours(  # noqa: PLR0913 - a client, and two choices
    url: str, pages: Path, number: str, home: Path, *, has_token: bool, is_paced: bool
) -> Job:
    chapter = ["--manga", MANGA, "--group", GROUP, "--chapter", number, "--language", "en"]
    pacing = [] if is_paced else ["--no-pacing"]
    command = [MANGADEX, "upload", str(pages), *chapter, "--accept-terms", *pacing]
    if not has_token:
        return Job(command, {"MANGADEX_API_URL": url} | CREDENTIALS)
    if not (home / ".local").exists():
        log_in(url, home)
    return Job(command, {"MANGADEX_API_URL": url})


def log_in(url: str, home: Path) -> None:
    variables = environment(home) | {"MANGADEX_API_URL": url} | CREDENTIALS
    subprocess.run([MANGADEX, "login", "--quiet"], env=variables, check=True, capture_output=True)


def hondana(url: str, pages: Path, _number: str, _home: Path) -> Job:
    return Job([sys.executable, str(HONDANA), url, str(pages), "upload"])


def muplr(url: str, pages: Path, number: str, home: Path) -> Job:
    """It takes names of folders for what they say, wants its question answered, and moves what it has sent."""
    chapter = home / "uploads" / f"{MANGA} [en] - c{number} (By muplr) [{GROUP}]"
    chapter.mkdir(parents=True)
    for page in pages.iterdir():
        os.link(page, chapter / page.name)
    (home / "config.json").write_text(json.dumps(_muplr_settings(url)))
    return Job([sys.executable, "-c", "from mupl.cli import main; main()", "-u"], typed="y\n")


def _muplr_settings(url: str) -> dict[str, object]:
    options = {"number_of_images_upload": 10, "number_threads": 3, "upload_retry": 3, "ratelimit_time": 1}
    return {
        "options": options | {"max_log_days": 1, "group_fallback_id": None, "language": "en"},
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


def environment(home: Path) -> dict[str, str]:
    """Of a user with nothing set."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("MANGADEX_", "XDG_"))}
    direct = {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    return others | direct | {"HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}


def check_all_there() -> None:
    """Say at once what is missing."""
    if shutil.which("curl") is None:
        raise SystemExit("There is no curl to compare with. Install it (Debian: apt-get install curl) and repeat.")
