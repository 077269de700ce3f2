"""Hostile and unusual input to the upload operations, over a real socket against the running program."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from installations import peek
from sqlalchemy import text
from uploading import DRAFT, FILE_HEAD, GROUP, MANGA, UNKNOWN, Caller, Service, check_entry, form, png, service

MAX_FILE_BYTES = 100_000
SESSION_FILES = 5
SESSION_BYTES = 50_000
RATE_HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-retry-after")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("uploads") / "data", max_file_bytes=MAX_FILE_BYTES) as running:
        yield running


@pytest.fixture
def alice(served: Service) -> Caller:
    return served.alice


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Sessions hold little."""
    limits = {"max_session_files": SESSION_FILES, "max_session_bytes": SESSION_BYTES}
    with service(tmp_path_factory.mktemp("small") / "data", **limits) as running:
        yield running


def detail(answer: httpx2.Response) -> str:
    return str(answer.json()["errors"][0]["detail"])


def left_nothing(served: Service, session: str) -> None:
    """The session is as empty as it was, and no half-written page stays."""
    assert served.alice.http.get("/upload").json()["data"]["id"] == session
    assert served.alice.files() == []
    deadline = time.monotonic() + 10
    while served.incoming():  # of a request whose sender went away
        assert time.monotonic() < deadline, served.incoming()
        time.sleep(0.01)


# requests that are refused before anybody looks at their pages


def refused_on_one_connection(served: Service, size_bytes: int) -> set[int]:
    """The answers to pages that were sent without a token, as with an old one, again and again."""
    address = urlsplit(served.url)
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answers = set()
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=20)) as connection:
        connection.connect()
        opened = connection.sock
        for _ in range(20):
            connection.request("POST", f"/upload/{UNKNOWN}", b"x" * size_bytes, kind)
            answer = connection.getresponse()
            answer.read()
            answers.add(answer.status)
            assert connection.sock is opened
    return answers


@pytest.mark.parametrize("size_bytes", [1, 50_000, 3 << 20], ids=["tiny", "small", "large"])
def test_a_refusal_ahead_of_the_body_arrives_and_leaves_the_connection(served: Service, size_bytes: int) -> None:
    assert refused_on_one_connection(served, size_bytes) == {401}


def test_whoever_goes_too_fast_is_told_so_after_its_pages(tmp_path: Path) -> None:
    with service(tmp_path / "data", rate_limits="true") as hasty:
        assert 429 in refused_on_one_connection(hasty, 3 << 20)


@pytest.mark.proof
def test_a_slow_sender_gets_its_refusal_too(served: Service) -> None:
    """Over fifteen seconds: longer than the service waits for a byte."""
    address, parts = urlsplit(served.url), 15
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=20)) as connection:
        connection.putrequest("POST", f"/upload/{UNKNOWN}")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", str(parts * (1 << 20)))
        connection.endheaders()
        for _ in range(parts):
            connection.send(bytes(1 << 20))
            time.sleep(1)  # the speed of its connection
        assert connection.getresponse().status == 401


# the multipart body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b\r\n",
        b"--b\r\n" + FILE_HEAD[:20],
        b"--b\r\n" + FILE_HEAD,
        b"--b\r\n" + FILE_HEAD + png()[:40],
        b"--b\r\n" + FILE_HEAD + png(),
        b"--b\r\n" + FILE_HEAD + png() + b"\r\n--b\r\n",
        form(('name="a"; filename="a"', png()))[:-4],
        b"--b--\r\n",
        b"--b\r\nContent-Disposition: attachment; filename=a\r\n\r\n" + png() + b"\r\n--b--\r\n",
        b"--b\r\n\r\n" + png() + b"\r\n--b--\r\n",
        b"--b\r\nContent-Disposition: form-data; name=\xff\r\n\r\n" + png() + b"\r\n--b--\r\n",
        b"--b\r\nX: " + b"x" * 20_000 + b"\r\n" + FILE_HEAD + png() + b"\r\n--b--\r\n",
        b"--b\r\n" + b"X: 1\r\n" * 50 + FILE_HEAD + png() + b"\r\n--b--\r\n",
        form(('name="a"', png()), ('name="b"', b"text")),
        png(),
    ],
    ids=range(16),
)
def test_a_form_that_is_none_or_cut_is_refused_whole(served: Service, body: bytes) -> None:
    session = served.alice.session()
    answer = served.alice.post_form(session, body)
    assert answer.status_code == 400
    assert detail(answer)
    left_nothing(served, session)


