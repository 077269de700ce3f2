"""What a chapter will be called."""

from __future__ import annotations

from typing import ClassVar

from mangadex_openapi.models._base import RequestModel
from mangadex_openapi.models._fields import ExternalUrl, Language, Number, PublishAt, Title


class ChapterDraft(RequestModel):
    """The chapter's data at commit (contract 2.4): volume, chapter and title are sent as null when not given.

    A chapter without a number is a oneshot. `publish_at` is UTC text without a zone, or an aware datetime.
    """

    always_sent: ClassVar[frozenset[str]] = frozenset({"volume", "chapter", "title"})
    nullable: ClassVar[frozenset[str]] = frozenset({"external_url"})

    volume: Number | None = None
    chapter: Number | None = None
    title: Title | None = None
    translated_language: Language | None = None
    external_url: ExternalUrl | None = None
    publish_at: PublishAt | None = None
