"""The nine upload operations over HTTP (contract 1)."""

import time
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.convertors import Convertor, register_url_convertor

from mangadex_server import removals
from mangadex_server.bodies import Patience, chunks
from mangadex_server.commits import Uploader
from mangadex_server.errors import Invalid, OutOfSpace
from mangadex_server.faults import REJECTED_PAGE
from mangadex_server.ingest import Ingest, Received
from mangadex_server.parts import Parts
from mangadex_server.presenting import Presenter
from mangadex_server.queries import Query, includes, path_id
from mangadex_server.shapes import error_entry
from mangadex_server.tokens import Identity
from mangadex_server.upload_bodies import UploadBodies
from mangadex_server.wire import WireResponse, all_refused

ALWAYS_EXPANDED = frozenset({"manga", "scanlation_group", "user"})
"""In the answer to a commit: Hondana reads attributes unasked (contract 13.11), and drops a group without them."""

INCLUDES = Query(includes=includes("manga", "scanlation_group", "user", "upload_session_file"))


class _SessionSegment(Convertor[str]):
    """A session's place in a path, which is never one of the words that stand there (contract 1, routing rules)."""

    regex = r"(?!(?:begin|check-approval-required)(?:/|$))[^/\0]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _FileSegment(_SessionSegment):
    """As above, for a file."""

    regex = r"(?!(?:batch|commit)$)[^/\0]+"


register_url_convertor("session", _SessionSegment())
register_url_convertor("session_file", _FileSegment())

Identify = Callable[[Request], Awaitable[Identity]]
SessionId = Annotated[str, Path(alias="uploadSessionId")]
FileId = Annotated[str, Path(alias="uploadSessionFileId")]
ChapterId = Annotated[str, Path(alias="chapterId")]


def router(parts: Parts, identify: Identify, on_commit: Callable[[], None]) -> APIRouter:
    """The routes under /upload."""
    settings = parts.settings
    patience = Patience(settings.body_stall_s, settings.body_min_bytes_per_s)
    bodies = UploadBodies(patience, terms_are_required=settings.strict)
    present = Presenter(parts.database, parts.chapters, settings)
    routes = APIRouter()
    routes.include_router(_beginning(parts, bodies, present, identify))  # its words come before any {uploadSessionId}
    routes.include_router(_ending(parts, bodies, present, identify, on_commit))
    routes.include_router(_filling(parts, bodies, patience, identify))
    return routes


def _beginning(parts: Parts, bodies: UploadBodies, present: Presenter, identify: Identify) -> APIRouter:
    routes = APIRouter(prefix="/upload", tags=["Upload"], default_response_class=WireResponse)
    sessions = parts.sessions

    @routes.get("", openapi_extra=INCLUDES.document())
    async def get_upload_session(request: Request, who: Annotated[Identity, Depends(identify)]) -> WireResponse:
        expanded = INCLUDES.read(request)["includes"]
        return WireResponse(await present.session(await sessions.current(who.user_id), expanded))

    @routes.post("/begin", openapi_extra=INCLUDES.document())
    async def begin_upload_session(request: Request, who: Annotated[Identity, Depends(identify)]) -> WireResponse:
        expanded = INCLUDES.read(request)["includes"]
        body = await bodies.begin(request)
        _check_disk(parts)
        view = await sessions.begin(who.user_id, str(body.manga).lower(), [item.lower() for item in body.groups or []])
        return WireResponse(await present.session(view, expanded))

    @routes.post("/begin/{chapterId}", openapi_extra=INCLUDES.document())
    async def begin_edit_session(
        chapter_id: ChapterId, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        expanded = INCLUDES.read(request)["includes"]
        body = await bodies.begin_edit(request)
        _check_disk(parts)
        view = await sessions.begin_edit(who.user_id, path_id("Chapter", chapter_id), body.version or 0)
        return WireResponse(await present.session(view, expanded))

    @routes.post("/check-approval-required")
    async def upload_check_approval_required(
        request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        body = await bodies.approval_check(request)
        needed = await parts.commits.requires_approval(who.user_id, str(body.manga).lower(), str(body.locale))
        return WireResponse({"result": "ok", "requiresApproval": needed})

    return routes


def _ending(
    parts: Parts, bodies: UploadBodies, present: Presenter, identify: Identify, on_commit: Callable[[], None]
) -> APIRouter:
    routes = APIRouter(prefix="/upload", tags=["Upload"], default_response_class=WireResponse)

    @routes.post("/{uploadSessionId:session}/commit", openapi_extra=INCLUDES.document())
    async def commit_upload_session(
        session_id: SessionId, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        expanded = INCLUDES.read(request)["includes"]
        draft, page_order = await bodies.commit(request)
        uploader = Uploader(who.user_id, frozenset(who.roles))
        chapter_id = await parts.commits.commit(uploader, session_id.lower(), draft, page_order)
        on_commit()
        return WireResponse(await present.chapter(chapter_id, who.user_id, ALWAYS_EXPANDED.union(expanded)))

    @routes.delete("/{uploadSessionId:session}")
    async def abandon_upload_session(
        session_id: SessionId, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        await parts.sessions.abandon(who.user_id, session_id.lower())
        return WireResponse({"result": "ok"})

    return routes


def _filling(parts: Parts, bodies: UploadBodies, patience: Patience, identify: Identify) -> APIRouter:
    routes = APIRouter(prefix="/upload", tags=["Upload"], default_response_class=WireResponse)
    files, ingest = parts.session_files, Ingest(parts.settings, parts.blobs)

    @routes.post("/{uploadSessionId:session}")
    async def put_upload_session_file(
        session_id: SessionId, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        _check_disk(parts)
        room = await files.check_open(who.user_id, session_id.lower())
        pages = await ingest.receive(request.headers.get("content-type", ""), chunks(request, patience), room)
        await removals.check(parts.database, parts.blobs, [page.digest for page in pages if page.digest], time.time())
        _reject(pages, request.scope.get(REJECTED_PAGE))
        added = await files.add(who.user_id, session_id.lower(), pages)
        if not added.files:
            return all_refused(added.refusals)
        parts.metrics.pages_stored(len(added.files))
        data = [Presenter.file(row) for row in added.files]
        return WireResponse({"result": "ok", "errors": [error_entry(item) for item in added.refusals], "data": data})

    @routes.delete("/{uploadSessionId:session}/batch")
    async def delete_uploaded_session_files(
        session_id: SessionId, request: Request, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        ids = await bodies.file_ids(request)
        await files.remove(who.user_id, session_id.lower(), ids, must_exist=False)
        return WireResponse({"result": "ok"})

    @routes.delete("/{uploadSessionId:session}/{uploadSessionFileId:session_file}")
    async def delete_uploaded_session_file(
        session_id: SessionId, file_id: FileId, who: Annotated[Identity, Depends(identify)]
    ) -> WireResponse:
        await files.remove(who.user_id, session_id.lower(), [file_id.lower()], must_exist=True)
        return WireResponse({"result": "ok"})

    return routes


def _check_disk(parts: Parts) -> None:
    if parts.blobs.free_bytes() < parts.settings.disk_floor_bytes:
        raise OutOfSpace("The service is out of disk space. Try again later.")


def _reject(pages: list[Received], number: int | None) -> None:
    """Refuse a page because the sandbox was asked to (`faults`)."""
    if number and number <= len(pages):
        name = pages[number - 1].name
        pages[number - 1] = Received(name, refusal=Invalid(f'Could not accept file "{name}": a fault was asked for'))