@pytest.mark.parametrize("ends", ["gone", "half closed", "half closed chunk"])
def test_a_body_that_stops_half_way_leaves_nothing(served: Service, ends: str) -> None:
    session = served.alice.session()
    body = b"--b\r\n" + FILE_HEAD + png() + b"\r\n--b\r\n" + FILE_HEAD + png(1)[:50]
    length = "Transfer-Encoding: chunked" if ends.endswith("chunk") else f"Content-Length: {len(body) + 500}"
    if ends.endswith("chunk"):
        body = b"%x\r\n%s\r\n" % (len(body), body)
    kind = "Content-Type: multipart/form-data; boundary=b\r\nConnection: close"
    with served.send(f"POST /upload/{session} HTTP/1.1\r\n{kind}\r\n{length}", body) as connection:
        if ends != "gone":
            connection.shutdown(1)
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
            assert answer.startswith(b"HTTP/1.1 400 ")
            check_entry(json.loads(answer.partition(b"\r\n\r\n")[2])["errors"][0])
    left_nothing(served, session)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=c",
        "multipart/form-data; boundary=",
        'multipart/form-data; boundary=""',
        "multipart/form-data",
        "multipart/form-data; boundary=" + "b" * 200,
        "multipart/mixed; boundary=b",
        "application/json",
        "image/png",
        "",
    ],
)
def test_a_boundary_that_does_not_fit_is_refused(served: Service, content_type: str) -> None:
    session = served.alice.session()
    boundary = "b" * 200 if "bbb" in content_type else "b"
    answer = served.alice.post_form(session, form(('name="a"; filename="a"', png()), boundary=boundary), content_type)
    assert answer.status_code == 400
    assert "boundary" in detail(answer).lower()
    left_nothing(served, session)


