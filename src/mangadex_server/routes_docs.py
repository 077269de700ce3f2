"""The page at /docs: plain HTML out of the OpenAPI document, with nothing from elsewhere."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response

from mangadex_server.docs_page import STYLESHEET, docs_page
from mangadex_server.routes_reading import PAGE_SECURITY


def router(app: FastAPI) -> APIRouter:
    """`/docs` and its stylesheet."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/docs")
    async def get_docs() -> HTMLResponse:
        return HTMLResponse(docs_page(app.openapi()), headers=PAGE_SECURITY)

    @routes.get("/docs/style.css")
    async def get_docs_stylesheet() -> Response:
        return Response(STYLESHEET, media_type="text/css", headers=PAGE_SECURITY)

    return routes
