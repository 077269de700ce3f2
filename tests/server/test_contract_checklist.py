"""What contract 13 asks of a server and no other test shows, point by point, on the running program.

Elsewhere: 2 and 3 (`uploading.check_answer`, on every answer), 4's boundaries and part names, 5's names and hashes, 6's
unknown keys, 10's limits and 13 (`test_uploads`), 7's refusals (`test_accounts`), 11 and 14 with the real clients
(`tests/e2e/test_third_party`).
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx2
import pytest
from uploading import DRAFT, GROUP, MANGA, UNKNOWN, Caller, Service, form, png, service

from mangadex_server.sandbox import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME

TOKEN_PATH = "/realms/mangadex/protocol/openid-connect/token"
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("checklist") / "data") as running:
        yield running


@pytest.fixture
def alice(served: Service) -> Caller:
    served.alice.close_session()
    return served.alice


def exchange(served: Service, head: str, body: bytes = b"") -> tuple[int, Any]:
    """Alice's request byte for byte; the answer's status and JSON."""
    with served.send(f"{head}\r\nConnection: close", body) as connection:
        answer = b"".join(iter(lambda: connection.recv(65_536), b""))
    start, _, content = answer.partition(b"\r\n\r\n")
    return int(start.split()[1]), json.loads(content)


# 1 and 14: envelopes


def test_sessions_and_chapters_come_in_both_shapes(alice: Caller) -> None:
    begun = alice.begin()
    session = begun.json()["id"]
    [page] = alice.put(session, ("0", png())).json()["data"]
    committed = alice.commit(session, [page["id"]])
    edited = alice.json("POST", f"/upload/begin/{committed.json()['id']}", {"version": 1})
    for answer in (begun, committed, edited, alice.http.get("/upload")):
        body = answer.json()
        bare = {name: body.pop(name) for name in ("id", "type", "attributes", "relationships")}
        assert body == {"result": "ok", "response": "entity", "data": bare}


def test_both_lists_are_in_every_answer_to_pages(alice: Caller) -> None:
    session = alice.session()
    for pages in ([("0", png())], [("0", png()), ("1", b"no page")]):
        body = alice.put(session, *pages).json()
        assert set(body) == {"result", "errors", "data"}
        assert (body["result"], len(body["data"]), len(body["errors"])) == ("ok", 1, len(pages) - 1)


# 4: bodies of DELETE


@pytest.mark.parametrize("transfer", ["length", "chunked"])
def test_the_body_of_a_delete_is_read(served: Service, alice: Caller, transfer: str) -> None:
    session = alice.session()
    one, two, three = (file["id"] for file in alice.put(session, *((n, png(int(n))) for n in "012")).json()["data"])
    body = json.dumps([one, two]).encode()
    head = f"DELETE /upload/{session}/batch HTTP/1.1\r\nContent-Type: application/json\r\n"
    if transfer == "length":
        answer = exchange(served, f"{head}Content-Length: {len(body)}", body)
    else:
        chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:50], body[50:]))
        answer = exchange(served, f"{head}Transfer-Encoding: chunked", chunks + b"0\r\n\r\n")
    assert answer == (200, {"result": "ok"})
    assert [file["id"] for file in alice.files()] == [three]


# 5: names


def test_equal_names_of_different_requests_are_both_kept(alice: Caller) -> None:
    session = alice.session()
    for number in (1, 2):
        assert alice.put(session, ("0", png(number))).status_code == 200
    assert [file["attributes"]["originalFileName"] for file in alice.files()] == ["0", "0"]


# 6 and 10: large commits, and consent at the root


def test_500_pages_are_committed_at_once_and_not_one_more(alice: Caller) -> None:
    session = alice.session()
    ids = []
    for start in range(0, 500, 10):
        added = alice.put(session, *((str(n), png(n)) for n in range(start, start + 10))).json()["data"]
        ids += [file["id"] for file in added]
    assert len(ids) == 500
    assert alice.put(session, ("500", png(500))).status_code == 400
    body = {"chapterDraft": DRAFT, "pageOrder": ids, "termsAccepted": True}
    assert len(json.dumps(body)) > 4 * 1024
    assert alice.json("POST", f"/upload/{session}/commit", body).status_code == 200


def test_keys_of_a_draft_have_to_be_there_and_may_be_null(alice: Caller) -> None:
    session = alice.session()
    [page] = alice.put(session, ("0", png())).json()["data"]
    for key in DRAFT:
        body = {
            "chapterDraft": {name: value for name, value in DRAFT.items() if name != key},
            "pageOrder": [page["id"]],
        }
        answer = alice.json("POST", f"/upload/{session}/commit", body)
        assert (answer.status_code, key in answer.json()["errors"][0]["detail"]) == (400, True)
    nulls = dict.fromkeys(("volume", "chapter", "title", "externalUrl", "publishAt"))
    others: list[Any] = [0, 1e9, True, [], {}]
    for wrong in others:
        assert alice.commit(session, [page["id"]], publishAt=wrong).status_code == 400, wrong
    drafts: list[Any] = [None, [], "x", {}]
    for draft in drafts:
        assert alice.json("POST", f"/upload/{session}/commit", {"chapterDraft": draft}).status_code == 400, draft
    assert alice.commit(session, [page["id"]], **nulls).status_code == 200


# 7 and 15: the token endpoint


@pytest.mark.parametrize("charset", ["", ";charset=UTF-8", "; charset=utf-8"])
def test_tokens_are_three_parts_with_their_times(served: Service, charset: str) -> None:
    fields = {"grant_type": "password", "username": USERNAME, "password": PASSWORD}
    body = fields | {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    headers = {"Content-Type": f"application/x-www-form-urlencoded{charset}"}
    answer = httpx2.post(served.url + TOKEN_PATH, content=urlencode(body), headers=headers, trust_env=False).json()
    for name, life_s in (("access_token", 900), ("refresh_token", answer["refresh_expires_in"])):
        _, payload, _ = answer[name].split(".")
        claims = json.loads(base64.b64decode(payload + "==="))  # standard base64, as clients decode it
        assert claims["exp"] - claims["iat"] == life_s
        assert abs(claims["iat"] - time.time()) < 60


# 8 and 12: nothing there, and gone


def test_nothing_open_and_nothing_to_delete_are_not_found(alice: Caller) -> None:
    for answer in (alice.http.get("/upload"), alice.http.delete(f"/upload/{UNKNOWN}")):
        [entry] = answer.json()["errors"]
        assert (answer.status_code, entry["title"]) == (404, "not_found_http_exception")
        assert entry["detail"] == "No upload session found"  # contract 5.1


def test_abandoning_is_answered_with_a_body(alice: Caller) -> None:
    answer = alice.http.delete(f"/upload/{alice.session()}")
    assert (answer.status_code, answer.json()) == (200, {"result": "ok"})


# 9: dates, ids, and queries


def test_dates_have_a_numeric_zone_and_ids_are_lower_case(alice: Caller) -> None:
    begun = alice.begin(manga=MANGA.upper(), groups=[GROUP.upper()])
    [page] = alice.put(begun.json()["id"].upper(), ("0", png())).json()["data"]
    committed = alice.commit(begun.json()["id"].upper(), [page["id"].upper()], publishAt="2099-01-31T18:00:00").json()
    assert committed["attributes"]["publishAt"] == "2099-01-31T18:00:00+00:00"
    for entity in (begun.json()["data"], committed["data"]):
        dates = [value for name, value in entity["attributes"].items() if name.endswith("At") and value is not None]
        assert len(dates) >= 2
        assert all(DATE.fullmatch(date) for date in dates)
        ids = [entity["id"], *(related["id"] for related in entity["relationships"])]
        assert ids == [str(UUID(id_)) for id_ in ids]


@pytest.mark.parametrize("query", ["title=Official+%22Test%22+Manga", "title=Official%20%22Test%22%20Manga"])
def test_a_plus_in_a_query_is_a_space(served: Service, query: str) -> None:
    status, body = exchange(served, f"GET /manga?{query} HTTP/1.1")
    assert (status, [manga["id"] for manga in body["data"]]) == (200, [MANGA])
    status, body = exchange(served, "GET /manga?title=Official%2B%22Test%22%2BManga HTTP/1.1")
    assert (status, body["data"]) == (200, [])


# 11: what Hondana reads out of the answer to a commit


def test_a_commit_shows_manga_and_user_unasked(alice: Caller) -> None:
    session = alice.begin(groups=[GROUP]).json()["id"]
    [page] = alice.put(session, ("0", png())).json()["data"]
    related = {
        item["type"]: item.get("attributes") for item in alice.commit(session, [page["id"]]).json()["relationships"]
    }
    assert related["manga"]["title"] == {"en": 'Official "Test" Manga'}
    assert related["user"]["username"] == "alice"
    assert related["scanlation_group"]["name"] == "Sandbox Group"


# 15: what HTTP libraries do


def test_a_sender_that_waits_is_told_to_go_on(served: Service, alice: Caller) -> None:
    session = alice.session()
    body = form(('name="file"; filename="0"', png()))
    head = (
        f"POST /upload/{session} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\nExpect: 100-continue"
    )
    with served.send(head, b"") as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(body)
        assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
    assert len(alice.files()) == 1


@pytest.mark.parametrize("name", ["includes[]", "includes%5B%5D", "includes%5b%5d"])
def test_includes_may_be_percent_encoded(served: Service, alice: Caller, name: str) -> None:
    alice.session()
    status, body = exchange(served, f"GET /upload?{name}=manga&{name}=nonsense HTTP/1.1")
    assert status == 200
    expanded = {item["type"] for item in body["relationships"] if "attributes" in item}
    assert expanded == {"manga"}


def test_header_names_and_schemes_may_be_written_anyhow(served: Service, alice: Caller) -> None:
    session = alice.session()
    body = form(('name="file"; filename="0"', png()), boundary="B-1")
    kind = 'CONTENT-TYPE: Multipart/Form-Data; Boundary="B-1"\r\nuser-AGENT: somebody <https://example.org/>'
    status, answer = exchange(served, f"POST /upload/{session} HTTP/1.1\r\n{kind}\r\nCONTENT-length: {len(body)}", body)
    assert (status, len(answer["data"])) == (200, 1)
    answer = alice.http.get("/upload", headers={"Authorization": f"bearer {alice.token}"})
    assert answer.status_code == 200
