"""A chapter, with its manga, groups and uploader among the relationships."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.chapter_attributes import ChapterAttributes
from mangadex_openapi.models.relationship import Relationship


class Chapter(WireModel):
    """A chapter, with its manga, groups and uploader among the relationships."""

    id: str | None = None
    type: str | None = None
    attributes: ChapterAttributes | None = None
    relationships: list[Relationship] | None = None
