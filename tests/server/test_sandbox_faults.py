"""Faults on demand: each is met over a real connection, and what it left behind is looked at without one."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from program import start
from uploading import DRAFT, GROUP, MANGA, Caller, Service, check_entry, png, service

from mangadex_server.fault_plans import AFTERWARDS, DROPS, INSTEAD, KINDS, STALLS

DOCUMENT = Path(__file__).parents[2] / "docs" / "sandbox.md"
BEGIN = {"manga": MANGA, "groups": [GROUP]}
RETRY_AFTER = "X-RateLimit-Retry-After"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("faults") / "data") as running:
        yield running


@pytest.fixture
def alice(served: Service) -> Iterator[Caller]:
    served.alice.http.delete("/sandbox/faults").raise_for_status()
    served.alice.close_session()
    yield served.alice
    served.alice.http.delete("/sandbox/faults").raise_for_status()


def plan(caller: Caller, fault: str, path: str = ".*", **given: Any) -> None:
    caller.json("POST", "/sandbox/faults", {"fault": fault, "path": path, **given}).raise_for_status()


def fresh(served: Service, **given: Any) -> httpx2.Client:
    """Alice on a connection of her own, without a look at the shape of answers."""
    headers = {"Authorization": f"Bearer {served.alice.token}"}
    return httpx2.Client(base_url=served.url, headers=headers, trust_env=False, timeout=20, **given)


def has_session(caller: Caller) -> bool:
    return caller.http.get("/upload").status_code == 200


def raw(served: Service, request: bytes) -> bytes:
    """All that comes back for it until the connection is closed."""
    address = urlsplit(served.url)
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=20) as connection:
        connection.sendall(request)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65_536):
                received += piece
        return received


def sent_until_it_breaks(connection: socket.socket, at_most_bytes: int) -> int:
    sent = 0
    try:
        while sent < at_most_bytes:
            sent += connection.send(b"x" * 65_536)
    except ConnectionError:
        return sent
    return sent


def begin_request(served: Service, fault: str = "", body: bytes = json.dumps(BEGIN).encode()) -> bytes:
    asked = f"X-Sandbox-Fault: {fault}\r\n" if fault else ""
    head = (
        f"POST /upload/begin HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {served.alice.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{asked}\r\n"
    )
    return head.encode() + body


@pytest.mark.parametrize(("fault", "status", "had_effect"), [
    ("401", 401, False), ("429", 429, False), ("429-without-time", 429, False), ("500", 500, False),
    ("503", 503, False), ("500-after", 500, True), ("503-after", 503, True),
])  # fmt: skip
def test_a_status_before_or_after_the_effect(
    served: Service, alice: Caller, fault: str, status: int, had_effect: bool
) -> None:
    with fresh(served) as http:
        answer = http.post("/upload/begin", json=BEGIN, headers={"X-Sandbox-Fault": fault})
    [entry] = answer.json()["errors"]
    check_entry(entry)
    assert (answer.status_code, entry["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert has_session(alice) is had_effect


def test_a_429_with_and_without_a_time(served: Service, alice: Caller) -> None:
    plan(alice, "429", "/upload", wait_s=7)
    plan(alice, "429-without-time", "/user/me")
    before = time.time()
    answer = alice.http.get("/upload")
    assert before + 7 <= int(answer.headers[RETRY_AFTER]) <= time.time() + 8
    assert (answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"]) == ("1", "0")
    answer = alice.http.get("/user/me")
    assert (answer.status_code, [name for name in answer.headers if "ratelimit" in name.lower()]) == (429, [])


@pytest.mark.parametrize(("fault", "had_effect"), [
    ("drop-in-request", False), ("drop-before", False), ("drop-after", True),
])  # fmt: skip
def test_a_dropped_connection_brings_nothing(served: Service, alice: Caller, fault: str, had_effect: bool) -> None:
    assert raw(served, begin_request(served, fault)) == b""
    assert has_session(alice) is had_effect
    with fresh(served) as http, pytest.raises(httpx2.TransportError):
        http.post("/upload/begin", json=BEGIN, headers={"X-Sandbox-Fault": fault})


def test_a_request_is_cut_while_it_is_sent(served: Service, alice: Caller) -> None:
    session = alice.session()
    plan(alice, "drop-in-request", f"/upload/{session}", at_byte=100_000)
    address = urlsplit(served.url)
    head = f"POST /upload/{session} HTTP/1.1\r\nHost: here\r\nContent-Length: {1 << 30}\r\n\r\n"
    with socket.create_connection((str(address.hostname), address.port or 80), timeout=20) as connection:
        connection.sendall(head.encode())
        assert 100_000 <= sent_until_it_breaks(connection, 1 << 30) < 100_000_000
    assert alice.files() == []


def test_an_answer_breaks_off_where_it_is_told_to(served: Service, alice: Caller) -> None:
    whole = raw(served, begin_request(served).replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
    length = len(whole.partition(b"\r\n\r\n")[2])
    for at_byte, arrives in ((0, 0), (10, 10), (10_000, length - 1)):
        alice.close_session()
        plan(alice, "drop-in-answer", "/upload/begin", at_byte=at_byte)
        head, _, body = raw(served, begin_request(served)).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert f"content-length: {length}" in head.decode().lower()
        assert len(body) == arrives
        assert has_session(alice)
    plan(alice, "drop-in-answer", "/upload")
    with fresh(served) as http, pytest.raises(httpx2.RemoteProtocolError, match="without sending complete"):
        http.get("/upload")


@pytest.mark.parametrize(("fault", "had_effect"), [("stall", False), ("stall-after", True)])
def test_a_stall_lasts_until_the_client_gives_up(served: Service, alice: Caller, fault: str, had_effect: bool) -> None:
    with fresh(served) as http, pytest.raises(httpx2.ReadTimeout):
        http.post("/upload/begin", json=BEGIN, headers={"X-Sandbox-Fault": fault}, timeout=0.4)
    assert has_session(alice) is had_effect


def test_a_stall_may_end_with_a_closed_connection(served: Service, alice: Caller) -> None:
    plan(alice, "stall", "/upload/begin", wait_s=0.3)
    began = time.monotonic()
    assert raw(served, begin_request(served)) == b""
    assert 0.3 <= time.monotonic() - began < 10
    assert not has_session(alice)


def test_a_late_answer_comes_after_its_effect(served: Service, alice: Caller) -> None:
    plan(alice, "late", "/upload/begin", wait_s=0.5)
    with fresh(served) as http, pytest.raises(httpx2.ReadTimeout):
        http.post("/upload/begin", json=BEGIN, timeout=0.2)
    assert has_session(alice)
    alice.close_session()
    plan(alice, "late", "/upload/begin", wait_s=0.5)
    began = time.monotonic()
    assert alice.begin().status_code == 200
    assert time.monotonic() - began >= 0.5


def test_a_lost_commit_answer_leaves_the_chapter(served: Service, alice: Caller) -> None:
    session = alice.session()
    file = alice.put(session, ("0", png())).json()["data"][0]["id"]
    plan(alice, "drop-after", "/upload/[^/]+/commit")
    body = {"chapterDraft": DRAFT | {"title": "lost answer"}, "pageOrder": [file]}
    with fresh(served) as http, pytest.raises(httpx2.TransportError):
        http.post(f"/upload/{session}/commit", json=body)
    assert not has_session(alice)
    [found] = alice.http.get("/chapter", params={"title": "lost answer"}).json()["data"]
    assert found["attributes"]["title"] == "lost answer"


def test_one_page_of_the_nth_request_is_rejected(alice: Caller) -> None:
    session = alice.session()
    plan(alice, "reject-page", f"/upload/{session}", method="POST", after=1, page=2)
    pages = [(str(n), png(n)) for n in range(3)]
    assert alice.put(session, *pages).json()["errors"] == []
    answer = alice.put(session, *pages).json()
    assert [file["attributes"]["originalFileName"] for file in answer["data"]] == ["0", "2"]
    assert '"1"' in answer["errors"][0]["detail"]
    assert alice.put(session, *pages).json()["errors"] == []


def test_plans_count_their_requests_and_are_forgotten(alice: Caller) -> None:
    plan(alice, "401", "/user/me", method="GET", after=2, times=2)
    answers = [alice.http.get("/user/me").status_code for _ in range(5)]
    assert answers == [200, 200, 401, 401, 200]
    plan(alice, "401", "/user/me", times=9)
    assert alice.http.get("/sandbox/faults").json() == {"result": "ok", "open": 9}
    assert alice.http.get("/upload").status_code == 404
    assert alice.http.delete("/sandbox/faults").json() == {"result": "ok", "open": 0}
    assert alice.http.get("/user/me").status_code == 200
    assert alice.http.put("/sandbox/faults").status_code == 405


@pytest.mark.parametrize("fault", ["drop", "", "LATE", "404", "x" * 500])
def test_an_unknown_fault_is_refused_with_those_there_are(served: Service, alice: Caller, fault: str) -> None:
    answers = [
        alice.json("POST", "/sandbox/faults", {"fault": fault}),
        alice.http.post("/upload/begin", json=BEGIN, headers={"X-Sandbox-Fault": fault}),
    ]
    for answer in answers:
        [entry] = answer.json()["errors"]
        assert answer.status_code == 400
        assert all(kind in entry["detail"] for kind in KINDS)
    assert not has_session(alice)


@pytest.mark.parametrize("given", [
    {}, [], 7, None, {"fault": []}, {"fault": "429", "path": "("}, {"fault": "429", "times": "x"},
    {"fault": "429", "after": -1}, {"fault": "429", "after": True}, {"fault": "late", "wait_s": "x"},
    {"fault": "late", "wait_s": 3601}, {"fault": "late", "wait_s": float("nan")}, {"fault": "429", "method": 7},
    {"fault": "reject-page", "page": 0}, {"fault": "drop-in-answer", "at_byte": -1}, {"fault": "429", "extra": 1},
])  # fmt: skip
def test_what_is_no_plan_is_refused(alice: Caller, given: object) -> None:
    assert alice.json("POST", "/sandbox/faults", given).status_code == 400
    assert alice.http.get("/sandbox/faults").json()["open"] == 0


def test_a_service_that_is_no_sandbox_has_no_faults(tmp_path: Path) -> None:
    running = start("--port", "0", "--data-dir", str(tmp_path / "data"))
    try:
        with httpx2.Client(base_url=running.url, trust_env=False) as http:
            assert http.post("/sandbox/faults", json={"fault": "503"}).status_code == 404
            for fault in ("503", "nonsense"):
                assert http.get("/healthz", headers={"X-Sandbox-Fault": fault}).status_code == 200
    finally:
        running.stop()


def test_every_fault_is_documented() -> None:
    text = DOCUMENT.read_text()
    assert [kind for kind in sorted(KINDS) if f"`{kind}`" not in text] == []
    assert INSTEAD | AFTERWARDS | DROPS | STALLS | {"late", "reject-page"} == KINDS
