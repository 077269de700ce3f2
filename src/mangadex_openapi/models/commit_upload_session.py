"""The body that publishes a session."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mangadex_openapi.models._base import RequestModel
from mangadex_openapi.models._fields import Uuid
from mangadex_openapi.models.chapter_draft import ChapterDraft


class CommitUploadSession(RequestModel):
    """The chapter's data, the ids of its pages in reading order (at most 500), and the user's consent.

    Set `terms_accepted` to True once the user has agreed to the service's terms (contract 2.4).
    """

    chapter_draft: ChapterDraft | None = None
    page_order: Annotated[list[Uuid], Field(max_length=500)] | None = None
    terms_accepted: bool | None = None
