"""Our own client against our own server, both real: a chapter from pages on disk to bytes in a reader's hand."""

from __future__ import annotations

import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import httpx2
import pytest
import pyvips
from program import PROGRAM, Running, sandbox, start

import mangadex_openapi as sdk

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with sandbox(tmp_path / "data") as running:
        yield running


def configuration(url: str) -> sdk.Configuration:
    person = sdk.PersonalClient(
        username="sandbox",
        password="sandbox-password",
        client_id="personal-client-sandbox",
        client_secret="sandbox-secret",
    )
    return sdk.Configuration(host=url, auth=person, pacing=False)


@pytest.fixture
def client(server: Running) -> Iterator[sdk.ApiClient]:
    with sdk.ApiClient(configuration(server.url)) as client:
        yield client


def page(number: int, kind: str = ".png") -> bytes:
    """A page that differs from all others."""
    image = pyvips.Image.text(f"page {number}", dpi=300).embed(20, 20, 400, 600)
    return bytes(image.write_to_buffer(kind))


def begin(api: sdk.UploadApi) -> str:
    body = sdk.BeginUploadSession(manga=MANGA, groups=[GROUP])
    return str(api.begin_upload_session(begin_upload_session=body).id)


def commit(api: sdk.UploadApi, session: str, order: list[str], **draft: str) -> sdk.Chapter:
    body = sdk.CommitUploadSession(
        chapter_draft=sdk.ChapterDraft(**{"chapter": "1", "translated_language": "en", **draft}),
        page_order=order,
        terms_accepted=True,
    )
    return api.commit_upload_session(session, commit_upload_session=body)


def put(api: sdk.UploadApi, session: str, pages: dict[str, bytes]) -> dict[str, str]:
    answer = api.put_upload_session_file(session, file=list(pages.items()))
    assert answer.errors == []
    return {
        str(stored.attributes.original_file_name): str(stored.id) for stored in answer.data or [] if stored.attributes
    }


def until_readable(client: sdk.ApiClient, chapter_id: str) -> sdk.GetAtHomeServerChapterId200Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            return sdk.AtHomeApi(client).get_at_home_server_chapter_id(chapter_id)
        except sdk.NotFound:
            assert time.monotonic() < deadline, "the chapter did not become readable"
            time.sleep(0.05)


def fetched(where: sdk.GetAtHomeServerChapterId200Response) -> list[bytes]:
    assert where.chapter is not None
    assert where.chapter.data is not None
    addresses = [f"{where.base_url}/data/{where.chapter.hash}/{name}" for name in where.chapter.data]
    return [urlopen(address, timeout=10).read() for address in addresses]


