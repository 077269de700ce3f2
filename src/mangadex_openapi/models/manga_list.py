"""A page of manga."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.manga import Manga


class MangaList(WireModel):
    """`data` has up to `limit` manga from `offset` on; `total` counts all that match."""

    result: str | None = None
    response: str | None = None
    data: list[Manga] | None = None
    limit: int | None = None
    offset: int | None = None
    total: int | None = None
