"""Manga, groups and chapters over HTTP (contract 9.1 to 9.3)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models import ChapterEdit
from mangadex_server.bodies import KIB, Patience, read_object
from mangadex_server.catalog import Catalog
from mangadex_server.catalog_search import GroupSearch, MangaSearch
from mangadex_server.chapter_search import ChapterSearch, order_columns
from mangadex_server.chapters import Chapters, ChapterView
from mangadex_server.entities import group_entity, manga_entity
from mangadex_server.errors import Invalid
from mangadex_server.listing import RATINGS, Found
from mangadex_server.queries import (
    LAST_RESULT,
    Declared,
    Order,
    Query,
    choices,
    identifier,
    identifiers,
    includes,
    language,
    languages,
    moment,
    number,
    path_id,
    switch,
    text,
    texts,
)
from mangadex_server.settings import Settings
from mangadex_server.tokens import Identity
from mangadex_server.wire import Json, WireResponse, collection, enveloped

Identify = Callable[[Request], Awaitable[Identity]]
IdentifyOptional = Callable[[Request], Awaitable[Identity | None]]

EDIT_BYTES = 4 * KIB
STATUSES = ("ongoing", "completed", "hiatus", "cancelled")
DEMOGRAPHICS = ("shounen", "shoujo", "josei", "seinen", "none")


def _window(default: int, low: int, high: int) -> dict[str, Declared]:
    return {"limit": number("limit", default, low, high), "offset": number("offset", 0, 0, LAST_RESULT)}


MANGA = Query(
    title=text("title"),
    ids=identifiers("ids[]"),
    status=choices("status[]", STATUSES),
    original_language=languages("originalLanguage[]"),
    excluded_original_language=languages("excludedOriginalLanguage[]"),
    available_language=languages("availableTranslatedLanguage[]"),
    demographic=choices("publicationDemographic[]", DEMOGRAPHICS),
    content_rating=choices("contentRating[]", RATINGS),
    year=number("year", None, 0, 9999),
    group=identifier("group"),
    has_chapters=switch("hasAvailableChapters"),
    created_since=moment("createdAtSince"),
    updated_since=moment("updatedAtSince"),
    order=Order(("relevance", "latestUploadedChapter", "title", "year", "createdAt", "updatedAt")),
    **_window(10, 0, 100),
)
GROUPS = Query(
    name=text("name"),
    ids=identifiers("ids[]"),
    focused_language=language("focusedLanguage"),
    order=Order(("relevance", "name", "createdAt", "updatedAt")),
    **_window(10, 0, 100),
)
EXPANDED = includes("manga", "scanlation_group", "user")
ONE_CHAPTER = Query(includes=EXPANDED)

_OF_FEED: dict[str, Declared] = {
    "language": languages("translatedLanguage[]"),
    "original_language": languages("originalLanguage[]"),
    "excluded_original_language": languages("excludedOriginalLanguage[]"),
    "content_rating": choices("contentRating[]", RATINGS),
    "excluded_groups": identifiers("excludedGroups[]"),
    "excluded_uploaders": identifiers("excludedUploaders[]"),
    "created_since": moment("createdAtSince"),
    "updated_since": moment("updatedAtSince"),
    "published_since": moment("publishAtSince"),
    "future_updates": switch("includeFutureUpdates"),
    "empty_pages": switch("includeEmptyPages"),
    "future_publish_at": switch("includeFuturePublishAt"),
    "external_url": switch("includeExternalUrl"),
    "unavailable": switch("includeUnavailable"),
    "order": Order(tuple(order_columns())),
    "includes": EXPANDED,
}
FEED = Query(**_OF_FEED, **_window(100, 1, 500))
CHAPTERS = Query(
    manga=identifier("manga"),
    groups=identifiers("groups[]"),
    uploaders=identifiers("uploader[]", also="uploader"),
    volume=texts("volume[]"),
    chapter=texts("chapter[]"),
    title=text("title"),
    ids=identifiers("ids[]"),
    **_OF_FEED,
    **_window(10, 0, 100),
)
AGGREGATE = Query(languages=languages("translatedLanguage[]"), group_ids=identifiers("groups[]"))

_NUMBER: Json = {
    "type": ["string", "null"],
    "maxLength": 8,
    "pattern": r"^((0|[1-9][0-9]*)(\.[0-9]+)?[a-z]?)?$",
}
EDIT_BODY: Json = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["version"],
                    "properties": {
                        "title": {"type": ["string", "null"], "maxLength": 255},
                        "volume": _NUMBER,
                        "chapter": _NUMBER,
                        "translatedLanguage": {"type": "string", "pattern": "^[a-z]{2}(-[a-z]{2})?$"},
                        "groups": {"type": "array", "maxItems": 10, "items": {"type": "string", "format": "uuid"}},
                        "version": {"type": "integer", "minimum": 1},
                    },
                }
            }
        },
    }
}


def router(
    settings: Settings, catalog: Catalog, chapters: Chapters, identify: Identify, identify_optional: IdentifyOptional
) -> APIRouter:
    """The routes under /manga, /group and /chapter."""
    routes = APIRouter(default_response_class=WireResponse)
    routes.include_router(_manga_routes(catalog, chapters, identify_optional))
    routes.include_router(_group_routes(catalog))
    routes.include_router(_chapter_routes(settings, chapters, identify, identify_optional))
    return routes


def _manga_routes(catalog: Catalog, chapters: Chapters, identify_optional: IdentifyOptional) -> APIRouter:
    routes = APIRouter(prefix="/manga", tags=["Manga"], default_response_class=WireResponse)

    @routes.get("", openapi_extra=MANGA.document())
    async def get_search_manga(request: Request) -> WireResponse:
        search = MangaSearch(**MANGA.read(request))
        found = await catalog.find_manga(search)
        return _listed([manga_entity(row) for row in found.items], search, found)

    @routes.get("/{manga_id}")
    async def get_manga_id(manga_id: str) -> WireResponse:
        return WireResponse(enveloped(manga_entity(await catalog.manga(path_id("Manga", manga_id)))))

    @routes.get("/{manga_id}/feed", openapi_extra=FEED.document())
    async def get_manga_id_feed(
        manga_id: str, request: Request, who: Annotated[Identity | None, Depends(identify_optional)]
    ) -> WireResponse:
        row = await catalog.manga(path_id("Manga", manga_id))
        return await _search(chapters, FEED.read(request) | {"manga": row.id}, who)

    @routes.get("/{manga_id}/aggregate", openapi_extra=AGGREGATE.document())
    async def get_manga_aggregate(
        manga_id: str, request: Request, who: Annotated[Identity | None, Depends(identify_optional)]
    ) -> WireResponse:
        row = await catalog.manga(path_id("Manga", manga_id))
        volumes = await chapters.aggregate(row.id, _user_id(who), **AGGREGATE.read(request))
        return WireResponse({"result": "ok", "volumes": volumes})

    return routes


def _group_routes(catalog: Catalog) -> APIRouter:
    routes = APIRouter(prefix="/group", tags=["ScanlationGroup"], default_response_class=WireResponse)

    @routes.get("", openapi_extra=GROUPS.document())
    async def get_search_group(request: Request) -> WireResponse:
        search = GroupSearch(**GROUPS.read(request))
        found = await catalog.find_groups(search)
        return _listed([group_entity(row) for row in found.items], search, found)

    @routes.get("/{group_id}")
    async def get_group_id(group_id: str) -> WireResponse:
        return WireResponse(enveloped(group_entity(await catalog.group(path_id("Scanlation group", group_id)))))

    return routes


def _chapter_routes(
    settings: Settings, chapters: Chapters, identify: Identify, identify_optional: IdentifyOptional
) -> APIRouter:
    routes = APIRouter(prefix="/chapter", tags=["Chapter"], default_response_class=WireResponse)
    patience = Patience(settings.body_stall_s, settings.body_min_bytes_per_s)

    @routes.get("", openapi_extra=CHAPTERS.document())
    async def get_chapter(
        request: Request, who: Annotated[Identity | None, Depends(identify_optional)]
    ) -> WireResponse:
        return await _search(chapters, CHAPTERS.read(request), who)

    @routes.get("/{chapter_id}", openapi_extra=ONE_CHAPTER.document())
    async def get_chapter_id(
        chapter_id: str, request: Request, who: Annotated[Identity | None, Depends(identify_optional)]
    ) -> WireResponse:
        view = await chapters.get(path_id("Chapter", chapter_id), _user_id(who))
        return await _one(chapters, view, request)

    @routes.put("/{chapter_id}", openapi_extra=ONE_CHAPTER.document() | EDIT_BODY)
    async def put_chapter_id(
        chapter_id: str, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        change = _edit(await read_object(request, EDIT_BYTES, patience))
        view = await chapters.edit(who.user_id, path_id("Chapter", chapter_id), change)
        return await _one(chapters, view, request)

    @routes.delete("/{chapter_id}")
    async def delete_chapter_id(chapter_id: str, who: Annotated[Identity, Depends(identify)]) -> WireResponse:
        await chapters.delete(who.user_id, path_id("Chapter", chapter_id))
        return WireResponse({"result": "ok"})

    return routes


async def _search(chapters: Chapters, values: dict[str, Any], who: Identity | None) -> WireResponse:
    expanded = values.pop("includes")
    search = ChapterSearch(**values)
    found = await chapters.find(search, _user_id(who))
    return _listed(await chapters.present(found.items, expanded), search, found)


async def _one(chapters: Chapters, view: ChapterView, request: Request) -> WireResponse:
    (entity,) = await chapters.present([view], ONE_CHAPTER.read(request)["includes"])
    return WireResponse(enveloped(entity))


def _listed(data: list[Json], search: MangaSearch | GroupSearch | ChapterSearch, found: Found[Any]) -> WireResponse:
    return WireResponse(collection(data, limit=search.limit, offset=search.offset, total=found.total))


def _user_id(who: Identity | None) -> str | None:
    return None if who is None else who.user_id


def _edit(given: Json) -> ChapterEdit:
    if given.get("version") is None:
        raise Invalid("Error validating /version: is required. Send the chapter's current version.")
    try:
        return ChapterEdit.from_dict(given)
    except InvalidRequest as refusal:
        raise Invalid(f"Error validating /{refusal.field.replace('.', '/')}: {refusal.problem}") from None