def test_a_chapter_has_its_pages_in_order_and_byte_for_byte(client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    session = begin(api)
    pages = {f"{number}{kind}": page(number, kind) for number, kind in enumerate([".png", ".jpg", ".gif"] * 3)}
    ids = put(api, session, pages)
    order = sorted(pages, reverse=True)

    chapter = commit(api, session, [ids[name] for name in order], title="Backwards")

    where = until_readable(client, str(chapter.id))
    assert fetched(where) == [pages[name] for name in order]
    assert where.chapter is not None
    assert len(where.chapter.data_saver or []) == len(pages)
    read = sdk.ChapterApi(client).get_chapter_id(str(chapter.id)).data
    assert read is not None
    assert read.attributes is not None
    assert (read.attributes.pages, read.attributes.title) == (len(pages), "Backwards")
    with pytest.raises(sdk.NotFound):
        api.get_upload_session()


def test_what_is_no_page_is_refused_by_name_and_the_rest_kept(client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    session = begin(api)
    whole = page(1)
    files = [("good.png", whole), ("cut.png", whole[:-20]), ("text.png", b"not an image at all")]

    answer = api.put_upload_session_file(session, file=files)

    assert [stored.attributes.original_file_name for stored in answer.data or [] if stored.attributes] == ["good.png"]
    details = [str(error.detail) for error in answer.errors or []]
    assert ["cut.png" in details[0], "text.png" in details[1]] == [True, True]
    shown = api.get_upload_session(includes=["upload_session_file"])
    files_shown = [item for item in shown.relationships or [] if item.type == "upload_session_file"]
    assert [item.attributes["fileHash"] for item in files_shown if item.attributes] == [
        hashlib.sha256(whole).hexdigest()
    ]


def test_an_edit_keeps_reorders_and_adds_pages(client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    session = begin(api)
    ids = put(api, session, {"a": page(1), "b": page(2)})
    chapter = commit(api, session, [ids["a"], ids["b"]])
    until_readable(client, str(chapter.id))

    edit = api.begin_edit_session(
        str(chapter.id), begin_edit_session=sdk.BeginEditSession(version=1), includes=["upload_session_file"]
    )
    present = {
        item.attributes["originalFileName"]: str(item.id)
        for item in edit.relationships or []
        if item.type == "upload_session_file" and item.attributes
    }
    added = put(api, str(edit.id), {"c": page(3)})
    changed = commit(api, str(edit.id), [added["c"], present["b"], present["a"]], title="Changed")

    assert changed.id == chapter.id
    assert changed.attributes is not None
    assert changed.attributes.version == 2
    until = time.monotonic() + 60  # until then readers have the pages of before
    while (shown := fetched(until_readable(client, str(chapter.id)))) == [page(1), page(2)]:
        assert time.monotonic() < until
    assert shown == [page(3), page(2), page(1)]
    with pytest.raises(sdk.Conflict):
        api.begin_edit_session(str(chapter.id), begin_edit_session=sdk.BeginEditSession(version=1))


def test_refusals_of_a_commit_name_the_files(client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    session = begin(api)
    ids = put(api, session, {"a": page(1)})
    stranger = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(sdk.BadRequest, match=stranger):
        commit(api, session, [ids["a"], stranger])
    with pytest.raises(sdk.BadRequest, match=rf"more than once: {ids['a']}"):
        commit(api, session, [ids["a"], ids["a"]])
    with pytest.raises(sdk.BadRequest, match="at least one page"):
        commit(api, session, [])
    assert api.get_upload_session().id == session


def test_one_session_at_a_time_and_abandoning_frees_it(client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    session = begin(api)
    with pytest.raises(sdk.Conflict):
        begin(api)
    api.abandon_upload_session(session)
    with pytest.raises(sdk.NotFound):
        api.abandon_upload_session(session)
    assert begin(api) != session


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start("--sandbox", "--port", "0", "--data-dir", str(data))
    port = running.url.rpartition(":")[2]
    pages = {f"{number}.png": page(number) for number in range(5)}
    with sdk.ApiClient(configuration(running.url)) as client:
        api = sdk.UploadApi(client)
        session = begin(api)
        ids = put(api, session, pages)
        running.kill()
        with pytest.raises(sdk.ConnectionFailed):
            api.get_upload_session()
        again = start("--sandbox", "--port", port, "--data-dir", str(data))
        try:
            chapter = commit(api, session, [ids[name] for name in pages])
            assert fetched(until_readable(client, str(chapter.id))) == list(pages.values())
        finally:
            assert again.stop() == 0


def test_a_second_server_on_the_same_folder_refuses_to_start(server: Running, tmp_path: Path) -> None:
    command = [PROGRAM, "run", "--sandbox", "--port", "0", "--data-dir", str(tmp_path / "data")]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode == 2
    assert "Another mangadex-server is running" in second.stderr


def test_the_sandbox_does_not_listen_beyond_this_machine() -> None:
    done = subprocess.run(
        [PROGRAM, "run", "--sandbox", "--host", "0.0.0.0"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "this machine only" in done.stderr


def test_killing_the_program_ends_all_of_its_processes(tmp_path: Path) -> None:
    running = start("--sandbox", "--port", "0", "--data-dir", str(tmp_path / "data"))
    children = descendants(running.process.pid)
    assert children
    running.kill()
    deadline = time.monotonic() + 10
    while alive := [child for child in children if Path(f"/proc/{child}/stat").exists() and not is_zombie(child)]:
        assert time.monotonic() < deadline, f"still running: {alive}"
        time.sleep(0.02)


def descendants(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_faults_on_demand(server: Running, client: sdk.ApiClient) -> None:
    api = sdk.UploadApi(client)
    control = f"{server.url}/sandbox/faults"
    with httpx2.Client() as http:
        assert http.post(control, json={"fault": "503", "path": "/upload", "after": 1, "times": 1}).status_code == 200
        with pytest.raises(sdk.NotFound):
            api.get_upload_session()
        once = sdk.Configuration(host=server.url, retries=0, access_token="x")
        with sdk.ApiClient(once) as impatient, pytest.raises(sdk.Service):
            sdk.UploadApi(impatient).get_upload_session()
        assert http.post(control, json={"fault": "drop-after", "path": "/upload/begin"}).status_code == 200
        with pytest.raises(sdk.ConnectionFailed):
            begin(api)
        assert api.get_upload_session().id
        assert http.post(control, json={"fault": "nonsense"}).status_code == 400
