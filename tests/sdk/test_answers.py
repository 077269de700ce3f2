"""Whatever shape an answer has on the wire, the caller gets a filled model or an error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from service import Answer, Service, entity, envelope
from twin import Api

import mangadex_openapi as sdk

MANGA = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
GROUP = "18dadd0b-cbce-41c4-a8a9-5e653780b9ff"
SESSION = entity(
    "upload_session",
    {"isCommitted": False, "isProcessed": False, "isDeleted": False, "version": 1, "sparkle": "new"},
    relationships=[{"id": MANGA, "type": "manga"}, {"id": GROUP, "type": "scanlation_group", "attributes": []}],
)
CHAPTER = entity(
    "chapter",
    {"volume": None, "chapter": "2", "title": "Example", "translatedLanguage": "pt-br", "pages": 0, "version": 1},
    relationships=[{"id": MANGA, "type": "manga"}],
)


@pytest.mark.parametrize(
    "body", [envelope(SESSION), SESSION, {**envelope(SESSION), **SESSION}], ids=["real", "bare", "both"]
)
@pytest.mark.parametrize("name", ["get_upload_session", "begin_upload_session", "begin_edit_session"])
def test_a_session_is_read_in_every_shape(upload: Api, service: Service, name: str, body: Any) -> None:
    service.fault(".*", Answer(body=body))
    given = {"chapter_id": "some id"} if name == "begin_edit_session" else {}

    session = getattr(upload, name)(**given)

    assert type(session).__name__ == "UploadSession"
    assert session.id == SESSION["id"]
    assert session.type == "upload_session"
    assert session.attributes.is_committed is False
    assert session.attributes.sparkle == "new"
    assert [(other.id, other.type) for other in session.relationships] == [
        (MANGA, "manga"),
        (GROUP, "scanlation_group"),
    ]
    assert session.relationships[0].attributes is None
    assert session.relationships[1].attributes == {}


@pytest.mark.parametrize("body", [envelope(CHAPTER), CHAPTER], ids=["real", "bare"])
def test_a_committed_chapter_is_read_in_both_shapes(upload: Api, service: Service, body: Any) -> None:
    service.fault(".*", Answer(body=body))

    chapter = upload.commit_upload_session("some id")

    assert type(chapter).__name__ == "Chapter"
    assert (chapter.id, chapter.attributes.chapter, chapter.attributes.volume) == (CHAPTER["id"], "2", None)
    assert chapter.to_dict() == CHAPTER


NO_ANSWERS = [
    {},
    {"result": "ok"},
    {"data": {}},
    {"data": []},
    [],
    "text",
    None,
    '{"id": "cut o',
    "<html>",
    {"data": {"id": 3}, "id": None},
]


@pytest.mark.parametrize("body", [*NO_ANSWERS[:-1], {"data": {"id": "x", "relationships": "none"}}], ids=repr)
def test_a_success_without_an_entity_is_an_error(upload: Api, service: Service, body: Any) -> None:
    service.fault(".*", Answer(body=json.dumps(body) if isinstance(body, list) else body))

    with pytest.raises(sdk.UnexpectedAnswer, match=r"^\(200\) OK: get_upload_session: ") as caught:
        upload.get_upload_session()

    assert caught.value.status == 200
    assert caught.value.request_id == "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("put_upload_session_file", {"upload_session_id": "s", "file": b"page"}),
        ("upload_check_approval_required", {}),
        ("abandon_upload_session", {"upload_session_id": "s"}),
        ("delete_uploaded_session_files", {"upload_session_id": "s", "request_body": []}),
        ("delete_uploaded_session_file", {"upload_session_id": "s", "upload_session_file_id": "f"}),
    ],
)
def test_an_answer_of_another_kind_is_an_error(upload: Api, service: Service, name: str, arguments: Any) -> None:
    service.fault(".*", Answer(body={"strange": True}))

    with pytest.raises(sdk.UnexpectedAnswer):
        getattr(upload, name)(**arguments)


@pytest.mark.parametrize("answer", [Answer(204), Answer(201, {"result": "ok"}), Answer(200, {"result": "ok"})])
def test_any_2xx_acknowledges(upload: Api, service: Service, answer: Answer) -> None:
    service.fault(".*", answer)

    assert upload.abandon_upload_session("s").result == "ok"


def test_a_partly_accepted_request_shows_both_sides(upload: Api, service: Service) -> None:
    service.refused_names = {"bad.png"}
    session = upload.begin_upload_session()

    answer = upload.put_upload_session_file(session.id, file=[("good.png", b"1"), ("bad.png", b"2")])

    assert [page.attributes.original_file_name for page in answer.data] == ["good.png"]
    assert [error.detail for error in answer.errors] == ["bad.png: unsupported"]


def test_a_chapter_from_begin_to_commit(upload: Api, service: Service) -> None:
    session = upload.begin_upload_session(
        begin_upload_session=sdk.BeginUploadSession(manga=MANGA, groups=[GROUP]), includes=["manga", "user"]
    )
    pages = [upload.put_upload_session_file(session.id, file=(f"{n}.png", b"page %d" % n)).data[0] for n in range(3)]
    upload.delete_uploaded_session_file(session.id, pages[0].id)
    upload.delete_uploaded_session_files(session.id, request_body=[pages[1].id, "unknown"])
    approval = upload.upload_check_approval_required(sdk.UploadCheckApprovalRequiredRequest(manga=MANGA, locale="en"))
    chapter = upload.commit_upload_session(
        session.id,
        commit_upload_session=sdk.CommitUploadSession(
            chapter_draft=sdk.ChapterDraft(chapter="1", translated_language="en"),
            page_order=[pages[2].id],
            terms_accepted=True,
        ),
        includes=["manga"],
    )

    assert approval.requires_approval is True
    assert chapter.id == service.chapters[0]["id"]
    begin, commit = service.sent("POST /upload/begin")[0], service.sent("POST /upload/.*/commit")[0]
    assert begin.json() == {"manga": MANGA, "groups": [GROUP]}
    assert begin.query == [("includes[]", "manga"), ("includes[]", "user")]
    assert commit.query == [("includes[]", "manga")]
    assert commit.json() == {
        "chapterDraft": {"volume": None, "chapter": "1", "title": None, "translatedLanguage": "en"},
        "pageOrder": [pages[2].id],
        "termsAccepted": True,
    }
    assert service.sent("DELETE /upload/.*/batch")[0].json() == [pages[1].id, "unknown"]
    for request in service.requests:
        assert request.headers["authorization"] == "Bearer token-abc"
        assert request.headers["user-agent"] == f"mangadex-openapi/{sdk.__version__}"
        assert request.headers["accept"] == "application/json"
        assert "via" not in request.headers
        if request.body and not request.parts:
            assert request.headers["content-type"] == "application/json"


def test_http_info_has_status_headers_and_bytes(upload: Api, service: Service) -> None:
    service.fault(".*", Answer(201, envelope(SESSION), {"X-RateLimit-Limit": "30"}))

    answer = upload.get_upload_session_with_http_info()

    assert answer.status_code == 201
    assert answer.headers["x-ratelimit-limit"] == "30"
    assert answer.data.id == SESSION["id"]
    assert json.loads(answer.raw_data) == envelope(SESSION)


@pytest.mark.parametrize("status", [200, 404, 503])
def test_the_unread_answer_never_raises_for_its_status(upload: Api, service: Service, status: int) -> None:
    service.fault(".*", *[Answer(status, {"kind": status})] * 3)

    raw = upload.get_upload_session_without_preload_content()

    assert raw.status == status
    assert raw.getheader("Content-Type") == "application/json"
    assert json.loads(upload.twin.finish(raw.read())) == {"kind": status}
    upload.twin.finish(raw.close())


def test_an_unread_answer_is_read_as_wished(upload: Api, service: Service) -> None:
    service.fault(".*", *[Answer(200, "x" * 1000, {"X-Extra": "1"})] * 3)
    if upload.twin.kind == "sync":
        with upload.raw.get_upload_session_without_preload_content() as raw:
            assert b"".join(raw.iter_bytes(100)) == b"x" * 1000
        assert upload.raw.get_upload_session_without_preload_content().data == b"x" * 1000
    else:
        upload.twin.finish(read_asynchronously(upload.raw))
    raw = upload.get_upload_session_without_preload_content()
    assert raw.getheaders()["x-extra"] == "1"
    assert raw.reason == "OK"
    assert repr(raw).endswith("RESTResponse get_upload_session 200>")
    upload.twin.finish(raw.close())


async def read_asynchronously(api: sdk.AsyncUploadApi) -> None:
    async with await api.get_upload_session_without_preload_content() as raw:
        assert b"".join([chunk async for chunk in raw.iter_bytes(100)]) == b"x" * 1000
    assert await (await api.get_upload_session_without_preload_content()).read() == b"x" * 1000


def test_dictionaries_do_for_bodies(upload: Api, service: Service) -> None:
    upload.begin_upload_session(begin_upload_session={"manga": MANGA, "groups": []})

    assert service.requests[-1].json() == {"manga": MANGA, "groups": []}


@pytest.mark.parametrize(
    ("given", "on_the_wire"),
    [
        ("chapter_id_example", "chapter_id_example"),
        ("../user/me", "..%2Fuser%2Fme"),
        ("..", "%2E%2E"),
        ("a b?c#d%", "a%20b%3Fc%23d%25"),
        ("ünï", "%C3%BCn%C3%AF"),
    ],
)
def test_any_id_is_sent_as_one_path_segment(upload: Api, service: Service, given: str, on_the_wire: str) -> None:
    service.fault(".*", Answer(body={"result": "ok"}))

    upload.abandon_upload_session(given)

    assert service.requests[-1].path == f"/upload/{on_the_wire}"


def test_the_options_of_one_call(upload: Api, service: Service) -> None:
    upload.begin_upload_session(
        begin_upload_session={"groups": []},
        _request_auth={"type": "bearer", "in": "header", "key": "Authorization", "value": "Bearer other"},
        _content_type="application/vnd.test+json",
        _headers={"X-Captcha-Result": "solved"},
        _host_index=0,
        _request_timeout=(5, 20),
    )
    upload.get_upload_session(_request_auth="another", _request_timeout=20)

    first, second = service.requests
    assert first.headers["authorization"] == "Bearer other"
    assert first.headers["content-type"] == "application/vnd.test+json"
    assert first.headers["x-captcha-result"] == "solved"
    assert second.headers["authorization"] == "Bearer another"


def test_the_content_type_parameter_changes_nothing(upload: Api, service: Service) -> None:
    session = upload.begin_upload_session("text/plain", sdk.BeginUploadSession(groups=[]))
    upload.put_upload_session_file(session.id, "text/plain", b"page", _content_type="text/plain")

    assert service.requests[0].headers["content-type"] == "application/json"
    assert service.requests[1].headers["content-type"].startswith("multipart/form-data; boundary=")


NEIGHBOURS = [
    ("MangaApi", "get_manga_id", {"id": MANGA}, sdk.MangaResponse),
    ("ScanlationGroupApi", "get_group_id", {"id": GROUP}, sdk.ScanlationGroupResponse),
    ("ChapterApi", "get_chapter_id", {"id": MANGA}, sdk.ChapterResponse),
    ("ChapterApi", "put_chapter_id", {"id": MANGA}, sdk.ChapterResponse),
    ("UserApi", "get_user_me", {}, sdk.UserResponse),
]


@pytest.mark.parametrize(("api", "name", "arguments", "kind"), NEIGHBOURS)
@pytest.mark.parametrize("bare", [False, True])
def test_neighbours_answer_in_their_envelope(
    upload: Api,
    configuration: sdk.Configuration,
    service: Service,
    api: str,
    name: str,
    arguments: Any,
    kind: type,
    bare: bool,
) -> None:
    data = entity("thing", {"version": 3, "title": [], "altTitles": [{"en": "Other"}], "altNames": []})
    data["attributes"] |= {"title": "T"} if api == "ChapterApi" else {}
    service.fault(".*", Answer(body=data if bare else envelope(data)))

    answer = getattr(upload.twin.api(api, configuration), name)(**arguments)

    assert type(answer).__name__ == kind.__name__
    assert answer.response == "entity"
    assert (answer.data.id, answer.data.attributes.version) == (data["id"], 3)


def test_lists_and_their_filters(upload: Api, configuration: sdk.Configuration, service: Service) -> None:
    page = {"result": "ok", "response": "collection", "data": [CHAPTER], "limit": 100, "offset": 0, "total": 1}
    service.fault(".*", Answer(body=page))

    found = upload.twin.api("ChapterApi", configuration).get_chapter(
        100,
        manga=MANGA,
        translated_language=["en"],
        chapter=["none"],
        content_rating=["safe", "pornographic"],
        include_unavailable=True,
        include_future_updates=False,
        order={"createdAt": "desc"},
        includes=["user"],
    )

    assert (found.total, found.data[0].id) == (1, CHAPTER["id"])
    assert service.requests[-1].query == [
        ("limit", "100"),
        ("manga", MANGA),
        ("chapter[]", "none"),
        ("translatedLanguage[]", "en"),
        ("contentRating[]", "safe"),
        ("contentRating[]", "pornographic"),
        ("includeFutureUpdates", "0"),
        ("includeUnavailable", "1"),
        ("order[createdAt]", "desc"),
        ("includes[]", "user"),
    ]


def test_searches(upload: Api, configuration: sdk.Configuration, service: Service) -> None:
    page = {"result": "ok", "response": "collection", "data": [], "limit": 10, "offset": 0, "total": 0}
    service.fault(".*", Answer(body=page), Answer(body=page))

    upload.twin.api("MangaApi", configuration).get_search_manga(title="One & two", order={"relevance": "desc"})
    upload.twin.api("ScanlationGroupApi", configuration).get_search_group(name="Grüppe", limit=0)

    manga, group = service.requests
    assert (manga.path, manga.query) == ("/manga", [("title", "One & two"), ("order[relevance]", "desc")])
    assert (group.path, group.query) == ("/group", [("limit", "0"), ("name", "Grüppe")])


def test_where_pages_are_and_who_asks(upload: Api, configuration: sdk.Configuration, service: Service) -> None:
    chapter = {"hash": "33", "data": ["1-aa.png"], "dataSaver": ["1-bb.jpg"]}
    service.fault(
        "GET /at-home/.*", Answer(body={"result": "ok", "baseUrl": "https://uploads.test", "chapter": chapter})
    )
    service.fault(
        "GET /auth/check", Answer(body={"result": "ok", "isAuthenticated": False, "roles": [], "permissions": []})
    )

    where = upload.twin.api("AtHomeApi", configuration).get_at_home_server_chapter_id("c", force_port443=True)
    check = upload.twin.api("AuthenticationApi", configuration).get_auth_check()

    assert (where.base_url, where.chapter.data_saver) == ("https://uploads.test", ["1-bb.jpg"])
    assert service.requests[0].query == [("forcePort443", "true")]
    assert check.is_authenticated is False
