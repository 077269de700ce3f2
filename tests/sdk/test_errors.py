"""Errors: the right class, a text that says what to do, and everything needed for a report."""

from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from service import Answer, Cut, Service, error_body
from twin import Api, Twin

import mangadex_openapi as sdk

REQUEST_ID = "11111111-2222-4333-8444-555555555555"
CLASSES = [
    (400, sdk.BadRequest),
    (401, sdk.Unauthorized),
    (403, sdk.Forbidden),
    (404, sdk.NotFound),
    (409, sdk.Conflict),
    (413, sdk.PayloadTooLarge),
    (418, sdk.ApiException),
    (422, sdk.UnprocessableEntity),
    (429, sdk.RateLimited),
    (500, sdk.Service),
    (503, sdk.Service),
    (599, sdk.Service),
]


@pytest.mark.parametrize(("status", "kind"), CLASSES)
def test_each_status_has_its_class(upload: Api, service: Service, status: int, kind: type) -> None:
    service.fault(".*", *[Answer(status, error_body(status, "some_exception", "Because."), {"X-Extra": "1"})] * 3)

    with pytest.raises(sdk.ApiException) as caught:
        upload.begin_upload_session()

    error = caught.value
    assert type(error) is kind
    assert isinstance(error, sdk.OpenApiException)
    assert (error.status, error.operation, error.request_id) == (status, "begin_upload_session", REQUEST_ID)
    assert error.headers["x-extra"] == "1"
    assert json.loads(error.body) == error_body(status, "some_exception", "Because.")
    assert [(item.status, item.title, item.detail) for item in error.errors] == [(status, "some_exception", "Because.")]
    assert str(error).startswith(f"({status}) {error.reason}: begin_upload_session: Because. ")
    assert error.advice in str(error)
    assert REQUEST_ID in str(error)


BODIES: list[tuple[Any, str]] = [
    ("<html><body>Bad   Gateway</body></html>", "without its error format: <html><body>Bad Gateway</body></html>"),
    (None, "the service gave no reason"),
    ('{"result": "error", "errors": [{"id": ', "without its error format"),
    ('["list"]', "without its error format"),
    ('{"errors": "text"}', "without its error format"),
    ('{"errors": ["text"]}', "without its error format"),
    (error_body(400, "only_title", None), ": only_title."),
    ({"errors": [{"context": {"siteKey": "k"}}]}, "without its error format"),
]


@pytest.mark.parametrize(("body", "told"), BODIES)
def test_any_body_of_an_error_survives(upload: Api, service: Service, body: Any, told: str) -> None:
    service.fault(".*", Answer(400, body, {"Content-Type": "text/html"}))

    with pytest.raises(sdk.BadRequest) as caught:
        upload.get_upload_session()

    assert told in str(caught.value)


FORBIDDEN: list[tuple[Any, dict[str, str], str]] = [
    (error_body(403, "captcha_required_exception", "Solve it"), {}, "captcha"),
    (None, {"X-Captcha-Sitekey": "key"}, "captcha"),
    (error_body(403, "access_denied_http_exception", "Not your group"), {}, "lacks the permission"),
    ("<html>Forbidden</html>", {}, "stop all requests"),
]


@pytest.mark.parametrize(("body", "headers", "told"), FORBIDDEN)
def test_the_three_kinds_of_403(upload: Api, service: Service, body: Any, headers: dict[str, str], told: str) -> None:
    service.fault(".*", Answer(403, body, headers))

    with pytest.raises(sdk.Forbidden, match=told):
        upload.get_upload_session()


def test_a_rate_limit_tells_the_wait(upload: Api, service: Service) -> None:
    service.fault(".*", *[Answer(429, None, {"Retry-After": "0"})] * 2, Answer(429, None, {"Retry-After": "42"}))

    with pytest.raises(sdk.RateLimited, match=r"Try again in 42 s\. .*3 attempts") as caught:
        upload.get_upload_session()

    assert caught.value.retry_after_s == 42.0
    assert caught.value.attempts == 3


def test_a_redirect_is_told_and_not_followed(upload: Api, service: Service) -> None:
    service.fault(".*", Answer(301, None, {"Location": "https://elsewhere.test/upload"}))

    with pytest.raises(sdk.ApiException, match=r"^\(301\) .*points to https://elsewhere\.test/upload"):
        upload.get_upload_session()

    assert len(service.requests) == 1


LOST = [Cut(), Cut(act_first=True), Cut(act_first=True, answer_bytes=20)]


@pytest.mark.parametrize("cut", LOST, ids=["before acting", "after acting", "in the answer"])
def test_a_lost_answer_of_a_begin_is_not_asked_for_twice(upload: Api, service: Service, cut: Cut) -> None:
    service.fault(".*", cut)

    with pytest.raises(
        sdk.ConnectionFailed, match=r"^begin_upload_session: the connection to 127.0.0.1 broke"
    ) as caught:
        upload.begin_upload_session()

    assert caught.value.maybe_sent is True
    assert not isinstance(caught.value, sdk.TimedOut)
    assert len(service.requests) == 1
    assert (service.session is not None) == cut.act_first


