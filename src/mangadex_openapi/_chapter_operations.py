"""Finding, changing and reading chapters (contract 9.3 and 9.4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from mangadex_openapi._lists import Order, get_entity, list_query
from mangadex_openapi._operations import (
    Operation,
    Repeat,
    check_content_type,
    enveloped,
    having,
    model_body,
    path,
    query,
)
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi.models import ChapterEdit, ChapterList, ChapterResponse, GetAtHomeServerChapterId200Response

JSON = "application/json"


def get_chapter(
    limit: int | None = None,
    offset: int | None = None,
    *,
    ids: list[str] | None = None,
    title: str | None = None,
    groups: list[str] | None = None,
    uploader: str | list[str] | None = None,
    manga: str | None = None,
    volume: list[str] | None = None,
    chapter: list[str] | None = None,
    translated_language: list[str] | None = None,
    original_language: list[str] | None = None,
    content_rating: list[str] | None = None,
    excluded_groups: list[str] | None = None,
    excluded_uploaders: list[str] | None = None,
    include_future_updates: bool | None = None,
    include_empty_pages: bool | None = None,
    include_future_publish_at: bool | None = None,
    include_external_url: bool | None = None,
    include_unavailable: bool | None = None,
    created_at_since: str | None = None,
    updated_at_since: str | None = None,
    publish_at_since: str | None = None,
    order: Order | None = None,
    includes: list[str] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[ChapterList]:
    """Chapters that match all that is given; "none" in `volume` or `chapter` finds those without one.

    To find duplicates name all four ratings in `content_rating`, or adult works look free of them (contract 9.3).
    """
    filters = {
        "title": title,
        "groups": groups,
        "uploader": uploader,
        "manga": manga,
        "volume": volume,
        "chapter": chapter,
        "translatedLanguage": translated_language,
        "originalLanguage": original_language,
        "contentRating": content_rating,
        "excludedGroups": excluded_groups,
        "excludedUploaders": excluded_uploaders,
        "includeFutureUpdates": include_future_updates,
        "includeEmptyPages": include_empty_pages,
        "includeFuturePublishAt": include_future_publish_at,
        "includeExternalUrl": include_external_url,
        "includeUnavailable": include_unavailable,
        "createdAtSince": created_at_since,
        "updatedAtSince": updated_at_since,
        "publishAtSince": publish_at_since,
    }
    return Operation(
        name="get_chapter",
        method="GET",
        path="/chapter",
        repeat=Repeat.READ,
        read=enveloped(ChapterList, list),
        options=Options.of(options),
        query=list_query(limit, offset, ids, filters, order, includes),
    )


def get_chapter_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[ChapterResponse]:
    """One chapter; its pages are 0 until they are processed.

    Raises:
        NotFound: no such chapter, or none that may be seen yet.
    """
    return get_entity("get_chapter_id", path("/chapter/{id}", id=id), ChapterResponse, includes, options)


def put_chapter_id(
    id: str,
    content_type: str = JSON,
    chapter_edit: ChapterEdit | Mapping[str, Any] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[ChapterResponse]:
    """Change a chapter's data; what is not given keeps its value. `content_type` has no effect.

    Raises:
        Conflict: the version is stale.
    """
    check_content_type(content_type)
    return Operation(
        name="put_chapter_id",
        method="PUT",
        path=path("/chapter/{id}", id=id),
        repeat=Repeat.VERSIONED,
        read=enveloped(ChapterResponse, dict),
        options=Options.of(options),
        body=model_body(ChapterEdit, "chapter_edit", chapter_edit),
        pacing="put_chapter_id",
    )


def get_at_home_server_chapter_id(
    chapter_id: str, force_port443: bool | None = None, **options: Unpack[CallOptions]
) -> Operation[GetAtHomeServerChapterId200Response]:
    """Where a chapter's pages can be read.

    Raises:
        NotFound: no such chapter, or none that can be read yet.
    """
    port = None if force_port443 is None else str(force_port443).lower()
    return Operation(
        name="get_at_home_server_chapter_id",
        method="GET",
        path=path("/at-home/server/{chapter_id}", chapter_id=chapter_id),
        repeat=Repeat.READ,
        read=having(GetAtHomeServerChapterId200Response, "chapter"),
        options=Options.of(options),
        query=query({"forcePort443": port}),
        pacing="get_at_home_server_chapter_id",
    )