def test_a_wrong_boundary_is_refused_before_the_rest_has_come(served: Service) -> None:
    session = served.alice.session()
    head = f"POST /upload/{session} HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=c\r\nContent-Length: 900000"
    with served.send(head, form(('name="a"; filename="a"', png(0, 20_000)))) as connection:
        assert connection.recv(65_536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("content_type", [
    'multipart/form-data; boundary="----x y"', "Multipart/Form-Data;boundary=----x",
    "multipart/form-data; charset=x; Boundary=----x",
    "multipart/form-data; boundary=----x; charset=utf-8", "multipart/form-data; boundary=" + "x" * 70,
])  # fmt: skip
def test_boundaries_quoted_or_not_are_taken(alice: Caller, content_type: str) -> None:
    boundary = "----x y" if '"' in content_type else "x" * 70 if "xx" in content_type else "----x"
    body = form(('name="a"; filename="a"', png()), boundary=boundary)
    assert alice.post_form(alice.session(), body, content_type).status_code == 200


@pytest.mark.parametrize("at", [-2, -1, -4, -9])
def test_the_end_may_come_in_a_piece_of_its_own(alice: Caller, at: int) -> None:
    body = form(('name="a"; filename="a"', png(0, 20_000)))
    session = alice.session()

    def pieces() -> Iterator[bytes]:
        yield body[:at]
        time.sleep(0.05)  # so that they do not arrive as one
        yield body[at:]

    content_type = {"Content-Type": "multipart/form-data; boundary=b"}
    assert alice.http.post(f"/upload/{session}", content=pieces(), headers=content_type).status_code == 200


@pytest.mark.parametrize("count", [11, 10_000])
def test_too_many_parts_are_refused_whole(served: Service, count: int) -> None:
    session = served.alice.session()
    answer = served.alice.post_form(session, form(*((f'name="{n}"; filename="{n}"', b"") for n in range(count))))
    assert (answer.status_code, "at most 10" in detail(answer)) == (400, True)
    left_nothing(served, session)


def test_parts_without_filename_are_no_pages_and_equal_names_are_all_kept(alice: Caller) -> None:
    session = alice.session()
    body = form(
        ('name="file"; filename="1"', png(1)),
        ('name="note"', b"no page"),
        ('name="file"; filename="1"', png(2)),
        ('name="file"; filename=""', png(3)),
    )
    answer = alice.post_form(session, body)
    assert (answer.status_code, answer.json()["errors"]) == (200, [])
    found = [file["attributes"] for file in answer.json()["data"]]
    assert [file["originalFileName"] for file in found] == ["1", "1", ""]
    assert [file["fileHash"] for file in found] == [hashlib.sha256(png(n)).hexdigest() for n in (1, 2, 3)]


def test_bad_files_are_refused_one_by_one(served: Service) -> None:
    alice = served.alice
    session = alice.session()
    large = png(4, MAX_FILE_BYTES)
    answer = alice.put(
        session, ("0", png()), ("1", b"GIF89a"), ("2", large), ("3", b""), ("4", png(5)[:-5]), ("5", png(6))
    )
    assert answer.status_code == 200
    assert [file["attributes"]["originalFileName"] for file in answer.json()["data"]] == ["0", "5"]
    refused = answer.json()["errors"]
    for entry, name in zip(refused, "1234", strict=True):
        check_entry(entry)
        assert f'"{name}"' in entry["detail"]
    assert [entry["status"] for entry in refused] == [400, 413, 400, 400]
    assert len(alice.files()) == 2
    assert alice.put(session, ("0", large)).status_code == 413
    assert alice.put(session, ("0", b"no image")).status_code == 400
    assert served.incoming() == []


NAMES = [
    "../x",
    "../../../etc/passwd",
    "/etc/passwd",
    "a/b.png",
    "a%00b.png",
    "a;b='c'.png",
    " spaces .png ",
    "n" * 300,
    "ページ１.png",
    "صفحة.png",
    "💥\u202e.png",
    "<script>.png",
    "%2e%2e%2fx",
    "con",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text_and_come_back_unchanged(served: Service, name: str) -> None:
    session = served.alice.session()
    body = form((f'name="{name}"; filename="{name}"', png()), (f'name="x"; filename="{name}"', b"no image"))
    before = sorted(path.name for path in served.data_dir.iterdir())
    answer = served.alice.post_form(session, body)
    assert answer.json()["data"][0]["attributes"]["originalFileName"] == name
    assert name in answer.json()["errors"][0]["detail"]
    assert [file["attributes"]["originalFileName"] for file in served.alice.files()] == [name]
    assert sorted(path.name for path in served.data_dir.iterdir()) == before


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("a%0D%0ASet-Cookie: x", "a%0D%0ASet-Cookie: x"),
        ("say %22hi%22", "say %22hi%22"),
        (r"say \"hi\"", 'say "hi"'),
        (r"C:\pages\1.png", r"C:\pages\1.png"),
        ("../../etc/passwd", "../../etc/passwd"),
        ("日本語.png", "日本語.png"),
        ("x" * 300, "x" * 300),
    ],
)
def test_names_come_back_as_they_were_sent(alice: Caller, sent: str, stored: str) -> None:
    answer = alice.post_form(alice.session(), form((f'name="a"; filename="{sent}"', png())))
    assert answer.json()["data"][0]["attributes"]["originalFileName"] == stored
    assert "set-cookie" not in answer.headers


def test_a_name_by_rfc_5987_is_read_where_there_is_no_other(alice: Caller) -> None:
    heads = ("name=a; filename*=UTF-8''%E2%82%AC.png", "name=b; filename=plain.png; filename*=UTF-8''other.png")
    answer = alice.post_form(alice.session(), form(*((head, png(number)) for number, head in enumerate(heads))))
    names = [file["attributes"]["originalFileName"] for file in answer.json()["data"]]
    assert names == ["€.png", "plain.png"]


