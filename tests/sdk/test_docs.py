"""The documentation's code runs as it stands, in the order in which it is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from service import Service

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "MANGADEX_ACCESS_TOKEN": "token",
    "MANGADEX_USERNAME": "ann",
    "MANGADEX_PASSWORD": "right password",
    "MANGADEX_CLIENT_ID": "personal-client-1",
    "MANGADEX_CLIENT_SECRET": "secret",
}


def run(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    namespace: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(code, document, "exec"), namespace)


@pytest.fixture(autouse=True)
def chapter_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: Service) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "chapter 1"):
        folder.mkdir(exist_ok=True)
        for number in range(1, 13):
            (folder / f"{number}.png").write_bytes(b"\x89PNG\r\n\x1a\n page %d" % number)
    (tmp_path / "token.txt").write_text("token\n")
    monkeypatch.setenv("MANGADEX_API_URL", service.address)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)


def test_the_first_page_of_the_client(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    run("docs/client.md")

    assert [chapter["attributes"]["title"] for chapter in service.chapters] == ["The beginning"] * 2
    commits = [request.json() for request in service.sent("POST /upload/.*/commit")]
    for commit, names in zip(commits, page_names(service), strict=True):
        assert [names[file_id] for file_id in commit["pageOrder"]] == [f"{number}.png" for number in range(1, 13)]
    said = capsys.readouterr().out
    assert said.count("published: ") == 2
    assert "(404) Not Found: get_upload_session: No upload session found. Check the id" in said
    assert len(service.logins) == 1


def page_names(service: Service) -> list[dict[str, str]]:
    """Of each chapter, file name by file id."""
    return [
        {file_id: stored["attributes"]["originalFileName"] for file_id, stored in files.items()}
        for files in service.committed_files
    ]


def test_the_readme(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    run("README.md")

    assert capsys.readouterr().out == "['1.png', '2.png'] []\n"
    assert service.session is None


def test_links_lead_somewhere() -> None:
    for document in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")):
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"
