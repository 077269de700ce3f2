"""Where the pages of a chapter are."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.get_at_home_server_chapter_id200_response_chapter import (
    GetAtHomeServerChapterId200ResponseChapter,
)


class GetAtHomeServerChapterId200Response(WireModel):
    """A page's address is `{base_url}/data/{chapter.hash}/{name}`, good for about 15 minutes (contract 9.4)."""

    result: str | None = None
    base_url: str | None = None
    chapter: GetAtHomeServerChapterId200ResponseChapter | None = None