def test_a_name_with_nul_refuses_its_page_alone(alice: Caller) -> None:
    body = form(('name="a"; filename="a\0b"', png(1)), ('name="b"; filename="b"', png(2)))
    answer = alice.post_form(alice.session(), body).json()
    assert [file["attributes"]["originalFileName"] for file in answer["data"]] == ["b"]
    assert "NUL" in answer["errors"][0]["detail"]


def test_when_all_are_refused_each_reason_is_told(alice: Caller) -> None:
    session = alice.session()
    answer = alice.put(session, ("1", b"text"), ("2", png()[:50]))
    assert answer.status_code == 400
    details = [entry["detail"] for entry in answer.json()["errors"]]
    assert [name in detail for name, detail in zip(('"1"', '"2"'), details, strict=True)] == [True, True]


def test_parts_without_a_filename_do_not_count_as_files(alice: Caller) -> None:
    fields = [(f'name="field{number}"', b"x") for number in range(20)]
    pages = [(f'name="{number}"; filename="{number}"', png(number)) for number in range(10)]
    assert len(alice.post_form(alice.session(), form(*fields, *pages)).json()["data"]) == 10


# a full session


def test_a_session_is_full_by_count(small: Service) -> None:
    session = small.alice.session()
    answer = small.alice.put(session, *((str(n), png(n)) for n in range(SESSION_FILES + 2)))
    assert [file["attributes"]["originalFileName"] for file in answer.json()["data"]] == list("01234")
    assert [entry["status"] for entry in answer.json()["errors"]] == [400, 400]
    assert small.alice.put(session, ("x", png())).status_code == 400
    gone = small.alice.files()[0]["id"]
    assert small.alice.http.delete(f"/upload/{session}/{gone}").status_code == 200
    assert small.alice.put(session, ("x", png())).status_code == 200


def test_a_session_is_full_by_bytes(small: Service) -> None:
    session = small.alice.session()
    page = png(0, 20_000)
    answer = small.alice.put(session, ("0", page), ("1", page), ("2", page), ("3", png(1)))
    assert [file["attributes"]["originalFileName"] for file in answer.json()["data"]] == ["0", "1", "3"]
    assert len(answer.json()["errors"]) == 1
    ids = [file["id"] for file in small.alice.files()]
    assert small.alice.json("DELETE", f"/upload/{session}/batch", ids[:1]).status_code == 200
    assert small.alice.put(session, ("2", page)).status_code == 200


def test_pages_beyond_the_memory_go_through_files(tmp_path: Path) -> None:
    with service(tmp_path / "data", upload_memory_bytes=1 << 20) as running:
        session = running.alice.session()
        pages = [png(n, 900_000) for n in range(3)]
        answer = running.alice.put(session, *((str(n), page) for n, page in enumerate(pages)), ("3", png(9)))
        assert len(answer.raise_for_status().json()["data"]) == 4
        assert running.stored(*pages) == [True] * 3
        assert running.incoming() == []


def test_parallel_requests_to_one_session_keep_its_limits(small: Service) -> None:
    session = small.alice.session()
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda n: small.alice.put(session, (f"{n}a", png(n)), (f"{n}b", png(n))), range(6)))
    added = [file["id"] for answer in answers if answer.status_code == 200 for file in answer.json()["data"]]
    listed = [file["id"] for file in small.alice.files()]
    assert len(listed) == SESSION_FILES
    assert sorted(added) == sorted(listed)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda file: small.alice.http.delete(f"/upload/{session}/{file}"), listed[:3] * 2))
    assert sorted(answer.status_code for answer in answers) == [200] * 3 + [404] * 3
    answer = small.alice.put(session, *((str(n), png(n)) for n in range(4)))
    assert (len(answer.json()["data"]), len(answer.json()["errors"])) == (3, 1)


