"""The query parameters of manga, groups and chapters (contract 9.1 to 9.3)."""

from __future__ import annotations

from mangadex_server.chapter_search import order_columns
from mangadex_server.listing import RATINGS
from mangadex_server.queries import (
    LAST_RESULT,
    Declared,
    Order,
    Query,
    choices,
    identifier,
    identifiers,
    includes,
    language,
    languages,
    moment,
    number,
    switch,
    text,
    texts,
)

STATUSES = ("ongoing", "completed", "hiatus", "cancelled")
DEMOGRAPHICS = ("shounen", "shoujo", "josei", "seinen", "none")


def _window(default: int, low: int, high: int) -> dict[str, Declared]:
    return {"limit": number("limit", default, low, high), "offset": number("offset", 0, 0, LAST_RESULT)}


MANGA = Query(
    title=text("title"),
    ids=identifiers("ids[]"),
    status=choices("status[]", STATUSES),
    original_language=languages("originalLanguage[]"),
    excluded_original_language=languages("excludedOriginalLanguage[]"),
    available_language=languages("availableTranslatedLanguage[]"),
    demographic=choices("publicationDemographic[]", DEMOGRAPHICS),
    content_rating=choices("contentRating[]", RATINGS),
    year=number("year", None, 0, 9999),
    authors=identifiers("authors[]"),
    artists=identifiers("artists[]"),
    author_or_artist=identifier("authorOrArtist"),
    included_tags=identifiers("includedTags[]"),
    excluded_tags=identifiers("excludedTags[]"),
    group=identifier("group"),
    has_chapters=switch("hasAvailableChapters"),
    has_unavailable_chapters=switch("hasUnavailableChapters"),
    created_since=moment("createdAtSince"),
    updated_since=moment("updatedAtSince"),
    order=Order(("relevance", "latestUploadedChapter", "title", "year", "createdAt", "updatedAt")),
    **_window(10, 0, 100),
)
GROUPS = Query(
    name=text("name"),
    ids=identifiers("ids[]"),
    focused_language=language("focusedLanguage"),
    order=Order(("relevance", "name", "createdAt", "updatedAt")),
    **_window(10, 0, 100),
)
EXPANDED = includes("manga", "scanlation_group", "user")
ONE_CHAPTER = Query(includes=EXPANDED)

_OF_FEED: dict[str, Declared] = {
    "language": languages("translatedLanguage[]"),
    "original_language": languages("originalLanguage[]"),
    "excluded_original_language": languages("excludedOriginalLanguage[]"),
    "content_rating": choices("contentRating[]", RATINGS),
    "excluded_groups": identifiers("excludedGroups[]"),
    "excluded_uploaders": identifiers("excludedUploaders[]"),
    "created_since": moment("createdAtSince"),
    "updated_since": moment("updatedAtSince"),
    "published_since": moment("publishAtSince"),
    "future_updates": switch("includeFutureUpdates"),
    "empty_pages": switch("includeEmptyPages"),
    "future_publish_at": switch("includeFuturePublishAt"),
    "external_url": switch("includeExternalUrl"),
    "unavailable": switch("includeUnavailable"),
    "order": Order(tuple(order_columns())),
    "includes": EXPANDED,
}
FEED = Query(**_OF_FEED, **_window(100, 1, 500))
CHAPTERS = Query(
    manga=identifier("manga"),
    groups=identifiers("groups[]"),
    uploaders=identifiers("uploader[]", also="uploader"),
    volume=texts("volume[]", also="volume"),
    chapter=texts("chapter[]", also="chapter"),
    title=text("title"),
    ids=identifiers("ids[]"),
    **_OF_FEED,
    **_window(10, 0, 100),
)
AGGREGATE = Query(languages=languages("translatedLanguage[]"), group_ids=identifiers("groups[]"))
