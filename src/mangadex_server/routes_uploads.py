"""The nine upload operations over HTTP (contract 1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Depends, Request

from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models import (
    BeginEditSession,
    BeginUploadSession,
    CommitUploadSession,
    UploadCheckApprovalRequiredRequest,
)
from mangadex_openapi.models._base import RequestModel
from mangadex_server.blobs import LocalBlobs
from mangadex_server.bodies import KIB, Patience, chunks, read_json, read_object
from mangadex_server.commits import Commits, Uploader
from mangadex_server.errors import Invalid, OutOfSpace
from mangadex_server.faults import REJECTED_PAGE
from mangadex_server.ingest import Ingest, Received
from mangadex_server.presenting import Presenter
from mangadex_server.settings import Settings
from mangadex_server.tokens import Identity
from mangadex_server.uploads import Sessions
from mangadex_server.wire import WireResponse, error_entry

# contract 2.5; a commit's pageOrder has the room of a batch (design 2)
BEGIN_EDIT_BYTES = 1 * KIB
BODY_BYTES = 4 * KIB
BATCH_BYTES = 20 * KIB
COMMIT_BYTES = BODY_BYTES + BATCH_BYTES
MAX_IDS = 500

ALWAYS_EXPANDED = frozenset({"manga", "scanlation_group", "user"})
"""In the answer to a commit: Hondana reads attributes unasked (contract 13.11), and drops a group without them."""

Model = TypeVar("Model", bound=RequestModel)


def router(  # noqa: C901, PLR0913 - one route after the other
    settings: Settings,
    sessions: Sessions,
    commits: Commits,
    ingest: Ingest,
    blobs: LocalBlobs,
    present: Presenter,
    identify: Callable[[Request], Awaitable[Identity]],
    on_commit: Callable[[], None],
) -> APIRouter:
    """The routes under /upload."""
    routes = APIRouter(prefix="/upload", tags=["Upload"], default_response_class=WireResponse)
    patience = Patience(settings.body_stall_s, settings.body_min_bytes_per_s)

    @routes.get("")
    async def get_upload_session(request: Request, who: Identity = Depends(identify)) -> WireResponse:
        return WireResponse(await present.session(await sessions.current(who.user_id), _includes(request)))

    @routes.post("/begin")
    async def begin_upload_session(request: Request, who: Identity = Depends(identify)) -> WireResponse:
        body = _model(BeginUploadSession, await read_object(request, BODY_BYTES, patience), "manga", "groups")
        if blobs.free_bytes() < settings.disk_floor_bytes:
            raise OutOfSpace("The service is out of disk space. Try again later.")
        view = await sessions.begin(who.user_id, str(body.manga).lower(), [item.lower() for item in body.groups or []])
        return WireResponse(await present.session(view, _includes(request)))

    @routes.post("/begin/{chapter_id}")
    async def begin_edit_session(chapter_id: str, request: Request, who: Identity = Depends(identify)) -> WireResponse:
        given = await read_object(request, BEGIN_EDIT_BYTES, patience)
        for ignored in ("manga", "groups"):  # Hondana sends them (contract 2.2)
            given.pop(ignored, None)
        body = _model(BeginEditSession, given, "version")
        view = await sessions.begin_edit(who.user_id, chapter_id.lower(), body.version or 0)
        return WireResponse(await present.session(view, _includes(request)))

    @routes.post("/check-approval-required")
    async def upload_check_approval_required(request: Request, who: Identity = Depends(identify)) -> WireResponse:
        given = await read_object(request, BODY_BYTES, patience)
        body = _model(UploadCheckApprovalRequiredRequest, given, "manga", "locale")
        needed = await commits.requires_approval(who.user_id, str(body.manga).lower(), str(body.locale))
        return WireResponse({"result": "ok", "requiresApproval": needed})

    @routes.post("/{session_id}")
    async def put_upload_session_file(
        session_id: str, request: Request, who: Identity = Depends(identify)
    ) -> WireResponse:
        await sessions.check_open(who.user_id, session_id.lower())
        parts = await ingest.receive(request.headers.get("content-type", ""), chunks(request, patience))
        _reject(parts, request.scope.get(REJECTED_PAGE))
        if all(part.refusal for part in parts):
            raise next(part.refusal for part in parts if part.refusal)
        added = await sessions.add(who.user_id, session_id.lower(), parts)
        if not added.files:
            raise added.refusals[0]
        data = [present.file(row) for row in added.files]
        return WireResponse({"result": "ok", "errors": [error_entry(item) for item in added.refusals], "data": data})

    @routes.post("/{session_id}/commit")
    async def commit_upload_session(
        session_id: str, request: Request, who: Identity = Depends(identify)
    ) -> WireResponse:
        body = _model(CommitUploadSession, await read_object(request, COMMIT_BYTES, patience), "chapterDraft")
        _check_commit(body, settings)
        uploader = Uploader(who.user_id, frozenset(who.roles))
        order = [item.lower() for item in body.page_order or []]
        chapter_id = await commits.commit(uploader, session_id.lower(), body.chapter_draft, order)  # type: ignore[arg-type]  # checked
        on_commit()
        return WireResponse(await present.chapter(chapter_id, who.user_id, _includes(request) | ALWAYS_EXPANDED))

    @routes.delete("/{session_id}")
    async def abandon_upload_session(session_id: str, who: Identity = Depends(identify)) -> WireResponse:
        await sessions.abandon(who.user_id, session_id.lower())
        return WireResponse({"result": "ok"})

    @routes.delete("/{session_id}/batch")
    async def delete_uploaded_session_files(
        session_id: str, request: Request, who: Identity = Depends(identify)
    ) -> WireResponse:
        ids = _ids(await read_json(request, BATCH_BYTES, patience))
        await sessions.remove(who.user_id, session_id.lower(), ids, must_exist=False)
        return WireResponse({"result": "ok"})

    @routes.delete("/{session_id}/{file_id}")
    async def delete_uploaded_session_file(
        session_id: str, file_id: str, who: Identity = Depends(identify)
    ) -> WireResponse:
        await sessions.remove(who.user_id, session_id.lower(), [file_id.lower()], must_exist=True)
        return WireResponse({"result": "ok"})

    return routes


def _includes(request: Request) -> frozenset[str]:
    return frozenset(request.query_params.getlist("includes[]"))


def _model(kind: type[Model], given: Mapping[str, Any], *required: str) -> Model:
    for name in required:
        if given.get(name) is None:
            raise Invalid(f"Error validating /{name}: is required. Add it to the body.")
    try:
        return kind.from_dict(given)
    except InvalidRequest as refusal:
        pointer = refusal.field.replace(".", "/")
        raise Invalid(f"Error validating /{pointer}: {refusal.problem}") from None


def _reject(parts: list[Received], page: int | None) -> None:
    """Refuse a page because the sandbox was asked to (`faults`)."""
    if page and page <= len(parts):
        name = parts[page - 1].name
        parts[page - 1] = Received(name, refusal=Invalid(f'Could not accept file "{name}": a fault was asked for'))


def _check_commit(body: CommitUploadSession, settings: Settings) -> None:
    draft = body.chapter_draft
    if draft is None or draft.translated_language is None:
        raise Invalid("Error validating /chapterDraft/translatedLanguage: is required. Add it to the draft.")
    if body.terms_accepted is False or (settings.strict and body.terms_accepted is not True):
        raise Invalid("Error validating /termsAccepted: the terms have to be accepted. Send true once they are.")


def _ids(body: Any) -> list[str]:
    if not isinstance(body, list) or not body or not all(isinstance(item, str) and len(item) == 36 for item in body):
        raise Invalid("Error validating /: give a list of file ids of exactly 36 characters each")
    if len(body) > MAX_IDS:
        raise Invalid(f"Error validating /: {len(body)} ids; one request takes at most {MAX_IDS}")
    return [item.lower() for item in body]
