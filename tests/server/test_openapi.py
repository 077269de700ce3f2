"""The document of the running service against the facts of the contract, written down here once more by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from uploading import Service, service

from mangadex_openapi import models
from mangadex_openapi.models._base import RequestModel

JSON = "application/json"
MULTIPART = "multipart/form-data"

# Contract 1: name, method and path, body and its limit as the document words it, and the error statuses of the seed.
NINE = [
    ("get_upload_session", "GET /upload", None, "", {403, 404}),
    ("begin_upload_session", "POST /upload/begin", JSON, "4 KB", set()),
    ("begin_edit_session", "POST /upload/begin/{chapterId}", JSON, "1 KB", {400, 401}),
    ("put_upload_session_file", "POST /upload/{uploadSessionId}", MULTIPART, "10 files of 20 MB", {400}),
    ("commit_upload_session", "POST /upload/{uploadSessionId}/commit", JSON, "4 KB", set()),
    ("abandon_upload_session", "DELETE /upload/{uploadSessionId}", None, "", set()),
    ("delete_uploaded_session_file", "DELETE /upload/{uploadSessionId}/{uploadSessionFileId}", None, "", set()),
    ("delete_uploaded_session_files", "DELETE /upload/{uploadSessionId}/batch", JSON, "20 KB", set()),
    ("upload_check_approval_required", "POST /upload/check-approval-required", JSON, "4 KB", {404}),
]

# Contract 9: method and path with unnamed parameters, who is asked for a token, and some of the query's parameters.
NEIGHBOURS = [
    ("GET /manga", "nobody", {"title", "limit", "offset", "ids[]", "contentRating[]", "order[relevance]"}),
    ("GET /manga/{}", "nobody", set()),
    ("GET /manga/{}/feed", "who wants", {"limit", "offset", "translatedLanguage[]", "includeFutureUpdates"}),
    ("GET /manga/{}/aggregate", "who wants", {"translatedLanguage[]", "groups[]"}),
    ("GET /group", "nobody", {"name", "limit", "offset", "ids[]", "focusedLanguage", "order[name]"}),
    ("GET /group/{}", "nobody", set()),
    (
        "GET /chapter",
        "who wants",
        {"manga", "groups[]", "uploader", "uploader[]", "volume[]", "chapter[]", "translatedLanguage[]", "ids[]"}
        | {"contentRating[]", "includeUnavailable", "limit", "offset", "order[readableAt]", "includes[]"},
    ),
    ("GET /chapter/{}", "who wants", {"includes[]"}),
    ("PUT /chapter/{}", "everybody", set()),
    ("DELETE /chapter/{}", "everybody", set()),
    ("GET /at-home/server/{}", "who wants", {"forcePort443"}),
    ("GET /user/me", "everybody", set()),
    ("GET /auth/check", "who wants", set()),
    ("POST /realms/mangadex/protocol/openid-connect/token", "nobody", set()),
]

UUID = {"type": "string", "minLength": 36, "maxLength": 36}
NUMBER = {"type": ["string", "null"], "maxLength": 8}

# Contract 2: a body, its required keys, and what holds for each key.
BODIES = [
    ("BeginUploadSession", {"manga", "groups"}, {"manga": UUID, "groups": {"type": "array", "maxItems": 10}}),
    ("BeginEditSession", {"version"}, {"version": {"type": "integer", "minimum": 1}}),
    (
        "ChapterDraft",
        {"volume", "chapter", "title", "translatedLanguage"},
        {
            "volume": NUMBER,
            "chapter": NUMBER,
            "title": {"type": ["string", "null"], "maxLength": 255},
            "translatedLanguage": {"type": "string", "pattern": "^[a-z]{2}(-[a-z]{2})?$"},
            "externalUrl": {"type": ["string", "null"], "maxLength": 512, "pattern": "^https?://"},
            "publishAt": {},
        },
    ),
    ("CommitUploadSession", {"chapterDraft"}, {"pageOrder": {"maxItems": 500}, "termsAccepted": {}}),
    ("UploadCheckApprovalRequiredRequest", {"manga", "locale"}, {"manga": UUID}),
    ("ChapterEdit", {"version"}, {"groups": {"type": ["array", "null"], "maxItems": 10}, "title": {}, "volume": {}}),
]

# Contract 11.1, 11.2 and 2.4: what the patterns take and refuse.
PATTERNS = [
    ("volume", ["0", "1", "12", "10.5", "7a", "7.5b", "0.1", ""], ["01", "1.", ".5", "1A", "1-2", "1ab", "ten", "-1"]),
    ("translatedLanguage", ["en", "pt-br", "zh-hk"], ["EN", "pt-BR", "eng", "e", "en-"]),
    ("publishAt", ["2026-01-31T18:00:00"], ["2026-01-31T18:00:00Z", "2026-02-31T00:00:00", "2026-13-01T00:00:00"]),
]

MODELS = ["Chapter", "ChapterList", "Error", "ErrorResponse", "Manga", "Response", "ScanlationGroup", "UploadSession"]
MODELS += ["UploadSessionAttributes", "UploadSessionFile", "UploadSessionFileAttributes", "User", "CheckResponse"]
MODELS += ["PutUploadSessionFile200Response", "UploadCheckApprovalRequired200Response"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service(tmp_path_factory.mktemp("openapi") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def document(served: Service) -> Any:
    return httpx2.get(f"{served.url}/openapi.json", trust_env=False).raise_for_status().json()


def operations(document: Any) -> dict[str, Any]:
    paths = document["paths"].items()
    return {f"{method.upper()} {path}": found for path, methods in paths for method, found in methods.items()}


def token_of(found: Any) -> str:
    if "security" not in found:
        return "nobody"
    return "who wants" if {} in found["security"] else "everybody"


@pytest.mark.parametrize(("name", "call", "media_type", "limit", "statuses"), NINE, ids=[row[0] for row in NINE])
def test_the_nine(document: Any, name: str, call: str, media_type: str | None, limit: str, statuses: set[int]) -> None:
    found = operations(document)[call]
    assert (found["operationId"], token_of(found)) == (name, "everybody")
    assert {str(status) for status in {200, 401, 429} | statuses} <= set(found["responses"])
    assert ("requestBody" in found) == (media_type is not None)
    if media_type:
        assert list(found["requestBody"]["content"]) == [media_type]
        assert limit in found["requestBody"]["description"]
        assert {"400", "413"} <= set(found["responses"])
    in_path = {entry["name"]: entry["schema"] for entry in found.get("parameters", []) if entry["in"] == "path"}
    assert set(in_path) == set(re.findall(r"{(\w+)}", call))
    assert all(schema.items() >= UUID.items() for schema in in_path.values())
    listed = {entry["name"] for entry in found.get("parameters", []) if entry["in"] == "query"}
    with_includes = {"get_upload_session", "begin_upload_session", "begin_edit_session", "commit_upload_session"}
    assert listed == ({"includes[]"} if name in with_includes else set())  # contract 3.3


@pytest.mark.parametrize(
    ("name", "statuses"),
    [
        ("begin_upload_session", {404, 409, 507}),
        ("begin_edit_session", {404, 409, 507}),  # stale, or another session is open (contract 5.2)
        ("put_upload_session_file", {404, 503, 507}),
        ("commit_upload_session", {403, 404, 409}),  # a link; an edit that was overtaken
        ("put_chapter_id", {403, 404, 409}),
        ("get_at_home_server_chapter_id", {401, 404}),
    ],
)
def test_refusals_that_are_answered_are_documented(document: Any, name: str, statuses: set[int]) -> None:
    (found,) = [operation for operation in operations(document).values() if operation["operationId"] == name]
    assert {str(status) for status in statuses} <= set(found["responses"])


def test_where_relationships_have_attributes(document: Any) -> None:
    """Contract 13.11: after a commit also unasked."""
    said = document["components"]["schemas"]["Relationship"]["description"]
    assert "includes[]" in said
    assert "commit" in said


def test_there_are_no_other_upload_operations(document: Any) -> None:
    found = {call for call in operations(document) if call.split()[1].startswith("/upload")}
    assert found == {row[1] for row in NINE}


@pytest.mark.parametrize(("call", "token", "parameters"), NEIGHBOURS, ids=[row[0] for row in NEIGHBOURS])
def test_the_neighbours(document: Any, call: str, token: str, parameters: set[str]) -> None:
    found = {re.sub(r"{\w+}", "{}", name): operation for name, operation in operations(document).items()}[call]
    assert token_of(found) == token
    assert parameters <= {entry["name"] for entry in found.get("parameters", [])}
    if "{}" in call:
        assert "404" in found["responses"]
    if parameters:
        assert "400" in found["responses"]


def test_windows_of_lists(document: Any) -> None:
    for path, low, default, high in (("/manga", 0, 10, 100), ("/group", 0, 10, 100), ("/chapter", 0, 10, 100)):
        check_limit(document["paths"][path], low, default, high)
    (feed,) = [methods for path, methods in document["paths"].items() if path.endswith("/feed")]
    check_limit(feed, 1, 100, 500)


def check_limit(methods: Any, low: int, default: int, high: int) -> None:
    (limit,) = [entry["schema"] for entry in methods["get"]["parameters"] if entry["name"] == "limit"]
    assert limit == {"type": "integer", "minimum": low, "default": default, "maximum": high}


@pytest.mark.parametrize(("name", "required", "properties"), BODIES, ids=[row[0] for row in BODIES])
def test_bodies(document: Any, name: str, required: set[str], properties: dict[str, Any]) -> None:
    schema = document["components"]["schemas"][name]
    assert set(schema["required"]) == required
    assert schema["additionalProperties"] is False
    for key, facts in properties.items():
        assert schema["properties"][key].items() >= facts.items(), key
    model: type[RequestModel] = getattr(models, name)
    ignored = {"manga", "groups"} if name == "BeginEditSession" else set()  # contract 2.2
    assert set(schema["properties"]) - ignored == {field.alias for field in model.model_fields.values()}


def test_a_batch_is_a_list_of_1_to_500_ids(document: Any) -> None:
    schema = document["components"]["schemas"]["UploadSessionFileIds"]
    assert (schema["type"], schema["minItems"], schema["maxItems"]) == ("array", 1, 500)
    assert schema["items"].items() >= UUID.items()


@pytest.mark.parametrize(("field", "taken", "refused"), PATTERNS, ids=[row[0] for row in PATTERNS])
def test_patterns(document: Any, field: str, taken: list[str], refused: list[str]) -> None:
    pattern = document["components"]["schemas"]["ChapterDraft"]["properties"][field]["pattern"]
    assert [value for value in taken + refused if re.search(pattern, value)] == taken


@pytest.mark.parametrize("name", MODELS)
def test_answers_have_the_names_of_the_documented_models(document: Any, name: str) -> None:
    """What the document promises, the documented client can read."""
    fields = {field.alias for field in getattr(models, name).model_fields.values()}
    promised = set(document["components"]["schemas"][name]["properties"])
    assert promised <= fields


def test_answers_of_sessions_and_commits_have_both_shapes(document: Any) -> None:
    schemas = document["components"]["schemas"]
    for name, bare in (("UploadSessionResponse", "UploadSession"), ("CommittedChapterResponse", "Chapter")):
        enveloped, other = schemas[name]["allOf"]
        assert set(enveloped["required"]) == {"result", "response", "data"}
        assert other == {"$ref": f"#/components/schemas/{bare}"} == enveloped["properties"]["data"]
    assert set(schemas["PutUploadSessionFile200Response"]["required"]) == {"result", "errors", "data"}
    assert set(schemas["Error"]["required"]) == {"id", "status", "title", "detail", "context"}  # contract 8.1


def test_headers(document: Any) -> None:
    """Contract 1.2 and 7.2."""
    limited = {row[1] for row in NINE} | {"GET /at-home/server/{}", "PUT /chapter/{}", "DELETE /chapter/{}"}
    rate = {f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Retry-After")}
    for call, found in operations(document).items():
        here = {"X-Request-ID"} | (rate if {call, re.sub(r"{\w+}", "{}", call)} & limited else set())
        for status, response in found["responses"].items():
            assert set(response["headers"]) == here, (call, status)


def test_how_one_signs_in(document: Any) -> None:
    schemes = document["components"]["securitySchemes"].values()
    bearer, personal = sorted(schemes, key=lambda scheme: str(scheme["type"]))
    assert (bearer["type"], bearer["scheme"]) == ("http", "bearer")
    assert personal["flows"]["password"]["tokenUrl"] == "/realms/mangadex/protocol/openid-connect/token"


def test_the_page_for_people_is_complete_and_needs_nothing_from_elsewhere(served: Service, document: Any) -> None:
    answer = httpx2.get(f"{served.url}/docs", trust_env=False).raise_for_status()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    anchors = set(re.findall(r' id="(\w+)"', answer.text))
    assert anchors >= {found["operationId"] for found in operations(document).values()}
    assert anchors >= set(re.findall(r'href="#(\w+)"', answer.text))
    others = set(re.findall(r'(?:href|src)="([^#"][^"]*)"', answer.text))
    assert others == {"docs/style.css", "openapi.json"}
    for path in others:
        assert httpx2.get(f"{served.url}/{path}", trust_env=False).status_code == 200
    assert "<script" not in answer.text


def test_other_methods_are_told_which_there_are(served: Service) -> None:
    """RFC 9110 15.5.6. Words in a path are words, not ids (contract 1, routing rules)."""
    for call, allowed in (
        ("GET /upload/begin", "POST"),
        ("DELETE /upload/begin", "POST"),
        ("PUT /upload/00000000-0000-4000-8000-000000000000", "DELETE, POST"),
        ("DELETE /upload/00000000-0000-4000-8000-000000000000/commit", "POST"),
        ("POST /chapter/00000000-0000-4000-8000-000000000000", "DELETE, GET, PUT"),
        ("POST /data/a/b", "GET, HEAD"),
    ):
        method, path = call.split()
        answer = httpx2.request(method, served.url + path, trust_env=False)
        assert (answer.status_code, answer.headers.get("allow")) == (405, allowed), call
