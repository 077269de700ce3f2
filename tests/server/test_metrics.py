"""What `/metrics` of the running program says after known requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import httpx2
import pytest
from installations import peek
from sqlalchemy import text
from test_program import until
from uploading import Service, form, png, service

from mangadex_server.jobs import Standing
from mangadex_server.metrics import Metrics

LINE = re.compile(r"^(mangadex_\w+?)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="([^"]*)"')
TOKEN_PATH = "/realms/mangadex/protocol/openid-connect/token"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("metrics") / "data") as running:
        yield running


class Figures:
    """All figures as they are now."""

    def __init__(self, url: str) -> None:
        answer = httpx2.get(f"{url}/metrics", trust_env=False).raise_for_status()
        assert answer.headers["content-type"].startswith("text/plain")
        self._values = {
            (name, frozenset(LABEL.findall(labels))): float(value) for name, labels, value in LINE.findall(answer.text)
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self._values.get((f"mangadex_{name}", frozenset(labels.items())), 0.0)

    def operations(self) -> set[str]:
        return {dict(labels)["operation"] for name, labels in self._values if name == "mangadex_requests_total"}


def test_requests_are_counted_by_operation_and_status(served: Service) -> None:
    alice, before = served.alice, Figures(served.url)
    session = alice.session()
    alice.http.get("/upload").raise_for_status()
    assert alice.http.delete(f"/upload/{session}").status_code == 200
    assert alice.http.delete(f"/upload/{session}").status_code == 404
    for path in ("/chapter/1", "/chapter/2", "/nowhere", "/nowhere/either"):
        assert alice.http.get(path).status_code == 404
    assert alice.http.request("BREW", "/upload").status_code == 405
    after = Figures(served.url)

    def counted(operation: str, status: str) -> float:
        labels = {"operation": operation, "status": status}
        return after("requests_total", **labels) - before("requests_total", **labels)

    assert counted("POST /upload/begin", "200") == 1
    assert counted("GET /upload", "200") == 1
    assert counted("DELETE /upload/{uploadSessionId}", "200") == 1
    assert counted("DELETE /upload/{uploadSessionId}", "404") == 1
    assert counted("OTHER /upload", "405") == 1
    assert counted("none", "404") >= 2
    assert not [operation for operation in after.operations() if "nowhere" in operation or "BREW" in operation]


def test_refusals_are_counted_by_title(served: Service) -> None:
    alice, before = served.alice, Figures(served.url)
    session = alice.session()
    assert alice.put(session, ("a", b"no picture"), ("b", png(1))).status_code == 200
    assert alice.http.get("/upload", headers={"Authorization": "Bearer x"}).status_code == 401
    assert httpx2.post(served.url + TOKEN_PATH, data={"grant_type": "x"}, trust_env=False).status_code == 400
    after = Figures(served.url)
    for status, title in (
        ("400", "validation_exception"),  # the page, in an answer of 200
        ("401", "unauthorized_http_exception"),
        ("400", "unsupported_grant_type"),
    ):
        labels = {"status": status, "title": title}
        assert after("refusals_total", **labels) - before("refusals_total", **labels) == 1, title


def test_uploads_and_what_becomes_of_them(served: Service) -> None:
    alice, before = served.alice, Figures(served.url)
    session = alice.session()
    assert Figures(served.url)("sessions_open") == 1
    body = form(('name="a"; filename="a"', png(1)), ('name="b"; filename="b"', png(2)))
    added = alice.post_form(session, body).raise_for_status().json()["data"]
    after = Figures(served.url)
    assert after("pages_stored_total") - before("pages_stored_total") == 2
    assert after("upload_received_bytes_total") - before("upload_received_bytes_total") == len(body)

    alice.commit(session, [file["id"] for file in added]).raise_for_status()
    readable = {"result": "readable"}
    until(
        lambda: (
            Figures(served.url)("chapters_processed_total", **readable) > before("chapters_processed_total", **readable)
        )
    )
    after = Figures(served.url)
    assert (after("sessions_open"), after("jobs", state="waiting")) == (0, 0)


def test_jobs_that_were_given_up(served: Service) -> None:
    given_up = text(
        "INSERT INTO jobs (id, kind, chapter_id, session_id, due_at, failed_reason)"
        " SELECT :id, 'process_chapter', chapter_id, id, 0, 'the disk is full' FROM upload_sessions"
        " WHERE chapter_id IS NOT NULL LIMIT 1"
    )
    with peek(served.data_dir) as database:
        assert database.execute(given_up.bindparams(id=str(uuid4()))).rowcount == 1
    figures = Figures(served.url)
    assert (figures("jobs", state="given_up"), figures("jobs", state="waiting")) == (1, 0)


def test_several_services_in_a_process_count_for_themselves() -> None:
    first, second = Metrics(), Metrics()
    first.pages_stored(3)
    nothing = Standing(jobs_waiting=0, jobs_given_up=0, open_sessions=0)
    assert b"mangadex_pages_stored_total 3.0" in first.text(nothing)
    assert b"mangadex_pages_stored_total 0.0" in second.text(nothing)
