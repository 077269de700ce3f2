"""Finding manga and groups (contract 9.1 and 9.2)."""

from __future__ import annotations

from typing import Unpack

from mangadex_openapi._lists import Order, get_entity, list_query
from mangadex_openapi._operations import Operation, Repeat, enveloped, path
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi.models import MangaList, MangaResponse, ScanlationGroupList, ScanlationGroupResponse


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
        query=list_query(limit, offset, ids, filters, order, includes),
    )


def get_manga_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[MangaResponse]:
    """One manga.

    Raises:
        NotFound: no such manga.
    """
    return get_entity("get_manga_id", path("/manga/{id}", id=id), MangaResponse, includes, options)


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
        query=list_query(limit, offset, ids, {"name": name, "focusedLanguage": focused_language}, order, includes),
    )


def get_group_id(
    id: str, includes: list[str] | None = None, **options: Unpack[CallOptions]
) -> Operation[ScanlationGroupResponse]:
    """One group.

    Raises:
        NotFound: no such group.
    """
    return get_entity("get_group_id", path("/group/{id}", id=id), ScanlationGroupResponse, includes, options)