def test_one_of_two_begins_at_once_wins(alice: Caller) -> None:
    for _ in range(20):
        alice.close_session()
        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(lambda _n: alice.begin(), range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        winner = next(answer.json()["id"] for answer in answers if answer.status_code == 200)
        assert alice.http.get("/upload").json()["data"]["id"] == winner


# JSON bodies


@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", "/upload/begin", 4096),
        ("POST", f"/upload/begin/{UNKNOWN}", 1024),
        ("POST", "/upload/check-approval-required", 4096),
        ("DELETE", f"/upload/{UNKNOWN}/batch", 20 * 1024),
        ("POST", f"/upload/{UNKNOWN}/commit", 24 * 1024),
    ],
)
def test_json_bodies(alice: Caller, method: str, path: str, limit: int) -> None:
    def status(body: bytes) -> int:
        return alice.http.request(method, path, content=body).status_code

    def chunked(body: bytes) -> int:
        return alice.http.request(method, path, content=iter([body[:500], body[500:]])).status_code

    filled = b'{"a":"' + b"x" * limit
    for send in (status, chunked):
        assert send(filled[: limit - 2] + b'"}') == 400  # read, and found wanting
        assert send(filled[: limit - 1] + b'"}') == 413
    deep = b"[" * (limit // 2) + b"]" * (limit // 2)
    for body in (b"", b"{", b"nonsense", b"\xff\xfe", b"null", b"7", b'"x"', b"{}", b"[]", b"[[]]", b"NaN", deep):
        assert status(body) == 400, body[:20]
    assert status(b'{"manga":"\\ud800' + b"x" * 35 + b'","groups":[],"version":1,"locale":"en"}') == 400


def test_a_commit_or_a_batch_of_500_ids_fits(alice: Caller) -> None:
    session = alice.session()
    ids = [f"{n:08}-0000-4000-8000-000000000000" for n in range(501)]
    draft = DRAFT | {"title": "t" * 255}
    answer = alice.json("POST", f"/upload/{session}/commit", {"chapterDraft": draft, "pageOrder": ids[:500]})
    assert (answer.status_code, "not in this session" in detail(answer)) == (400, True)
    assert "500" in detail(alice.commit(session, ids))
    assert alice.json("DELETE", f"/upload/{session}/batch", ids[:500]).status_code == 200
    compact = json.dumps(ids, separators=(",", ":"))
    answer = alice.http.request("DELETE", f"/upload/{session}/batch", content=compact)
    assert (answer.status_code, "500" in detail(answer)) == (400, True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("manga", "short"),
        ("manga", MANGA + "0"),
        ("groups", ["short"]),
        ("groups", [GROUP[:-1]]),
    ],
)
def test_short_ids_are_told_their_length(alice: Caller, field: str, value: object) -> None:
    alice.close_session()
    answer = alice.begin(**{field: value})
    assert (answer.status_code, "36 characters" in detail(answer)) == (400, True)
    answer = alice.commit(alice.session(), ["short"])
    assert (answer.status_code, "36 characters" in detail(answer)) == (400, True)
    answer = alice.json("DELETE", f"/upload/{UNKNOWN}/batch", ["short"])
    assert (answer.status_code, "36 characters" in detail(answer)) == (400, True)


@pytest.mark.parametrize("given", [
    {"manga": 7}, {"manga": None}, {"manga": [MANGA]}, {"groups": None}, {"groups": GROUP}, {"groups": {}},
    {"groups": [7]},
    {"groups": [GROUP] * 11}, {"extra": 1},
])  # fmt: skip
def test_a_begin_of_other_types_is_refused(alice: Caller, given: dict[str, Any]) -> None:
    alice.close_session()
    assert alice.begin(**given).status_code == 400
    assert alice.http.get("/upload").status_code == 404


def test_a_begin_with_what_does_not_exist_is_not_found(alice: Caller) -> None:
    alice.close_session()
    assert alice.begin(manga=UNKNOWN).status_code == 404
    assert alice.begin(groups=[UNKNOWN]).status_code == 404
    assert alice.begin(manga=MANGA.upper(), groups=[GROUP.upper()]).status_code == 200


