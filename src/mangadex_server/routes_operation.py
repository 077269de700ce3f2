"""For those who run the service: health and figures."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text

from mangadex_server.errors import Unavailable
from mangadex_server.parts import Parts
from mangadex_server.wire import WireResponse

HEALTH_S = 5.0
"""Whoever balances the load asks every few seconds."""


def router(parts: Parts) -> APIRouter:
    """`/healthz` and `/metrics`."""
    routes = APIRouter(tags=["Operation"])

    @routes.get("/healthz")
    async def healthz() -> WireResponse:
        try:
            async with asyncio.timeout(HEALTH_S), parts.database.read() as connection:
                await connection.execute(text("SELECT 1"))
        except TimeoutError:
            raise Unavailable("The service's database does not answer. Try again in a moment.") from None
        return WireResponse({"result": "ok"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        return Response(parts.metrics.text(await parts.jobs.standing()), media_type=CONTENT_TYPE_LATEST)

    return routes
