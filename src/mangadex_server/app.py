"""The application: the one place that joins the parts and puts HTTP in front of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match, Router
from starlette.types import ASGIApp

from mangadex_server import (
    routes_accounts,
    routes_catalog,
    routes_docs,
    routes_operation,
    routes_reading,
    routes_uploads,
    sandbox,
)
from mangadex_server.bodies import ClientGoneError
from mangadex_server.errors import Invalid, NotAllowedMethod, NotFound, ServiceError
from mangadex_server.faults import Faults
from mangadex_server.metrics import Counted
from mangadex_server.middleware import Around, internal_error
from mangadex_server.openapi import document_of
from mangadex_server.parts import Parts
from mangadex_server.rate_limits import RateLimits, storage_at
from mangadex_server.reading import Reading
from mangadex_server.settings import Settings
from mangadex_server.tokens import Identity
from mangadex_server.wire import WireResponse, error_response

logger = logging.getLogger(__name__)

UPKEEP_S = 3600.0
"""How often idle sessions expire and orphans are swept."""


def create_app(settings: Settings, on_ready: Callable[[], None] = lambda: None) -> ASGIApp:
    """The service as an ASGI application; `on_ready` is called when it can serve."""
    parts = Parts(settings)
    hurry = asyncio.Event()
    limits = RateLimits(storage_at(settings.limits_url)) if settings.limits_are_on else None

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await asyncio.to_thread(parts.blobs.prepare)
        if settings.sandbox:
            await sandbox.fill(parts.accounts, parts.catalog)
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(parts.worker.run(stop, hurry))
            upkeep = tasks.create_task(_keep_up(parts))
            on_ready()
            yield
            stop.set()
            upkeep.cancel()
        await parts.database.close()
        if limits is not None:
            await limits.close()

    app = FastAPI(
        lifespan=lifespan,
        default_response_class=WireResponse,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    _answer_errors(app)
    identify = routes_accounts.identify(parts.accounts)

    async def identify_optional(request: Request) -> Identity | None:
        return await identify(request) if "authorization" in request.headers else None

    app.include_router(routes_accounts.router(parts.accounts, parts.sign_ins, settings))
    app.include_router(routes_uploads.router(parts, identify, hurry.set))
    app.include_router(routes_catalog.router(settings, parts.catalog, parts.chapters, identify, identify_optional))
    app.include_router(routes_reading.router(settings, Reading(parts.database, parts.blobs), identify_optional))
    app.include_router(routes_operation.router(parts))
    app.include_router(routes_docs.router(app))
    app.openapi = document_of(app, routes_accounts.TOKEN_PATH)  # type: ignore[method-assign]  # as FastAPI's documentation has it
    around = Around(app, settings, limits, parts.tokens)
    return Counted(Faults(around) if settings.sandbox else around, parts.metrics)


async def _keep_up(parts: Parts) -> None:
    while True:
        try:
            expired = await parts.sessions.expire()
            removed = await parts.sweep.run() if await parts.sweep.is_due(UPKEEP_S) else 0
            if expired or removed:
                logger.info("%d idle sessions expired, %d unused blobs removed", expired, removed)
        except Exception:  # whatever it is, it may not take the service with it
            logger.exception("the upkeep failed; it is tried again in an hour")
        await asyncio.sleep(UPKEEP_S)


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    async def _refused(_request: Request, error: ServiceError) -> WireResponse:
        return error_response(error)

    @app.exception_handler(HTTPException)
    async def _no_route(request: Request, error: HTTPException) -> WireResponse:
        if error.status_code == 405:
            refusal = NotAllowedMethod(f'No route found for "{request.method} {request.url}"')
            return error_response(refusal, {"Allow": ", ".join(_methods_of(request))})
        return error_response(NotFound(f'No route found for "{request.method} {request.url}"'))

    @app.exception_handler(RequestValidationError)
    async def _malformed(_request: Request, error: RequestValidationError) -> WireResponse:
        return error_response(Invalid(f"Error validating the request: {error.errors()[0]['msg']}"))

    @app.exception_handler(ClientGoneError)
    async def _gone(_request: Request, _error: ClientGoneError) -> WireResponse:
        return error_response(Invalid("The body ended too early. Send the request again."))  # it may still listen

    @app.exception_handler(Exception)  # Starlette's own answer is plain text; `Around` logs it
    async def _failed(_request: Request, _error: Exception) -> WireResponse:
        return internal_error()


def _methods_of(request: Request) -> list[str]:
    """All that the path takes; Starlette's own answer knows those of one of its routes only (RFC 9110 10.2.1)."""
    others = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
    router: Router = request.app.router
    return [
        method
        for method in others
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in router.routes)
    ]
