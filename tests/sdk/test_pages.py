"""`file=`: what may be given, how it goes out, and that it goes out whole a second time."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from service import Answer, Cut, Service
from twin import Api, Twin

import mangadex_openapi as sdk
from mangadex_openapi._multipart import MultipartBody
from mangadex_openapi._pages import CHUNK_BYTES, SPOOL_BYTES, open_pages

PNG = b"\x89PNG\r\n\x1a\n" + b"png page"
JPEG = b"\xff\xd8\xff\xe0" + b"jpeg page"
GIF = b"GIF89a" + b"gif page"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "
AVIF = b"\x00\x00\x00\x20ftypavif"


class OnlyRead:
    """A stream that cannot seek and has no name, such as the body of a download."""

    def __init__(self, data: bytes) -> None:
        self._inner = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._inner.read(min(size, 1000))  # short reads are allowed


def sent(service: Service) -> list[tuple[str, str, str, bytes]]:
    return [(part.name, part.filename, part.content_type, part.content) for part in service.requests[-1].parts]


@pytest.fixture
def session(upload: Api) -> str:
    return str(upload.begin_upload_session().id)


def test_every_kind_of_file(upload: Api, session: str, service: Service, tmp_path: Path) -> None:
    for name, data in (("a.png", PNG), ("b.jpg", JPEG), ("c.gif", GIF), ("d.bin", b"unknown")):
        (tmp_path / name).write_bytes(data)
    with (tmp_path / "c.gif").open("rb") as opened, (tmp_path / "d.bin").open("rb") as partly_read:
        partly_read.read(2)
        files: list[Any] = [
            PNG,
            bytearray(JPEG),
            memoryview(GIF),
            tmp_path / "a.png",
            str(tmp_path / "b.jpg"),
            opened,
            partly_read,
            io.BytesIO(WEBP),
            OnlyRead(AVIF),
            ("given name", tmp_path / "a.png"),
        ]

        answer = upload.put_upload_session_file(session, file=files)

    assert sent(service) == [
        ("file1", "file1.png", "image/png", PNG),
        ("file2", "file2.jpg", "image/jpeg", JPEG),
        ("file3", "file3.gif", "image/gif", GIF),
        ("file4", "a.png", "image/png", PNG),
        ("file5", "b.jpg", "image/jpeg", JPEG),
        ("file6", "c.gif", "image/gif", GIF),
        ("file7", "d.bin", "application/octet-stream", b"known"),
        ("file8", "file8.webp", "image/webp", WEBP),
        ("file9", "file9.avif", "image/avif", AVIF),
        ("file10", "given name", "image/png", PNG),
    ]
    assert [page.attributes.file_hash for page in answer.data] == [
        hashlib.sha256(content).hexdigest() for _, _, _, content in sent(service)
    ]


def test_the_body_has_a_length_and_an_unquoted_boundary(upload: Api, session: str, service: Service) -> None:
    upload.put_upload_session_file(session, file=OnlyRead(b"x" * (SPOOL_BYTES + 7)))

    headers = service.requests[-1].headers
    assert int(headers["content-length"]) == len(service.requests[-1].body)
    assert "transfer-encoding" not in headers
    assert headers["content-type"].partition("boundary=")[2].isalnum()
    assert len(sent(service)[0][3]) == SPOOL_BYTES + 7


@pytest.mark.parametrize("name", ["ページ 01.png", 'quo"te.png', "semi;colon.png", "100%.png", "C:\\scans\\1.png"])
def test_names_arrive(upload: Api, session: str, service: Service, name: str) -> None:
    upload.put_upload_session_file(session, file=(name, PNG))

    assert sent(service)[0][1] == name.replace('"', "%22")


@pytest.mark.parametrize("fault", [Answer(429), Answer(401)], ids=["429", "401"])
@pytest.mark.parametrize("kind", ["bytes", "path", "open", "stream"])
def test_a_body_goes_out_whole_again(
    upload: Api,
    session: str,
    service: Service,
    configuration: sdk.Configuration,
    tmp_path: Path,
    fault: Answer,
    kind: str,
) -> None:
    data = os.urandom(3 * CHUNK_BYTES + 11)
    path = tmp_path / "page.png"
    path.write_bytes(b"skipped" + data)
    if fault.status == 401:
        tokens = iter(["old", "new", "newer"])
        configuration.access_token = lambda: next(tokens)
    service.fault("POST /upload/[^/]*", fault)
    with path.open("rb") as opened:
        opened.seek(7)
        file: Any = {"bytes": data, "path": ("p", path), "open": ("p", opened), "stream": OnlyRead(data)}[kind]
        upload.put_upload_session_file(session, file=file)

    first, second = service.sent("POST /upload/[^/]*")[-2:]
    assert first.parts[0].content == second.parts[0].content
    assert second.parts[0].content.endswith(data)


REFUSED: list[tuple[Any, str]] = [
    ([], "has 0 files"),
    ([("a", b"1")] * 11, "has 11 files"),
    ([("a.png", b"1"), ("a.png", b"2")], "two files are called 'a.png'"),
    (12, "is int"),
    (io.StringIO("text"), "does not give bytes"),
    (("a", b"1", "image/png"), "must be"),
    ((1, b"1"), "must be"),
    (("line\nend.png", b"1"), "cannot be sent"),
    (("", b"1"), "cannot be sent"),
    (("\udcff.png", b"1"), "cannot be sent"),
    (b"", "is empty"),
    (Path("missing.png"), "missing.png cannot be read: No such file"),
    ("nul\0.png", "cannot be read"),
    (Path(), "not a regular file"),
    (("a", ("b", b"1")), "is tuple"),
]


@pytest.mark.parametrize(("file", "problem"), REFUSED)
def test_what_cannot_be_sent_is_refused_before_sending(upload: Api, service: Service, file: Any, problem: str) -> None:
    with pytest.raises(sdk.InvalidRequest, match=problem) as caught:
        upload.put_upload_session_file("some id", file=file)

    assert caught.value.field == "file"
    assert service.requests == []


def test_an_open_file_at_its_end_is_not_sent_as_an_empty_page(upload: Api, service: Service) -> None:
    stream = io.BytesIO(PNG)
    stream.read()

    with pytest.raises(sdk.InvalidRequest, match="empty"):
        upload.put_upload_session_file("some id", file=stream)

    assert service.requests == []


def test_a_closed_file_is_named(upload: Api, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(PNG)
    with path.open("rb") as closed:
        pass

    with pytest.raises(sdk.InvalidRequest, match=r"page\.png cannot be read: .*closed"):
        upload.put_upload_session_file("some id", file=closed)


def test_without_files_the_service_decides(upload: Api, session: str, service: Service) -> None:
    with pytest.raises(sdk.BadRequest, match=r"^\(400\) Bad Request: put_upload_session_file: No file"):
        upload.put_upload_session_file(session)

    assert service.requests[-1].headers["content-type"].startswith("multipart/form-data")


@pytest.mark.parametrize(
    ("change", "problem"), [(b"shorter", "now 7"), (b"x" * 200, "now more"), (None, "cannot be read")]
)
def test_a_file_that_changes_while_it_is_sent_is_refused(tmp_path: Path, change: bytes | None, problem: str) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(b"x" * 100)
    with open_pages(path) as pages:
        body = MultipartBody(pages)
        if change is None:
            path.unlink()
        else:
            path.write_bytes(change)

        with pytest.raises(sdk.InvalidRequest, match=problem):
            list(body)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    with path.open("wb") as file:
        file.truncate(200 << 20)
    with open_pages(path) as pages:
        tracemalloc.start()
        length = sum(len(chunk) for chunk in MultipartBody(pages))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert length > 200 << 20
    assert peak < 4 * CHUNK_BYTES


def test_a_stream_of_unknown_length_waits_in_a_file_not_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    with path.open("wb") as file:
        file.truncate(50 << 20)
    with path.open("rb") as opened:
        tracemalloc.start()
        with open_pages(OnlyReadFile(opened)) as pages:
            length = pages[0].source.size
            _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert length == 50 << 20
    assert peak < SPOOL_BYTES * 4


class OnlyReadFile:
    def __init__(self, file: Any) -> None:
        self._file = file

    def read(self, size: int, /) -> bytes:
        return bytes(self._file.read(size))


class Unreadable(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        if self.tell() and size:
            raise OSError(5, "Input/output error")
        return super().read(size)


def test_a_file_that_cannot_be_read_further_is_named(upload: Api, session: str) -> None:
    with pytest.raises(sdk.InvalidRequest, match=r"the stream cannot be read: .*Input/output error"):
        upload.put_upload_session_file(session, file=Unreadable(bytes(2 * CHUNK_BYTES)))


@pytest.mark.parametrize("fault", [Answer(429), Answer(503), Cut()], ids=["429", "503", "cut"])
def test_the_same_call_with_the_same_open_file_can_be_made_again(
    twin: Twin, service: Service, fault: Answer | Cut
) -> None:
    api = twin.api("UploadApi", sdk.Configuration(host=service.address, retries=0, pacing=False))
    session = api.begin_upload_session()
    service.fault("POST /upload/[^/]*", fault, fault)
    stream = io.BytesIO(b"skipped" + JPEG * 100)
    stream.seek(7)
    for _ in range(2):
        with pytest.raises(sdk.OpenApiException):
            api.put_upload_session_file(session.id, file=("p.jpg", stream))

    api.put_upload_session_file(session.id, file=("p.jpg", stream))

    assert sent(service) == [("file1", "p.jpg", "image/jpeg", JPEG * 100)]


def test_a_stream_that_has_nothing_yet_is_refused(upload: Api, service: Service) -> None:
    class NonBlocking:
        def read(self, _size: int, /) -> Any:
            return None

    with pytest.raises(sdk.InvalidRequest, match="non-blocking"):
        upload.put_upload_session_file("some id", file=NonBlocking())
    assert service.requests == []


def test_files_are_read_off_the_event_loop() -> None:
    threads: set[str] = set()

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            threads.add(threading.current_thread().name)
            return super().read(size)

    async def read_all(stream: Watched) -> int:
        with open_pages(stream) as pages:
            threads.clear()
            return sum([len(chunk) async for chunk in MultipartBody(pages)])

    assert asyncio.run(read_all(Watched(PNG * 1000))) > len(PNG) * 1000
    assert threads
    assert threading.current_thread().name not in threads
