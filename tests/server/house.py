"""A database with people in it, the catalogue and its readers over it, and a server on a real socket."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import httpx2
from fastapi import FastAPI, Request
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server
from installations import blobs_of, database_url, settings_of
from sqlalchemy import insert

from mangadex_server import routes_catalog, routes_reading
from mangadex_server.catalog import Catalog
from mangadex_server.chapters import Chapters
from mangadex_server.database import Database
from mangadex_server.errors import ServiceError, Unauthenticated
from mangadex_server.reading import Reading
from mangadex_server.tables import chapter_groups, chapters, metadata, pages, users
from mangadex_server.tokens import Identity
from mangadex_server.wire import WireResponse, error_response

T = TypeVar("T")
NOW = 1_800_000_000.0  # 2027-01-15T08:00:00+00:00
DAY = 86_400.0


async def identify(request: Request) -> Identity:
    if not (user_id := request.headers.get("authorization", "").removeprefix("Bearer ")):
        raise Unauthenticated("Sign in.")
    return Identity(user_id, "somebody", ("ROLE_MEMBER",))


async def identify_optional(request: Request) -> Identity | None:
    return await identify(request) if "authorization" in request.headers else None


class House:
    """A database with people in it, the catalogue over it, and a server in front."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.now = NOW
        self.url = database_url(folder)
        self.settings = settings_of(folder, **settings)
        self.blobs = blobs_of(folder)
        self.alice, self.bob, self.mallory = (str(uuid4()) for _ in range(3))
        self.run(self._set_up)
        self.manga = self.catalog(lambda it: it.add_manga('Official "Test" Manga', originalLanguage="ko"))
        self.group = self.catalog(lambda it: it.add_group("Good Group"))
        self.catalog(lambda it: it.add_member(self.group, "bob"))

    async def _set_up(self, database: Database) -> None:
        async with database.write() as connection:
            await connection.run_sync(metadata.create_all)
            common = {"password_hash": "x", "roles": ["ROLE_MEMBER"], "created_at": NOW, "updated_at": NOW}
            for name in ("alice", "bob", "mallory"):
                await connection.execute(insert(users).values(id=getattr(self, name), username=name, **common))

    def run(self, work: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
        async def main() -> T:
            database = Database(self.url)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(main())

    def catalog(self, work: Callable[[Catalog], Coroutine[Any, Any, T]]) -> T:
        return self.run(lambda database: work(Catalog(database, lambda: self.now)))

    def add_chapter(self, *groups: str, **given: Any) -> str:
        values: dict[str, Any] = {
            "id": str(uuid4()),
            "manga_id": self.manga,
            "uploader_id": self.alice,
            "volume": "1",
            "chapter": "1",
            "title": None,
            "language": "en",
            "readable_at": NOW - DAY,
            "approved": True,
            "page_count": 3,
            "hash": uuid4().hex,
            "created_at": NOW - DAY,
            "updated_at": NOW - DAY,
        }
        values |= given

        async def work(database: Database) -> None:
            async with database.write() as connection:
                await connection.execute(insert(chapters).values(values))
                for position, group in enumerate(groups):
                    credit = {"chapter_id": values["id"], "position": position, "group_id": group}
                    await connection.execute(insert(chapter_groups).values(credit))

        self.run(work)
        return str(values["id"])

    def keep(self, data: bytes, mime_type: str = "image/png") -> str:
        return asyncio.run(self.blobs.write(data, mime_type))

    def add_pages(self, chapter_id: str, *given: dict[str, Any]) -> None:
        async def work(database: Database) -> None:
            async with database.write() as connection:
                for position, page in enumerate(given):
                    values = {"original_file_name": "x", "size_bytes": 1, "width": 700, "height": 1000} | page
                    await connection.execute(insert(pages).values(chapter_id=chapter_id, position=position, **values))

        self.run(work)

    def app(self) -> FastAPI:
        database = Database(self.url)
        started = threading.Event()

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            started.set()
            yield
            await database.close()

        app = FastAPI(redirect_slashes=False, lifespan=lifespan)
        app.state.started = started

        def clock() -> float:
            return self.now

        @app.exception_handler(ServiceError)
        async def _refused(_request: Request, error: ServiceError) -> WireResponse:
            return error_response(error)

        catalog, chapters_ = Catalog(database, clock), Chapters(database, self.settings, clock)
        app.include_router(
            routes_reading.router(self.settings, Reading(database, self.blobs, clock), identify_optional)
        )
        app.include_router(routes_catalog.router(self.settings, catalog, chapters_, identify, identify_optional))
        return app


class Served:
    """An application on a free port of this machine, in a thread."""

    def __init__(self, app: FastAPI) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._app = app
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._loop: asyncio.AbstractEventLoop
        self._server: Server

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._server = Server(
            self._app, port=self.port, interface=Interfaces.ASGI, http=HTTPModes.http1, log_enabled=False
        )
        await self._server.serve()

    def __enter__(self) -> httpx2.Client:
        self._thread.start()
        assert self._app.state.started.wait(30)
        self.client = httpx2.Client(
            base_url=f"http://127.0.0.1:{self.port}", transport=httpx2.HTTPTransport(retries=20), trust_env=False
        )
        return self.client

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._loop.call_soon_threadsafe(self._server.stop)
        self._thread.join()
