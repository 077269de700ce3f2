"""The page files of a chapter."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class GetAtHomeServerChapterId200ResponseChapter(WireModel):
    """File names in reading order: the pages as uploaded, and their smaller variants (contract 9.4)."""

    hash: str | None = None
    data: list[str] | None = None
    data_saver: list[str] | None = None
