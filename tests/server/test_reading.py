"""Page addresses, page files and the reader page, over a real socket."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from house import NOW, House, Served
from installations import are_big

from mangadex_server.page_files import UnsatisfiableError, requested_range

PNG = b"\x89PNG" + bytes(range(256)) * 3000  # more than one chunk
JPEG = b"\xff\xd8 the second page"
SAVER = b"\xff\xd8 the first page, smaller"
FOLDER = "3303dd03ac8d27452cce3f2a882e94b2"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


FIRST = f"1-{sha256(PNG)}.png"
SECOND = f"2-{sha256(JPEG)}.jpg"
SMALL = f"1-{sha256(SAVER)}.jpg"


class Read:
    """A chapter of two pages, and a server."""

    def __init__(self, house: House, http: httpx2.Client) -> None:
        self.house, self.http = house, http
        self.chapter = house.add_chapter(house.group, hash=FOLDER, title="Smith & <b>Sons</b>")
        house.add_pages(
            self.chapter,
            {"blob": house.keep(PNG), "mime_type": "image/png", "saver_blob": house.keep(SAVER)},
            {"blob": house.keep(JPEG), "mime_type": "image/jpeg"},
        )

    def page(self, name: str = FIRST, kind: str = "data", **headers: str) -> httpx2.Response:
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.http.get(f"/{kind}/{FOLDER}/{name}", headers=sent)


@pytest.fixture
def read(tmp_path: Path) -> Iterator[Read]:
    house = House(tmp_path)
    with Served(house.app()) as http:
        yield Read(house, http)


def test_addresses_lead_to_the_pages(read: Read) -> None:
    body = read.http.get(f"/at-home/server/{read.chapter}?forcePort443=false").json()
    assert body == {
        "result": "ok",
        "baseUrl": str(read.http.base_url).rstrip("/"),
        "chapter": {"hash": FOLDER, "data": [FIRST, SECOND], "dataSaver": [SMALL, SECOND]},
    }
    for kind, names, expected in (("data", "data", [PNG, JPEG]), ("data-saver", "dataSaver", [SAVER, JPEG])):
        for name, data in zip(body["chapter"][names], expected, strict=True):
            answer = httpx2.get(f"{body['baseUrl']}/{kind}/{FOLDER}/{name}", trust_env=False)
            assert (answer.status_code, answer.content) == (200, data)


def test_addresses_are_under_the_public_url(tmp_path: Path) -> None:
    house = House(tmp_path, public_url="https://manga.example/")
    chapter = house.add_chapter()
    with Served(house.app()) as http:
        assert http.get(f"/at-home/server/{chapter}").json()["baseUrl"] == "https://manga.example"


def test_chapters_elsewhere_have_no_pages(read: Read) -> None:
    chapter = read.house.add_chapter(external_url="https://example.org/?a=1&b=2", page_count=0)
    body = read.http.get(f"/at-home/server/{chapter}").json()
    assert body["chapter"] == {"hash": "", "data": [], "dataSaver": []}
    assert '<a href="https://example.org/?a=1&amp;b=2"' in read.http.get(f"/chapter/{chapter}/read").text


def test_pages_beside_a_link_open_at_their_time(read: Read) -> None:
    link = {"external_url": "https://example.org/", "publish_at": NOW + 60}
    chapter = read.house.add_chapter(hash="e" * 32, **link)
    digest = read.house.keep(b"early")
    read.house.add_pages(chapter, {"blob": digest, "mime_type": "image/png", "saver_blob": digest})
    address = f"/data/{'e' * 32}/1-{digest}.png"

    assert read.http.get(f"/at-home/server/{chapter}").json()["chapter"] == {"hash": "", "data": [], "dataSaver": []}
    assert digest not in read.http.get(f"/chapter/{chapter}/read").text
    for path in (address, f"/data-saver/{'e' * 32}/1-{digest}.jpg"):
        assert read.http.get(path).status_code == 404

    read.house.now = NOW + 60
    assert read.http.get(f"/at-home/server/{chapter}").json()["chapter"]["data"] == [f"1-{digest}.png"]
    assert digest in read.http.get(f"/chapter/{chapter}/read").text
    assert read.http.get(address).content == b"early"


@pytest.mark.parametrize(
    "state", [{"readable_at": None}, {"readable_at": NOW + 1}, {"approved": False}, {"broken_reason": "damaged"}]
)
def test_unreadable_chapters_show_nothing(read: Read, state: dict[str, object]) -> None:
    hidden = read.house.add_chapter(hash="f" * 32, **state)
    other = read.house.keep(b"hidden")
    read.house.add_pages(hidden, {"blob": other, "mime_type": "image/png", "saver_blob": other})
    paths = [f"/at-home/server/{hidden}", f"/chapter/{hidden}/read", f"/data/{'f' * 32}/1-{other}.png"]
    for path in [*paths, f"/data-saver/{'f' * 32}/1-{other}.jpg"]:
        answer = read.http.get(path, headers={"Authorization": f"Bearer {read.house.alice}"})
        assert (answer.status_code, answer.json()["result"]) == (404, "error"), path


def test_pages_may_be_kept_for_ever(read: Read) -> None:
    answer = read.page()
    headers = answer.headers
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert headers["etag"] == f'"{sha256(PNG)}"'
    assert headers["content-type"] == "image/png"
    assert headers["content-length"] == str(len(PNG))
    assert headers["x-content-type-options"] == "nosniff"
    assert headers.get("accept-ranges") == (None if are_big() else "bytes")
    assert read.page(SECOND).headers["content-type"] == "image/jpeg"
    assert read.page(SMALL, "data-saver").headers["etag"] == f'"{sha256(SAVER)}"'


def test_head_says_the_same_without_the_page(read: Read) -> None:
    for kind, name in (("data", FIRST), ("data-saver", SMALL)):
        head, full = read.http.head(f"/{kind}/{FOLDER}/{name}"), read.page(name, kind)
        assert (head.status_code, head.content) == (200, b"")
        names = ("content-length", "content-type", "etag", "cache-control")
        assert [head.headers[key] for key in names] == [full.headers[key] for key in names]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f'"{sha256(PNG)}"', 304),
        (f'"other", W/"{sha256(PNG)}"', 304),
        ("*", 304),
        ('"other"', 200),
        (sha256(PNG), 200),
    ],
)
def test_who_has_it_is_told_so(read: Read, given: str, status: int) -> None:
    answer = read.page(if_none_match=given)
    assert (answer.status_code, len(answer.content)) == (status, len(PNG) if status == 200 else 0)
    assert answer.headers["etag"] == f'"{sha256(PNG)}"'
    assert answer.headers["cache-control"].endswith("immutable")


SIZE = len(PNG)


@pytest.mark.embedded(reason="an S3 store gives whole pages only")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("BYTES=10-", (10, SIZE)),
        ("bytes=-5", (SIZE - 5, SIZE)),
        (f"bytes=-{SIZE + 1}", (0, SIZE)),
        (f"bytes=1-{SIZE + 1}", (1, SIZE)),
        (f"bytes=1-{'9' * 18}", (1, SIZE)),
    ],
)
def test_single_ranges(read: Read, given: str, expected: tuple[int, int]) -> None:
    start, end = expected
    answer = read.page(range=given)
    assert (answer.status_code, answer.content) == (206, PNG[start:end])
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("given", ["bytes=0-1,5-6", "bytes=5-4", "bytes=-", "pages=1-2", "bytes=a-b", "bytes=\u0661-"])
def test_other_ranges_are_ignored(given: str) -> None:
    assert requested_range(given, SIZE) is None


@pytest.mark.embedded(reason="an S3 store gives whole pages only")
def test_ranges_behind_the_end(read: Read) -> None:
    for given in (f"bytes={SIZE}-", f"bytes={SIZE + 1}-{SIZE + 9}", "bytes=-0"):
        answer = read.page(range=given)
        assert (answer.status_code, answer.content) == (416, b"")
        assert answer.headers["content-range"] == f"bytes */{SIZE}"


def test_nothing_has_no_range() -> None:
    with pytest.raises(UnsatisfiableError):
        requested_range("bytes=0-", 0)


@pytest.mark.big(reason="a data folder has ranges")
@pytest.mark.parametrize("given", ["bytes=0-0", "bytes=-5", f"bytes={SIZE}-"])
def test_without_ranges_the_whole_is_sent(read: Read, given: str) -> None:
    answer = read.page(range=given)
    assert (answer.status_code, answer.content) == (200, PNG)
    assert "content-range" not in answer.headers


@pytest.mark.embedded(reason="an S3 store gives whole pages only")
def test_a_range_of_another_page_is_not_mixed_in(read: Read) -> None:
    assert read.page(range="bytes=0-1", if_range=f'"{sha256(PNG)}"').status_code == 206
    assert read.page(range="bytes=0-1", if_range='"other"').status_code == 200
    assert read.http.head(f"/data/{FOLDER}/{FIRST}", headers={"Range": "bytes=0-1"}).headers["content-length"] == "2"


@pytest.mark.parametrize(
    "path",
    [
        f"/data/{FOLDER}/2-{sha256(PNG)}.png",
        f"/data/{FOLDER}/01-{sha256(PNG)}.png",
        f"/data/{FOLDER}/1-{sha256(PNG)}.jpg",
        f"/data/{FOLDER}/1-{sha256(PNG).upper()}.png",
        f"/data/{FOLDER}/1-{sha256(SAVER)}.jpg",
        f"/data/{FOLDER}/1-{sha256(b'never')}.png",
        f"/data/{FOLDER}/{sha256(PNG)}",
        f"/data/{'0' * 32}/{FIRST}",
        f"/data/{FOLDER.upper()}/{FIRST}",
        f"/data-saver/{FOLDER}/{FIRST}",
        f"/data/{FOLDER}/..%2F{sha256(PNG)}",
        "/data/..%2f..%2fetc/passwd",
        f"/data/{FOLDER}/%00{FIRST}",
        f"/data/{FOLDER}/{FIRST}%0a",
    ],
)
def test_no_other_address_leads_anywhere(read: Read, path: str) -> None:
    assert read.http.get(path).status_code == 404


def test_a_lost_page_is_not_found(read: Read) -> None:
    assert read.house.blobs.delete_older(sha256(PNG), math.inf)
    assert read.page().status_code == 404
    assert read.page(SECOND).status_code == 200


class Tags(HTMLParser):
    """What a browser would fetch and show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data.strip())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_reader_page_shows_the_pages_in_order(read: Read) -> None:
    address = f"{str(read.http.base_url).rstrip('/')}/chapter/{read.chapter}/read"
    answer = read.http.get(address)
    page = Tags(answer.text)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    shown = [read.http.get(httpx2.URL(address).join(str(image["src"]))).content for image in page.all("img")]
    assert shown == [PNG, JPEG]
    assert [(image["alt"], image["width"], image["height"]) for image in page.all("img")] == [
        ("Page 1", "700", "1000"),
        ("Page 2", "700", "1000"),
    ]
    style = read.http.get(httpx2.URL(address).join(str(page.all("link")[0]["href"])))
    assert (style.status_code, style.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "width=device-width" in str(page.all("meta")[1]["content"])


def test_the_reader_page_is_only_text(read: Read) -> None:
    answer = read.http.get(f"/chapter/{read.chapter}/read")
    page = Tags(answer.text)
    assert {'Official "Test" Manga', "Vol. 1 Ch. 1: Smith & <b>Sons</b>", "Good Group, en"} <= set(page.words)
    assert not page.all("b")
    assert not page.all("script")
    assert not [tag for tag, attributes in page.tags if any(name.startswith(("on", "style")) for name in attributes)]
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_there_is_no_reader_page_of_nothing(read: Read) -> None:
    for id_ in (str(uuid4()), "nonsense"):
        for path in (f"/chapter/{id_}/read", f"/at-home/server/{id_}"):
            assert read.http.get(path).status_code == 404
