"""The JSON bodies of the upload operations, each within its limit and checked (contract 2)."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from mangadex_openapi.models import (
    BeginEditSession,
    BeginUploadSession,
    ChapterDraft,
    CommitUploadSession,
    UploadCheckApprovalRequiredRequest,
)
from mangadex_server.bodies import KIB, Patience, read_json, read_object
from mangadex_server.errors import Invalid
from mangadex_server.request_models import read_model

# contract 2.5; a commit's pageOrder has the room of a batch (design 2)
BEGIN_EDIT_BYTES = 1 * KIB
BODY_BYTES = 4 * KIB
BATCH_BYTES = 20 * KIB
COMMIT_BYTES = BODY_BYTES + BATCH_BYTES
MAX_IDS = 500

DRAFT_KEYS = ("volume", "chapter", "title", "translatedLanguage")
"""All must be there; null is a value for the first three (contract 2.4)."""


class UploadBodies:
    """Reads them; each method raises Invalid or TooLarge, and what `bodies` raises for a body that does not come."""

    def __init__(self, patience: Patience, *, terms_are_required: bool) -> None:
        self._patience = patience
        self._terms_are_required = terms_are_required

    async def begin(self, request: Request) -> BeginUploadSession:
        """Of `begin_upload_session`."""
        return read_model(BeginUploadSession, await self._object(request, BODY_BYTES), "manga", "groups")

    async def begin_edit(self, request: Request) -> BeginEditSession:
        """Of `begin_edit_session`."""
        given = await self._object(request, BEGIN_EDIT_BYTES)
        for ignored in ("manga", "groups"):  # Hondana sends them (contract 2.2)
            given.pop(ignored, None)
        return read_model(BeginEditSession, given, "version")

    async def approval_check(self, request: Request) -> UploadCheckApprovalRequiredRequest:
        """Of `upload_check_approval_required`."""
        given = await self._object(request, BODY_BYTES)
        return read_model(UploadCheckApprovalRequiredRequest, given, "manga", "locale")

    async def commit(self, request: Request) -> tuple[ChapterDraft, list[str]]:
        """Of `commit_upload_session`: the draft and the page order."""
        given = await self._object(request, COMMIT_BYTES)
        body = read_model(CommitUploadSession, given, "chapterDraft")
        draft = body.chapter_draft
        missing = next((key for key in DRAFT_KEYS if key not in given["chapterDraft"]), None)
        if draft is None or missing is not None:
            raise Invalid(f"Error validating /chapterDraft/{missing}: is required. Add it to the draft.")
        if draft.translated_language is None:
            raise Invalid("Error validating /chapterDraft/translatedLanguage: is required. Give a language.")
        if body.terms_accepted is False or (self._terms_are_required and body.terms_accepted is not True):
            raise Invalid("Error validating /termsAccepted: the terms have to be accepted. Send true once they are.")
        return draft, [item.lower() for item in body.page_order or []]

    async def file_ids(self, request: Request) -> list[str]:
        """Of `delete_uploaded_session_files`."""
        body = await read_json(request, BATCH_BYTES, self._patience)
        if (
            not isinstance(body, list)
            or not body
            or not all(isinstance(item, str) and len(item) == 36 for item in body)
        ):
            raise Invalid("Error validating /: give a list of file ids of exactly 36 characters each")
        if len(body) > MAX_IDS:
            raise Invalid(f"Error validating /: {len(body)} ids; one request takes at most {MAX_IDS}")
        return [item.lower() for item in body]

    async def _object(self, request: Request, limit_bytes: int) -> dict[str, Any]:
        return await read_object(request, limit_bytes, self._patience)
