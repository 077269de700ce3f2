"""Page addresses, page files and the reader page over HTTP (contract 9.4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, Response

from mangadex_server.errors import NotFound
from mangadex_server.page_files import address, answer
from mangadex_server.queries import Query, path_id, switch
from mangadex_server.reader_page import STYLESHEET, reader_page
from mangadex_server.reading import PageFile, Reading
from mangadex_server.settings import Settings
from mangadex_server.tokens import Identity
from mangadex_server.wire import WireResponse

AT_HOME = Query(force_port=switch("forcePort443"))

POLICY = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"  # the last three stand alone
STORE_POLICY = f"{POLICY}; img-src *"
"""Where pages are redirected: a browser asks the policy about the store's address too."""

PAGE_SECURITY = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
}


def router(
    settings: Settings, reading: Reading, identify_optional: Callable[[Request], Awaitable[Identity | None]]
) -> APIRouter:
    """The routes of readers; none asks for a token."""
    security = PAGE_SECURITY | ({"Content-Security-Policy": STORE_POLICY} if settings.redirect_pages else {})
    routes = APIRouter(tags=["Reading"], default_response_class=WireResponse)

    @routes.get("/at-home/server/{chapter_id}", openapi_extra=AT_HOME.document())
    async def get_at_home_server_chapter_id(chapter_id: str, request: Request) -> WireResponse:
        AT_HOME.read(request)
        id_ = path_id("Chapter", chapter_id)
        try:
            names = await reading.page_names(id_)
        except NotFound:
            who = await identify_optional(request)  # a token only matters here, for the reason
            if who is not None:
                await reading.explain(id_, who.user_id, who.roles)
            raise
        chapter = {"hash": names.folder, "data": names.data, "dataSaver": names.data_saver}
        base = (settings.public_url or str(request.base_url)).rstrip("/")
        return WireResponse({"result": "ok", "baseUrl": base, "chapter": chapter})

    async def sent(page: PageFile, request: Request) -> Response:
        return await (address(page, request) if settings.redirect_pages else answer(page, request))

    @routes.get("/data/{folder}/{name}", response_class=Response)
    async def get_page(folder: str, name: str, request: Request) -> Response:
        return await sent(await reading.page(folder, name, saver=False), request)

    @routes.get("/data-saver/{folder}/{name}", response_class=Response)
    async def get_small_page(folder: str, name: str, request: Request) -> Response:
        return await sent(await reading.page(folder, name, saver=True), request)

    routes.head("/data/{folder}/{name}", include_in_schema=False)(get_page)
    routes.head("/data-saver/{folder}/{name}", include_in_schema=False)(get_small_page)

    @routes.get("/chapter/{chapter_id}/read", response_class=HTMLResponse)
    async def read_chapter(chapter_id: str) -> HTMLResponse:
        view = await reading.for_people(path_id("Chapter", chapter_id))
        return HTMLResponse(reader_page(view), headers=security)

    @routes.get("/reader.css", include_in_schema=False)
    async def get_stylesheet() -> Response:
        return Response(STYLESHEET, media_type="text/css", headers=PAGE_SECURITY)

    return routes
