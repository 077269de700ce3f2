"""One chapter, in its envelope."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.chapter import Chapter


class ChapterResponse(WireModel):
    """`data` is the chapter."""

    result: str | None = None
    response: str | None = None
    data: Chapter | None = None
