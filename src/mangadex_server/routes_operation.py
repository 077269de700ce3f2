"""For those who run the service: health and figures."""

from __future__ import annotations

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from mangadex_server.parts import Parts
from mangadex_server.wire import WireResponse


def router(parts: Parts) -> APIRouter:
    """`/healthz` and `/metrics`."""
    routes = APIRouter(tags=["Operation"])

    @routes.get("/healthz")
    async def healthz() -> WireResponse:
        async with parts.database.read() as connection:
            await connection.execute(text("SELECT 1"))
        return WireResponse({"result": "ok"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(parts.metrics.text(await parts.jobs.standing()), media_type=CONTENT_TYPE_LATEST)

    return routes
