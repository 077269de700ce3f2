"""What type checkers make of the public surface: this file is checked by `make check`, not run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import assert_type

import mangadex_openapi as sdk


def synchronous(api: sdk.UploadApi) -> None:
    session = api.begin_upload_session(begin_upload_session=sdk.BeginUploadSession(manga="m", groups=[]))
    assert_type(session, sdk.UploadSession)
    assert_type(session.id, str | None)
    answer = api.put_upload_session_file("s", file=[Path("a.png"), ("b.png", b""), "c.png"], _request_timeout=(1, 2))
    paths: list[Path] = [Path("a.png")]
    pages: list[bytes] = [b""]
    named: list[tuple[str, bytes]] = [("a", b"")]
    for files in (paths, pages, named):
        given: sdk.FileArgument = files
        api.put_upload_session_file("s", file=given)
    sdk.ChapterDraft(publish_at=datetime(2026, 1, 1, tzinfo=UTC))
    assert_type(answer, sdk.PutUploadSessionFile200Response)
    assert_type(api.commit_upload_session("s"), sdk.Chapter)
    assert_type(api.get_upload_session_with_http_info(), sdk.ApiResponse[sdk.UploadSession])
    assert_type(api.get_upload_session_without_preload_content(), sdk.RESTResponse)
    assert_type(sdk.ChapterApi(api.api_client).get_chapter(limit=1), sdk.ChapterList)
    api.abandon_upload_session(upload_session_id=3)  # type: ignore[arg-type]
    api.abandon_upload_session("s", _request_timeot=3)  # type: ignore[call-arg]
    sdk.ChapterDraft(chaptr="1")  # type: ignore[call-arg]


async def asynchronous(api: sdk.AsyncUploadApi) -> None:
    assert_type(await api.begin_upload_session(), sdk.UploadSession)
    assert_type(await api.get_upload_session_with_http_info(), sdk.ApiResponse[sdk.UploadSession])
    assert_type(await api.get_upload_session_without_preload_content(), sdk.AsyncRESTResponse)
    assert_type(await sdk.AsyncUserApi(api.api_client).get_user_me(), sdk.UserResponse)


def test_the_checked_functions_are_there() -> None:
    assert callable(synchronous)
    assert callable(asynchronous)