@pytest.mark.parametrize("cut", LOST, ids=["before acting", "after acting", "in the answer"])
def test_a_lost_answer_of_a_read_is_asked_for_again(upload: Api, service: Service, cut: Cut) -> None:
    opened = upload.begin_upload_session()
    service.fault("GET .*", cut, cut)

    assert upload.get_upload_session().id == opened.id
    assert len(service.sent("GET /upload")) == 3


def test_what_is_gone_after_a_lost_answer_was_removed_by_it(upload: Api, service: Service) -> None:
    session = upload.begin_upload_session()
    service.fault("DELETE .*", Cut(act_first=True))

    assert upload.abandon_upload_session_with_http_info(session.id).data.result == "ok"
    with pytest.raises(sdk.NotFound):
        upload.abandon_upload_session(session.id)


@pytest.mark.parametrize("name", ["put_upload_session_file", "commit_upload_session"])
def test_pages_and_commits_are_not_repeated_blindly(upload: Api, service: Service, name: str) -> None:
    session = upload.begin_upload_session()
    arguments: dict[str, Any] = (
        {"file": b"page"} if name.startswith("put") else {"commit_upload_session": {"chapter_draft": {}}}
    )
    service.fault("POST /upload/.+", Cut(act_first=True), Answer(502, "<html>"))

    with pytest.raises(sdk.ConnectionFailed, match="look before you send it again"):
        getattr(upload, name)(session.id, **arguments)
    with pytest.raises(sdk.Service, match="look first whether it did"):
        getattr(upload, name)(session.id, **arguments)

    assert len(service.requests) == 3


def test_nobody_there_means_nothing_sent(upload: Api, service: Service) -> None:
    nobody = sdk.Configuration(host="http://127.0.0.1:1", access_token="t", retries=1, pacing=False)

    with pytest.raises(
        sdk.ConnectionFailed, match=r"no connection to 127\.0\.0\.1 .*Nothing was sent.*\[2 attempts\]"
    ) as caught:
        upload.twin.api("UploadApi", nobody).begin_upload_session()

    assert caught.value.maybe_sent is False


def test_a_raw_answer_that_breaks_off_is_our_error(upload: Api, service: Service) -> None:
    service.fault(".*", Cut(act_first=True, answer_bytes=20))
    raw = upload.begin_upload_session_without_preload_content()

    with pytest.raises(sdk.ConnectionFailed):
        upload.twin.finish(raw.read())


ERRORS = [
    sdk.InvalidRequest("file", "is empty"),
    sdk.NotFound(404, "Not Found", headers={"a": "b"}, body="x", operation="get", attempts=2),
    sdk.ConnectionFailed("get", "broke", maybe_sent=False),
    sdk.LoginRefused("no", status=401, error="invalid_grant"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_cross_processes(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)


def test_the_client_that_is_closed_says_so(upload: Api, service: Service) -> None:
    upload.twin.finish(upload.raw.api_client.close())

    with pytest.raises(sdk.OpenApiException, match="closed"):
        upload.get_upload_session()


ODD_ANSWERS: list[tuple[int, Any, dict[str, str]]] = [
    (200, "[" * 200_000, {}),
    (400, "[" * 200_000, {}),
    *[(400, "text", {"Content-Type": f"text/html; charset={name}"}) for name in ("hex", "idna", "punycode", "rot13")],
    (429, None, {"X-RateLimit-Retry-After": "9" * 400}),
    (429, None, {"Retry-After": "9" * 5000}),
]


@pytest.mark.parametrize(("status", "body", "headers"), ODD_ANSWERS)
def test_no_answer_makes_a_foreign_error(
    twin: Twin, service: Service, status: int, body: Any, headers: dict[str, str]
) -> None:
    service.fault(".*", Answer(status, body, headers))
    with pytest.raises(sdk.ApiException):
        twin.api("UploadApi", sdk.Configuration(host=service.address, retries=0)).get_upload_session()


def test_a_header_is_sent_once_however_it_is_spelled(upload: Api, service: Service) -> None:
    upload.raw.api_client.set_default_header("USER-AGENT", "tool/1")
    upload.begin_upload_session(begin_upload_session={"groups": []}, _headers={"content-type": "application/x"})
    session = service.session
    assert session is not None
    upload.put_upload_session_file(session["id"], file=b"page", _headers={"content-type": "text/plain"})

    assert upload.raw.api_client.user_agent == "tool/1"
    begin, put = service.requests
    assert begin.headers["user-agent"] == "tool/1"
    assert begin.headers["content-type"] == "application/x"
    assert put.headers["content-type"].startswith("multipart/form-data")


@pytest.mark.parametrize("name", ["begin_upload_session", "begin_edit_session", "commit_upload_session"])
def test_a_body_in_the_place_of_the_content_type_is_not_lost(upload: Api, service: Service, name: str) -> None:
    arguments: list[Any] = [{"groups": []}] if name == "begin_upload_session" else ["some id", {"groups": []}]
    with pytest.raises(sdk.InvalidRequest, match=r"content_type: is dict; .*by its name"):
        getattr(upload, name)(*arguments)
    assert service.requests == []


def test_a_closed_raw_answer_says_so(upload: Api, service: Service) -> None:
    raw = upload.get_upload_session_without_preload_content()
    upload.twin.finish(raw.close())
    with pytest.raises(sdk.OpenApiException, match="closed, or was read already"):
        upload.twin.finish(raw.read())


BAD_OPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"_host_index": 1}, "_host_index"),
    ({"_request_timeout": 0}, "_request_timeout"),
    ({"_request_timeout": True}, "_request_timeout"),
    ({"_request_timeout": (1, 2, 3)}, "_request_timeout"),
    ({"_request_timeout": "soon"}, "_request_timeout"),
    ({"_request_auth": "secret\n"}, "_request_auth"),
    ({"_request_auth": {"type": "basic"}}, "_request_auth"),
    ({"_headers": {"bad name": "x"}}, "_headers"),
    ({"_headers": {"X": "secret\r\nY: z"}}, "_headers"),
    ({"_content_type": "a\nb"}, "_content_type"),
    ({"_request_auth": "secret "}, "_request_auth"),
    ({"_headers": {"X": "é"}}, "_headers"),
    ({"_headers": {"Content-Length": "3"}}, "_headers"),
    ({"_request_timeout": float("inf")}, "_request_timeout"),
    ({"includes": "manga"}, "includes"),
]


