"""Manga, groups and chapters over HTTP (contract 9.1 to 9.3)."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from mangadex_openapi.models import ChapterEdit
from mangadex_server.bodies import KIB, Patience, read_object
from mangadex_server.catalog import Catalog
from mangadex_server.catalog_queries import AGGREGATE, CHAPTERS, FEED, GROUPS, MANGA, ONE_CHAPTER
from mangadex_server.catalog_search import GroupSearch, MangaSearch
from mangadex_server.chapter_search import ChapterSearch
from mangadex_server.chapters import Chapters, ChapterView
from mangadex_server.entities import group_entity
from mangadex_server.listing import Found
from mangadex_server.queries import path_id
from mangadex_server.request_models import read_model
from mangadex_server.settings import Settings
from mangadex_server.shapes import Json, collection, enveloped
from mangadex_server.tokens import Identity
from mangadex_server.wire import WireResponse

Identify = Callable[[Request], Awaitable[Identity]]
IdentifyOptional = Callable[[Request], Awaitable[Identity | None]]

EDIT_BYTES = 4 * KIB


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
        return _listed(await catalog.present_manga(found.items), search, found)

    @routes.get("/{manga_id}")
    async def get_manga_id(manga_id: str) -> WireResponse:
        (entity,) = await catalog.present_manga([await catalog.manga(path_id("Manga", manga_id))])
        return WireResponse(enveloped(entity))

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

    @routes.put("/{chapter_id}", openapi_extra=ONE_CHAPTER.document())
    async def put_chapter_id(
        chapter_id: str, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        change = read_model(ChapterEdit, await read_object(request, EDIT_BYTES, patience), "version")
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
