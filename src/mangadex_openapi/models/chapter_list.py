"""A page of chapters."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.chapter import Chapter


class ChapterList(WireModel):
    """`data` has up to `limit` chapters from `offset` on; `total` counts all that match."""

    result: str | None = None
    response: str | None = None
    data: list[Chapter] | None = None
    limit: int | None = None
    offset: int | None = None
    total: int | None = None
