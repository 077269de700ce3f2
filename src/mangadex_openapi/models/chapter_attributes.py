"""The data of a chapter."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class ChapterAttributes(WireModel):
    """`pages` is 0 and the times may be None until the pages are processed (contract 3.2)."""

    title: str | None = None
    volume: str | None = None
    chapter: str | None = None
    pages: int | None = None
    translated_language: str | None = None
    uploader: str | None = None
    external_url: str | None = None
    is_unavailable: bool | None = None
    version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
    publish_at: str | None = None
    readable_at: str | None = None
