"""The body that changes a chapter's data."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mangadex_openapi.models._base import RequestModel
from mangadex_openapi.models._fields import Language, Number, Title, Uuid


class ChapterEdit(RequestModel):
    """What to change (contract 9.3): what is not given keeps its value, None clears it.

    `version` is the chapter's current version, and needed.
    """

    nullable: ClassVar[frozenset[str]] = frozenset({"title", "volume", "chapter"})

    title: Title | None = None
    volume: Number | None = None
    chapter: Number | None = None
    translated_language: Language | None = None
    groups: Annotated[list[Uuid], Field(max_length=10)] | None = None
    version: Annotated[int, Field(ge=1)] | None = None
