"""A manga, with authors, artists and cover among the relationships."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.manga_attributes import MangaAttributes
from mangadex_openapi.models.relationship import Relationship


class Manga(WireModel):
    """A manga, with authors, artists and cover among the relationships."""

    id: str | None = None
    type: str | None = None
    attributes: MangaAttributes | None = None
    relationships: list[Relationship] | None = None