@pytest.mark.parametrize("draft", [
    {"extra": 1}, {"termsAccepted": True}, {"volume": "01"}, {"chapter": "1\n"}, {"chapter": 1}, {"title": "t" * 256},
    {"title": 7}, {"translatedLanguage": "EN"}, {"translatedLanguage": None}, {"publishAt": "2026-02-31T00:00:00"},
    {"publishAt": "tomorrow"}, {"externalUrl": "ftp://x"}, {"title": "\ud800"}, {"chapter": "\u0661"},
])  # fmt: skip
def test_a_draft_that_does_not_do_is_refused(alice: Caller, draft: dict[str, Any]) -> None:
    session = alice.session()
    file = alice.put(session, ("0", png())).json()["data"][0]["id"]
    assert alice.commit(session, [file], **draft).status_code == 400
    assert alice.http.get("/upload").json()["data"]["id"] == session
    assert alice.commit(session, [file]).status_code == 200


def test_a_page_order_that_does_not_do_is_refused_by_name(alice: Caller) -> None:
    session = alice.session()
    [one, two] = [file["id"] for file in alice.put(session, ("0", png()), ("1", png(1))).json()["data"]]
    assert one in detail(alice.commit(session, [one, two, one.upper()]))
    assert UNKNOWN in detail(alice.commit(session, [one, UNKNOWN]))
    assert alice.commit(session, []).status_code == 400
    body = {"chapterDraft": DRAFT, "pageOrder": [one], "termsAccepted": False}
    assert alice.json("POST", f"/upload/{session}/commit", body).status_code == 400
    assert alice.commit(session, [], externalUrl="https://example.org/").status_code == 403
    assert alice.commit(session, [two.upper()]).status_code == 200
    assert alice.commit(session, [two]).status_code == 404


def test_an_edit_takes_manga_and_groups_and_wants_the_version(alice: Caller) -> None:
    chapter = alice.chapter(png(), png(1))
    path = f"/upload/begin/{chapter['id']}"
    versions: list[Any] = [0, -1, None, "x", 1.5, [], {}]
    for version in versions:
        assert alice.json("POST", path, {"version": version}).status_code == 400, version
    assert alice.json("POST", path, {"version": 1, "extra": 1}).status_code == 400
    assert alice.json("POST", path, {"version": 2}).status_code == 409
    assert alice.json("POST", path, {"version": 2**70}).status_code == 409
    assert alice.json("PUT", f"/chapter/{chapter['id']}", {"version": 2**70}).status_code in (400, 409)
    answer = alice.json(
        "POST", path.upper().replace("/UPLOAD/BEGIN", "/upload/begin"), {"version": 1, "manga": MANGA, "groups": []}
    )
    assert answer.status_code == 200
    assert [file["attributes"]["source"] for file in alice.files()] == ["remote", "remote"]
    assert alice.json("POST", path, {"version": 1}).status_code == 409


@pytest.mark.parametrize("path", ["%ff", "%00", "%ed%a0%80", "x", "..%2f..%2fx", "x" * 300])
def test_ids_that_nothing_can_have_are_not_found(alice: Caller, path: str) -> None:
    alice.close_session()
    assert alice.http.delete(f"/upload/{path}").status_code == 404
    assert alice.post_form(path, form(('name="a"; filename="a"', png()))).status_code == 404
    assert alice.commit(path, [UNKNOWN]).status_code == 404
    assert alice.json("POST", f"/upload/begin/{path}", {"version": 1}).status_code == 404


# somebody else's


def test_what_is_somebody_elses_is_not_found(served: Service) -> None:
    alice, mallory = served.alice, served.mallory
    session = alice.session()
    file = alice.put(session, ("0", png())).json()["data"][0]["id"]
    own = mallory.session()
    before = alice.http.get("/upload").json()
    refusals = [
        mallory.put(session, ("1", png(1))),
        mallory.commit(session, [file]),
        mallory.http.delete(f"/upload/{session}"),
        mallory.http.delete(f"/upload/{session}/{file}"),
        mallory.http.delete(f"/upload/{own}/{file}"),
        mallory.json("DELETE", f"/upload/{session}/batch", [file]),
    ]
    assert {(answer.status_code, answer.json()["errors"][0]["title"]) for answer in refusals} == {
        (404, "not_found_http_exception")
    }
    assert mallory.json("DELETE", f"/upload/{own}/batch", [file]).status_code == 200  # ignored
    assert mallory.commit(own, [file]).status_code == 400
    assert mallory.http.get("/upload").json()["data"]["id"] == own
    assert (alice.http.get("/upload").json(), len(alice.files())) == (before, 1)
    mallory.close_session()
    assert mallory.http.get("/upload").status_code == 404


