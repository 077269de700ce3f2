"""Wire models: what is given is checked, what is missing is left to the service, what is new passes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mangadex_openapi as sdk
from mangadex_openapi import models

ID = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
REQUESTS = [
    sdk.BeginUploadSession,
    sdk.BeginEditSession,
    sdk.CommitUploadSession,
    sdk.ChapterDraft,
    sdk.ChapterEdit,
    sdk.UploadCheckApprovalRequiredRequest,
]


@pytest.mark.parametrize("name", models.__all__)
def test_every_model_can_be_empty_and_converts(name: str) -> None:
    model = getattr(models, name)
    empty = model()
    assert model.from_dict({}) == empty
    assert model.from_json(empty.to_json()) == empty
    assert empty.to_str().startswith("{")


@pytest.mark.parametrize("value", ["0", "1", "12", "10.5", "7a", "7.5b", "0.1", "", None, "12345678"])
def test_numbers_that_are_accepted(value: str | None) -> None:
    draft = sdk.ChapterDraft(volume=value, chapter=value)
    assert draft.to_dict() == {"volume": value, "chapter": value, "title": None}


@pytest.mark.parametrize(
    "value", ["01", "1.", ".5", "1A", "1-2", "1ab", "ten", "-1", "123456789", "1\n", "\uff11", "\u0663", " 1", 1, 1.5]
)
@pytest.mark.parametrize("field", ["volume", "chapter"])
def test_numbers_that_are_refused(field: str, value: Any) -> None:
    with pytest.raises(sdk.InvalidRequest, match=f"^{field}: ") as caught:
        sdk.ChapterDraft(**{field: value})
    assert caught.value.field == field


REFUSED: list[tuple[type[Any], str, Any]] = [
    (sdk.ChapterDraft, "translated_language", "EN"),
    (sdk.ChapterDraft, "translated_language", "eng"),
    (sdk.ChapterDraft, "translated_language", "pt-BR"),
    (sdk.ChapterDraft, "translated_language", "en\n"),
    (sdk.ChapterDraft, "title", "x" * 256),
    (sdk.ChapterDraft, "external_url", "ftp://example.org"),
    (sdk.ChapterDraft, "external_url", "https://" + "x" * 505),
    (sdk.ChapterDraft, "publish_at", "2026-02-31T00:00:00"),
    (sdk.ChapterDraft, "publish_at", "2026-13-01T00:00:00"),
    (sdk.ChapterDraft, "publish_at", "2026-01-31T18:00:00Z"),
    (sdk.ChapterDraft, "publish_at", "2026-01-31"),
    (sdk.ChapterDraft, "publish_at", datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
    (sdk.ChapterDraft, "publish_at", datetime(2026, 1, 31)),  # noqa: DTZ001 - that is what is refused
    (sdk.BeginUploadSession, "manga", "too short"),
    (sdk.BeginUploadSession, "groups", [ID] * 11),
    (sdk.BeginUploadSession, "groups", ["too short"]),
    (sdk.BeginUploadSession, "groups", ID),
    (sdk.BeginEditSession, "version", 0),
    (sdk.BeginEditSession, "version", "newest"),
    (sdk.CommitUploadSession, "page_order", [ID] * 501),
    (sdk.CommitUploadSession, "page_order", ["too short"]),
    (sdk.UploadCheckApprovalRequiredRequest, "locale", "english"),
    (sdk.ChapterEdit, "groups", [ID] * 11),
]


@pytest.mark.parametrize(("model", "field", "value"), REFUSED)
def test_what_is_given_is_checked_and_named(model: type[Any], field: str, value: Any) -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        model(**{field: value})
    assert caught.value.field.split(".")[0] == field
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("model", "field", "value"), REFUSED)
def test_assignment_is_checked_too(model: type[Any], field: str, value: Any) -> None:
    filled = model()
    with pytest.raises(sdk.InvalidRequest, match=field):
        setattr(filled, field, value)


@pytest.mark.parametrize("model", REQUESTS)
def test_a_misspelt_field_is_refused(model: type[Any]) -> None:
    with pytest.raises(sdk.InvalidRequest, match="chaptr"):
        model(chaptr="1")


def test_both_spellings_construct() -> None:
    assert sdk.ChapterDraft(translatedLanguage="en") == sdk.ChapterDraft(translated_language="en")  # type: ignore[call-arg]


def test_none_means_not_given_where_null_has_no_meaning() -> None:
    draft = sdk.ChapterDraft(publish_at=None, external_url=None)
    assert draft.to_dict() == {"volume": None, "chapter": None, "title": None, "externalUrl": None}
    assert sdk.BeginUploadSession(manga=None).to_dict() == {}


def test_an_edit_keeps_what_is_not_given_and_clears_what_is_none() -> None:
    assert sdk.ChapterEdit(version=4, volume=None, groups=None).to_dict() == {"volume": None, "version": 4}


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("2026-01-31T18:00:00", "2026-01-31T18:00:00"),
        (datetime(2026, 1, 31, 18, tzinfo=UTC), "2026-01-31T18:00:00"),
        (datetime(2026, 1, 31, 23, tzinfo=timezone(timedelta(hours=9))), "2026-01-31T14:00:00"),
    ],
)
def test_publish_times_are_sent_as_utc(given: Any, sent: str) -> None:
    assert sdk.ChapterDraft(publish_at=given).to_dict()["publishAt"] == sent


def test_a_nested_problem_is_named_by_its_path() -> None:
    with pytest.raises(sdk.InvalidRequest) as caught:
        sdk.CommitUploadSession(chapter_draft={"chapter": "01"})  # type: ignore[arg-type]
    assert caught.value.field == "chapter_draft.chapter"


def test_answers_are_read_leniently() -> None:
    attributes = {"version": "3", "sparkle": [1], "createdAt": None, "originalFileName": 7}
    file = sdk.UploadSessionFile.from_dict({"id": "x", "attributes": attributes, "relationships": []})
    assert file.attributes is not None
    assert (file.attributes.version, file.attributes.original_file_name) == (3, "7")
    assert file.to_dict()["attributes"]["sparkle"] == [1]
    assert sdk.Manga.from_dict({"attributes": []}).attributes == sdk.MangaAttributes()


def test_text_that_is_no_json_is_refused() -> None:
    with pytest.raises(sdk.InvalidRequest, match="Chapter: not JSON"):
        sdk.Chapter.from_json("{")


@given(
    st.builds(
        sdk.ChapterDraft,
        volume=st.none() | st.from_regex(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?[a-z]?", fullmatch=True),
        chapter=st.none() | st.from_regex(r"(0|[1-9][0-9]{0,2})(\.[0-9]{1,2})?[a-z]?", fullmatch=True),
        title=st.none() | st.text(max_size=255),
        translated_language=st.from_regex(r"[a-z]{2}(-[a-z]{2})?", fullmatch=True),
    )
)
def test_what_is_written_is_read_back(draft: sdk.ChapterDraft) -> None:
    assert sdk.ChapterDraft.from_json(draft.to_json()).to_dict() == draft.to_dict()
