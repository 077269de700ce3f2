"""One manga, in its envelope."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.manga import Manga


class MangaResponse(WireModel):
    """`data` is the manga."""

    result: str | None = None
    response: str | None = None
    data: Manga | None = None