def test_a_chapter_that_nobody_else_may_see_is_not_found(served: Service) -> None:
    session = served.alice.session()
    file = served.alice.put(session, ("0", png())).json()["data"][0]["id"]
    later = served.alice.commit(session, [file], publishAt="2999-01-01T00:00:00").json()["data"]["id"]
    served.mallory.close_session()
    for caller, status in ((served.mallory, 404), (served.alice, 409)):
        assert caller.json("POST", f"/upload/begin/{later}", {"version": 9}).status_code == status
    assert served.mallory.http.get(f"/chapter/{later}").status_code == 404


def test_without_a_token_nothing_works(served: Service, alice: Caller) -> None:
    session = alice.session()
    nobody = Caller(served.url, "not.a.token")
    for method, path in (
        ("GET", ""), ("POST", "/begin"), ("POST", f"/begin/{UNKNOWN}"), ("POST", f"/{session}"),
        ("POST", f"/{session}/commit"),
        ("DELETE", f"/{session}"), ("DELETE", f"/{session}/{UNKNOWN}"), ("DELETE", f"/{session}/batch"),
        ("POST", "/check-approval-required"),
    ):  # fmt: skip
        assert nobody.http.request(method, f"/upload{path}").status_code == 401
    nobody.http.close()


def test_paths_and_methods_that_are_not_there(alice: Caller) -> None:
    assert alice.http.get("/upload/").status_code == 404
    assert alice.http.get("/nothing").status_code == 404
    assert alice.http.put("/upload").status_code == 405
    assert alice.http.get("/upload/begin").status_code == 405


# faults of the sandbox


def test_faults_have_the_shape_of_real_answers(served: Service, alice: Caller) -> None:
    session = alice.session()
    for fault in ("429", "401"):
        answer = alice.http.get("/upload", headers={"X-Sandbox-Fault": fault})
        assert answer.status_code == int(fault)
    quiet = httpx2.Client(base_url=served.url, headers=alice.http.headers, trust_env=False)
    with quiet:
        for fault in ("500", "503"):
            answer = quiet.get("/upload", headers={"X-Sandbox-Fault": fault})
            assert (answer.status_code, answer.json()["errors"][0]["status"]) == (int(fault), int(fault))
            assert answer.headers["x-request-id"]
        for fault in ("drop-before", "drop-after"):
            with pytest.raises(httpx2.TransportError):
                quiet.get("/upload", headers={"X-Sandbox-Fault": fault})
    plan = {"fault": "reject-page", "path": f"/upload/{session}", "page": 2, "after": 1}
    assert alice.json("POST", "/sandbox/faults", plan).status_code == 200
    pages = [(str(n), png(n)) for n in range(3)]
    assert alice.put(session, *pages).json()["errors"] == []
    answer = alice.put(session, *pages)
    assert [file["attributes"]["originalFileName"] for file in answer.json()["data"]] == ["0", "2"]
    assert '"1"' in detail(answer)
    assert alice.put(session, *pages).json()["errors"] == []


@pytest.mark.parametrize("plan", [
    {}, [], 7, {"fault": "none"}, {"fault": []}, {"fault": "429", "path": "("}, {"fault": "429", "times": "x"},
    {"fault": "429", "after": -1}, {"fault": "429", "after": None}, {"fault": "late", "wait_s": "x"},
    {"fault": "429", "method": 7},
    {"fault": "429", "extra": 1},
])  # fmt: skip
def test_plans_that_are_none_are_refused(alice: Caller, plan: object) -> None:
    assert alice.json("POST", "/sandbox/faults", plan).status_code == 400
    assert alice.http.get("/upload").status_code in (200, 404)


