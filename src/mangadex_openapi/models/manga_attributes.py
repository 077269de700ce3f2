"""The data of a manga."""

from __future__ import annotations

from typing import Any

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models._fields import Attributes, LocalizedString


class MangaAttributes(WireModel):
    """Titles are by language code; `state` is draft, submitted, published or rejected (contract 9.1)."""

    title: LocalizedString | None = None
    alt_titles: list[LocalizedString] | None = None
    description: LocalizedString | None = None
    is_locked: bool | None = None
    links: Attributes | None = None
    original_language: str | None = None
    last_volume: str | None = None
    last_chapter: str | None = None
    publication_demographic: str | None = None
    status: str | None = None
    year: int | None = None
    content_rating: str | None = None
    chapter_numbers_reset_on_new_volume: bool | None = None
    available_translated_languages: list[str | None] | None = None
    latest_uploaded_chapter: str | None = None
    tags: list[dict[str, Any]] | None = None
    state: str | None = None
    version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