@pytest.mark.parametrize(("options", "field"), BAD_OPTIONS)
def test_options_are_checked_and_named(upload: Api, service: Service, options: dict[str, Any], field: str) -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        upload.get_upload_session(**options)

    assert caught.value.field == field
    assert "secret" not in str(caught.value)
    assert service.requests == []


BAD_ARGUMENTS: list[tuple[str, str, dict[str, Any], str]] = [
    ("UploadApi", "abandon_upload_session", {"upload_session_id": ""}, "upload_session_id"),
    ("UploadApi", "abandon_upload_session", {"upload_session_id": None}, "upload_session_id"),
    ("UploadApi", "delete_uploaded_session_files", {"upload_session_id": "s", "request_body": "abc"}, "request_body"),
    (
        "UploadApi",
        "delete_uploaded_session_files",
        {"upload_session_id": "s", "request_body": ["x"] * 501},
        "request_body",
    ),
    ("UploadApi", "begin_upload_session", {"begin_upload_session": 3}, "begin_upload_session"),
    ("UploadApi", "begin_upload_session", {"begin_upload_session": {"groups": ["x"]}}, "groups.0"),
    ("UploadApi", "abandon_upload_session", {"upload_session_id": "\udcff"}, "upload_session_id"),
    ("UploadApi", "delete_uploaded_session_files", {"upload_session_id": "s", "request_body": ["\udcff"]}, "body"),
    ("ChapterApi", "get_chapter", {"title": "\udcff"}, "title"),
    ("UploadApi", "abandon_upload_session", {"upload_session_id": sdk.UploadSession()}, "upload_session_id"),
    ("UploadApi", "abandon_upload_session", {"upload_session_id": "x" * 70_000}, "abandon_upload_session"),
    ("ChapterApi", "get_chapter", {"order": {"\udcff": "asc"}}, "order"),
    ("ChapterApi", "get_chapter", {"content_rating": "safe"}, "contentRating"),
    ("ChapterApi", "get_chapter", {"limit": "5"}, "limit"),
    ("ChapterApi", "get_chapter", {"limit": 101}, "limit"),
    ("ChapterApi", "get_chapter", {"limit": 100, "offset": 9901}, "offset"),
    ("ChapterApi", "get_chapter", {"ids": ["x"] * 101}, "ids"),
]


@pytest.mark.parametrize(("api", "name", "arguments", "field"), BAD_ARGUMENTS)
def test_arguments_are_checked_and_named(
    upload: Api, configuration: sdk.Configuration, service: Service, api: str, name: str, arguments: Any, field: str
) -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        getattr(upload.twin.api(api, configuration), name)(**arguments)

    assert caught.value.field == field
    assert service.requests == []


def test_an_unknown_option_is_a_type_error(upload: Api) -> None:
    with pytest.raises(TypeError, match="_request_timeot"):
        upload.get_upload_session(_request_timeot=3)
    with pytest.raises(TypeError, match="upload_session_id"):
        upload.abandon_upload_session()