def test_deep_plans_are_refused(alice: Caller) -> None:
    assert alice.http.post("/sandbox/faults", content=b"[" * 4000).status_code == 400


# limits of requests, and what a strict service asks


def test_limits_of_requests(tmp_path_factory: pytest.TempPathFactory) -> None:
    with service(tmp_path_factory.mktemp("limited") / "data", rate_limits="true") as served:
        answers: list[httpx2.Response] = []
        deadline = time.monotonic() + 30
        while not any(a.status_code == 429 and a.headers[RATE_HEADERS[0]] == "10" for a in answers):
            assert time.monotonic() < deadline
            answers.append(served.alice.commit(UNKNOWN, [UNKNOWN]))
        assert {answer.status_code for answer in answers} == {404, 429}
        now = time.time()
        for answer in answers:
            limit, remaining, ends_at = (int(answer.headers[name]) for name in RATE_HEADERS)
            assert limit in (5, 10)
            assert 0 <= remaining < limit
            assert now - 60 < ends_at < now + 62
            assert answer.status_code == 404 or remaining == 0
        passed = [int(answer.headers[RATE_HEADERS[1]]) for answer in answers if answer.status_code == 404]
        assert passed == sorted(passed, reverse=True)  # no window begins anew within these seconds, or it says so
        other = [_patient(served.mallory, path) for path in ("/manga", "/user/me", "/group")]
        assert not [name for answer in other for name in RATE_HEADERS if name in answer.headers]
        assert _patient(served.mallory, "/upload").headers[RATE_HEADERS[0]] == "30"


def _patient(caller: Caller, path: str) -> httpx2.Response:
    """Ask again for as long as the limit of an address says no."""
    deadline = time.monotonic() + 10
    while (answer := caller.http.get(path)).status_code == 429:
        assert time.monotonic() < deadline
    return answer


def test_without_limits_no_answer_speaks_of_them(alice: Caller) -> None:
    answers = [alice.http.get("/upload"), alice.begin(), alice.commit(UNKNOWN, [UNKNOWN])]
    assert not [name for answer in answers for name in RATE_HEADERS if name in answer.headers]


def test_a_strict_service_asks_for_more(tmp_path_factory: pytest.TempPathFactory) -> None:
    with service(tmp_path_factory.mktemp("strict") / "data", "--strict") as served:
        alice = served.alice
        session = alice.session()
        file = alice.put(session, ("0", png())).json()["data"][0]["id"]
        assert alice.http.get("/upload", headers={"User-Agent": ""}).status_code == 403
        assert alice.http.get("/upload", headers={"Via": "1.1 proxy"}).status_code == 403
        with served.send("GET /upload HTTP/1.1\r\nConnection: close", b"") as connection:
            assert connection.recv(4096).startswith(b"HTTP/1.1 403 ")
        assert "termsAccepted" in detail(alice.commit(session, [file]))
        body = {"chapterDraft": DRAFT, "pageOrder": [file], "termsAccepted": True}
        assert alice.json("POST", f"/upload/{session}/commit", body).status_code == 200


def test_an_edit_into_a_new_language_waits_for_a_moderator(tmp_path_factory: pytest.TempPathFactory) -> None:
    with service(tmp_path_factory.mktemp("approval") / "data", approval="first") as served:
        chapter = served.alice.chapter(png())["id"]
        approved = []
        with peek(served.data_dir) as database:
            database.execute(text("UPDATE chapters SET approved = true"))
            for version, language in ((1, "en"), (2, "fr")):
                begun = served.alice.json("POST", f"/upload/begin/{chapter}", {"version": version}).json()
                order = [file["id"] for file in served.alice.files()]
                answer = served.alice.commit(begun["id"], order, translatedLanguage=language)
                assert answer.status_code == 200
                approved.append(database.execute(text("SELECT approved FROM chapters")).scalar_one())
        assert approved == [1, 0]
