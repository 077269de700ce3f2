"""The operations around uploading: finding manga, groups and chapters, changing a chapter, the account (contract 9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, Unpack

from mangadex_openapi._operations import (
    Operation,
    Query,
    Repeat,
    check_content_type,
    enveloped,
    having,
    includes_query,
    model_body,
    path,
    query,
)
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models import (
    ChapterEdit,
    ChapterList,
    ChapterResponse,
    CheckResponse,
    GetAtHomeServerChapterId200Response,
    MangaList,
    MangaResponse,
    ScanlationGroupList,
    ScanlationGroupResponse,
    UserResponse,
)
from mangadex_openapi.models._base import WireModel

MAX_LIMIT = 100  # entries of a list, and ids in a filter (contract 9)
MAX_WINDOW = 10_000  # offset and limit together (contract 9.3)
JSON = "application/json"

Model = TypeVar("Model", bound=WireModel)
Order = Mapping[str, str]


def get_search_manga(
    limit: int | None = None,
    offset: int | None = None,
    *,
    title: str | None = None,
    author_or_artist: str | None = None,
    authors: list[str] | None = None,
    artists: list[str] | None = None,
    year: int | str | None = None,
    included_tags: list[str] | None = None,
    excluded_tags: list[str] | None = None,
    status: list[str] | None = None,
    original_language: list[str] | None = None,
    available_translated_language: list[str] | None = None,
    publication_demographic: list[str] | None = None,
    ids: list[str] | None = None,
    content_rating: list[str] | None = None,
    created_at_since: str | None = None,
    updated_at_since: str | None = None,
    order: Order | None = None,
    includes: list[str] | None = None,
    has_available_chapters: bool | None = None,
    has_unavailable_chapters: bool | None = None,
    group: str | None = None,
    **options: Unpack[CallOptions],
) -> Operation[MangaList]:
    """Manga that match all that is given; `order` is like {"relevance": "desc"}.

    The service leaves out pornographic works unless `content_rating` names that rating too.
    """
    filters = {
        "title": title,
        "authorOrArtist": author_or_artist,
        "authors": authors,
        "artists": artists,
        "year": year,
        "includedTags": included_tags,
        "excludedTags": excluded_tags,
        "status": status,
        "originalLanguage": original_language,
        "availableTranslatedLanguage": available_translated_language,
        "publicationDemographic": publication_demographic,
        "contentRating": content_rating,
        "createdAtSince": created_at_since,
        "updatedAtSince": updated_at_since,
        "hasAvailableChapters": has_available_chapters,
        "hasUnavailableChapters": has_unavailable_chapters,
        "group": group,
    }
    return Operation(
        name="get_search_manga",
        method="GET",
        path="/manga",
        repeat=Repeat.READ,
        read=enveloped(MangaList, list),
        options=Options.of(options),
        query=_list_query(limit, offset, ids, filters, order, includes),
    )


def get_manga_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[MangaResponse]:
    """One manga.

    Raises:
        NotFound: no such manga.
    """
    return _get("get_manga_id", path("/manga/{id}", id=id), MangaResponse, includes, options)


def get_search_group(
    limit: int | None = None,
    offset: int | None = None,
    *,
    ids: list[str] | None = None,
    name: str | None = None,
    focused_language: str | None = None,
    includes: list[str] | None = None,
    order: Order | None = None,
    **options: Unpack[CallOptions],
) -> Operation[ScanlationGroupList]:
    """Groups that match all that is given; `order` is like {"name": "asc"}."""
    return Operation(
        name="get_search_group",
        method="GET",
        path="/group",
        repeat=Repeat.READ,
        read=enveloped(ScanlationGroupList, list),
        options=Options.of(options),
        query=_list_query(limit, offset, ids, {"name": name, "focusedLanguage": focused_language}, order, includes),
    )


def get_group_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[ScanlationGroupResponse]:
    """One group.

    Raises:
        NotFound: no such group.
    """
    return _get("get_group_id", path("/group/{id}", id=id), ScanlationGroupResponse, includes, options)


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
        query=_list_query(limit, offset, ids, filters, order, includes),
    )


def get_chapter_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[ChapterResponse]:
    """One chapter; its pages are 0 until they are processed.

    Raises:
        NotFound: no such chapter, or none that may be seen yet.
    """
    return _get("get_chapter_id", path("/chapter/{id}", id=id), ChapterResponse, includes, options)


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


def get_user_me(**options: Unpack[CallOptions]) -> Operation[UserResponse]:
    """The account that the token belongs to.

    Raises:
        Unauthorized: no valid token.
    """
    return _get("get_user_me", "/user/me", UserResponse, None, options)


def get_auth_check(**options: Unpack[CallOptions]) -> Operation[CheckResponse]:
    """Whether the token is valid, and its roles and permissions.

    Raises:
        Unauthorized: no valid token (the service may also answer with `is_authenticated` False).
    """
    return Operation(
        name="get_auth_check",
        method="GET",
        path="/auth/check",
        repeat=Repeat.READ,
        read=having(CheckResponse, "isAuthenticated"),
        options=Options.of(options),
    )


def _get(name: str, path: str, kind: type[Model], includes: list[str] | None, options: CallOptions) -> Operation[Model]:
    return Operation(
        name=name,
        method="GET",
        path=path,
        repeat=Repeat.READ,
        read=enveloped(kind, dict),
        options=Options.of(options),
        query=includes_query(includes),
    )


def _list_query(
    limit: int | None,
    offset: int | None,
    ids: list[str] | None,
    filters: Mapping[str, object],
    order: Order | None,
    includes: list[str] | None,
) -> Query:
    for name, number in (("limit", limit), ("offset", offset)):
        if number is not None and not isinstance(number, int):
            raise InvalidRequest(name, f"is {type(number).__name__}; give a whole number")
    if limit is not None and not 0 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"is {limit}; a list has 0 to {MAX_LIMIT} entries")
    if offset is not None and not 0 <= offset <= MAX_WINDOW - (10 if limit is None else limit):
        raise InvalidRequest(
            "offset", f"is {offset}; offset and limit together reach {MAX_WINDOW}: filter more closely"
        )
    if ids is not None and len(ids) > MAX_LIMIT:
        raise InvalidRequest("ids", f"has {len(ids)} ids; one request takes up to {MAX_LIMIT}")
    return query({"limit": limit, "offset": offset, "ids": ids, **filters, "order": order, "includes": includes})
