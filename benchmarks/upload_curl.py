"""A chapter by curl, as a script would do it: `upload_curl.py URL FOLDER NUMBER`.

Signs in, begins, sends three requests of ten pages at a time, commits. What one step's curl answers the next needs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"
SIGN_IN = {
    "grant_type": "password",
    "username": "sandbox",
    "password": "sandbox-password",
    "client_id": "personal-client-sandbox",
    "client_secret": "sandbox-secret",
}
PARALLEL, PAGES_PER_REQUEST = 3, 10
PLAIN = 'silent\nshow-error\nfail\nnoproxy = "*"\n'


def main(url: str, folder: Path, number: str) -> None:
    form = "&".join(f"{name}={value}" for name, value in SIGN_IN.items())
    token = curl(PLAIN + f'url = "{url}/realms/mangadex/protocol/openid-connect/token"\ndata = "{form}"\n')
    signed = PLAIN + f'header = "Authorization: Bearer {token["access_token"]}"\n'
    session = curl(signed + as_json(f"{url}/upload/begin", {"manga": MANGA, "groups": [GROUP]}))["data"]["id"]
    pages = sorted(folder.iterdir())
    ids = send(signed, f"{url}/upload/{session}", pages)
    draft = {"volume": None, "chapter": number, "title": None, "translatedLanguage": "en"}
    body = {"chapterDraft": draft, "pageOrder": [ids[page.name] for page in pages], "termsAccepted": True}
    curl(signed + as_json(f"{url}/upload/{session}/commit", body))


def send(signed: str, url: str, pages: list[Path]) -> dict[str, str]:
    """All pages; their ids by their names."""
    requests = [
        signed
        + f'url = "{url}"\nheader = "Expect:"\noutput = "answer-{start}.json"\n'
        + "".join(
            f'form = "file{position}=@{page};type=image/png"\n'
            for position, page in enumerate(pages[start : start + PAGES_PER_REQUEST], start=1)
        )
        for start in range(0, len(pages), PAGES_PER_REQUEST)
    ]
    run(f"parallel\nparallel-immediate\nparallel-max = {PARALLEL}\n" + "next\n".join(requests))
    answers = [
        json.loads(Path(f"answer-{start}.json").read_bytes()) for start in range(0, len(pages), PAGES_PER_REQUEST)
    ]
    return {file["attributes"]["originalFileName"]: file["id"] for answer in answers for file in answer["data"]}


def as_json(url: str, body: dict[str, Any]) -> str:
    data = json.dumps(json.dumps(body))  # curl's quotes are escaped as JSON's
    return f'url = "{url}"\nheader = "Content-Type: application/json"\ndata = {data}\n'


def curl(settings: str) -> Any:
    return json.loads(run(settings))


def run(settings: str) -> bytes:
    return subprocess.run(
        ["curl", "-q", "--config", "-"], input=settings.encode(), stdout=subprocess.PIPE, check=True
    ).stdout


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
