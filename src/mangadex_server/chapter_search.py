"""What chapters can be searched by (contract 9.3), as conditions and orders of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Float, cast, func, or_, select

from mangadex_server.listing import DEFAULT_RATINGS, Ordering
from mangadex_server.tables import chapter_groups, chapters, manga

NO_NUMBER = "none"
NEWEST_FIRST: Ordering = (("createdAt", True),)

OPENED_AT = func.coalesce(chapters.c.publish_at, chapters.c.readable_at)


@dataclass(frozen=True, slots=True)
class ChapterSearch:
    """What to look for; what is empty or None does not narrow, but for the ratings.

    The switches at the end: False leaves such chapters out, True (but for `future_updates`) keeps only such.
    """

    manga: str | None = None
    groups: Sequence[str] = ()
    uploaders: Sequence[str] = ()
    volume: Sequence[str] = ()
    chapter: Sequence[str] = ()
    language: Sequence[str] = ()
    original_language: Sequence[str] = ()
    excluded_original_language: Sequence[str] = ()
    title: str | None = None
    ids: Sequence[str] = ()
    content_rating: Sequence[str] = ()
    excluded_groups: Sequence[str] = ()
    excluded_uploaders: Sequence[str] = ()
    created_since: float | None = None
    updated_since: float | None = None
    published_since: float | None = None
    future_updates: bool | None = None
    empty_pages: bool | None = None
    future_publish_at: bool | None = None
    external_url: bool | None = None
    unavailable: bool | None = None  # nothing here ever is
    order: Ordering = ()
    limit: int = 10
    offset: int = 0


def conditions(search: ChapterSearch, now: float) -> list[ColumnElement[bool]]:
    """All that a chapter has to meet."""
    rated = select(manga.c.id).where(manga.c.content_rating.in_(search.content_rating or DEFAULT_RATINGS))
    return [
        chapters.c.manga_id.in_(rated),
        *_equal(search),
        *_credits(search),
        *_original_language(search),
        *_since(search),
        *_switches(search, now),
    ]


def order_columns() -> Mapping[str, Sequence[ColumnElement[Any]]]:
    """What each key of `order[...]` sorts by."""
    return {
        "createdAt": [chapters.c.created_at],
        "updatedAt": [chapters.c.updated_at],
        "publishAt": [OPENED_AT],
        "readableAt": [chapters.c.readable_at],
        "volume": _by_number(chapters.c.volume),
        "chapter": _by_number(chapters.c.chapter),
    }


def _by_number(column: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    digits = func.rtrim(column, "abcdefghijklmnopqrstuvwxyz")  # 7a comes after 7 and before 7.5 (contract 11.1)
    return [cast(func.nullif(digits, ""), Float), column]


def _equal(search: ChapterSearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.manga is not None:
        found.append(chapters.c.manga_id == search.manga)
    if search.title is not None:
        found.append(chapters.c.title.icontains(search.title, autoescape=True))
    for column, wanted in (
        (chapters.c.id, search.ids),
        (chapters.c.uploader_id, search.uploaders),
        (chapters.c.language, search.language),
    ):
        if wanted:
            found.append(column.in_(wanted))
    for column, wanted in ((chapters.c.volume, search.volume), (chapters.c.chapter, search.chapter)):
        if wanted:
            named = column.in_(wanted)
            found.append(or_(named, column.is_(None)) if NO_NUMBER in wanted else named)
    if search.excluded_uploaders:
        found.append(chapters.c.uploader_id.not_in(search.excluded_uploaders))
    return found


def _credits(search: ChapterSearch) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if search.groups:
        found.append(chapters.c.id.in_(credited_to(search.groups)))
    if search.excluded_groups:
        found.append(chapters.c.id.not_in(credited_to(search.excluded_groups)))
    return found


def credited_to(group_ids: Sequence[str]) -> Any:
    """The ids of chapters that credit any of these groups."""
    return select(chapter_groups.c.chapter_id).where(chapter_groups.c.group_id.in_(group_ids))


def _original_language(search: ChapterSearch) -> list[ColumnElement[bool]]:
    spoken = func.coalesce(manga.c.attributes["originalLanguage"].as_string(), "ja")
    found: list[ColumnElement[bool]] = []
    if search.original_language:
        found.append(chapters.c.manga_id.in_(select(manga.c.id).where(spoken.in_(search.original_language))))
    if search.excluded_original_language:
        excluded = select(manga.c.id).where(spoken.in_(search.excluded_original_language))
        found.append(chapters.c.manga_id.not_in(excluded))
    return found


def _since(search: ChapterSearch) -> list[ColumnElement[bool]]:
    limits = (
        (chapters.c.created_at, search.created_since),
        (chapters.c.updated_at, search.updated_since),
        (OPENED_AT, search.published_since),
    )
    return [column >= earliest for column, earliest in limits if earliest is not None]


def _switches(search: ChapterSearch, now: float) -> list[ColumnElement[bool]]:
    future = func.coalesce(chapters.c.publish_at, 0) > now
    found: list[ColumnElement[bool]] = [~future] if search.future_updates is False else []
    for keep, such in (
        (search.empty_pages, chapters.c.page_count == 0),
        (search.future_publish_at, future),
        (search.external_url, chapters.c.external_url.is_not(None)),
    ):
        if keep is not None:
            found.append(such if keep else ~such)
    return found
