"""What manga and groups can be searched by (contract 9.1, 9.2), as conditions and orders of the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, func, select

from mangadex_server.listing import DEFAULT_RATINGS, Ordering, distance, ordered
from mangadex_server.published import latest_of_manga
from mangadex_server.tables import chapter_groups, chapters, groups, manga
from mangadex_server.visibility import readable

LATEST_FIRST: Ordering = (("latestUploadedChapter", True), ("createdAt", True))
NEWEST_FIRST: Ordering = (("createdAt", True),)
BY_RELEVANCE: Ordering = (("relevance", True),)


@dataclass(frozen=True, slots=True)
class MangaSearch:
    """What to look for; what is empty or None does not narrow, but for the ratings (contract 9.1)."""

    title: str | None = None
    ids: Sequence[str] = ()
    status: Sequence[str] = ()
    original_language: Sequence[str] = ()
    excluded_original_language: Sequence[str] = ()
    available_language: Sequence[str] = ()
    demographic: Sequence[str] = ()
    content_rating: Sequence[str] = ()
    year: int | None = None
    authors: Sequence[str] = ()  # nobody here has written or drawn anything
    artists: Sequence[str] = ()
    author_or_artist: str | None = None
    included_tags: Sequence[str] = ()  # all of them
    excluded_tags: Sequence[str] = ()  # any of them
    group: str | None = None
    has_chapters: bool | None = None
    has_unavailable_chapters: bool | None = None  # nothing here ever is
    created_since: float | None = None
    updated_since: float | None = None
    order: Ordering = ()
    limit: int = 10
    offset: int = 0


@dataclass(frozen=True, slots=True)
class GroupSearch:
    """What to look for; what is empty or None does not narrow (contract 9.2)."""

    name: str | None = None
    ids: Sequence[str] = ()
    focused_language: str | None = None
    order: Ordering = ()
    limit: int = 10
    offset: int = 0


def manga_order(search: MangaSearch, now: float) -> list[ColumnElement[Any]]:
    """By what to sort; `relevance` descends where it has the best first."""
    columns: dict[str, Sequence[ColumnElement[Any]]] = {
        "title": [func.lower(manga.c.title)],
        "year": [manga.c.attributes["year"].as_integer()],
        "createdAt": [manga.c.created_at],
        "updatedAt": [manga.c.updated_at],
        "latestUploadedChapter": [latest_of_manga(chapters.c.created_at, now)],
    }
    order = search.order or (BY_RELEVANCE if search.title else LATEST_FIRST)
    return _with_relevance(order, columns, manga.c.title, search.title)


def group_order(search: GroupSearch) -> list[ColumnElement[Any]]:
    """By what to sort."""
    columns: dict[str, Sequence[ColumnElement[Any]]] = {
        "name": [func.lower(groups.c.name)],
        "createdAt": [groups.c.created_at],
        "updatedAt": [groups.c.updated_at],
    }
    order = search.order or (BY_RELEVANCE if search.name else NEWEST_FIRST)
    return _with_relevance(order, columns, groups.c.name, search.name)


def _with_relevance(
    order: Ordering, columns: dict[str, Sequence[ColumnElement[Any]]], column: ColumnElement[str], words: str | None
) -> list[ColumnElement[Any]]:
    by: list[ColumnElement[Any]] = []
    for key, descending in order:
        if key == "relevance" and words:
            by += [item.asc() if descending else item.desc() for item in distance(column, words)]
        by += ordered([(key, descending)], columns)
    return by


def manga_conditions(search: MangaSearch, now: float) -> list[ColumnElement[bool]]:
    """All that a manga has to meet."""
    attributes = manga.c.attributes
    conditions = [manga.c.state == "published", manga.c.content_rating.in_(search.content_rating or DEFAULT_RATINGS)]
    if search.title is not None:
        conditions.append(manga.c.names.contains(search.title.casefold(), autoescape=True))
    if search.ids:
        conditions.append(manga.c.id.in_(search.ids))
    for key, fallback, wanted in (
        ("status", "ongoing", search.status),
        ("originalLanguage", "ja", search.original_language),
        ("publicationDemographic", "none", search.demographic),
    ):
        if wanted:
            conditions.append(func.coalesce(attributes[key].as_string(), fallback).in_(wanted))
    if search.excluded_original_language:
        spoken = func.coalesce(attributes["originalLanguage"].as_string(), "ja")
        conditions.append(spoken.not_in(search.excluded_original_language))
    if search.year is not None:
        conditions.append(attributes["year"].as_integer() == search.year)
    if search.created_since is not None:
        conditions.append(manga.c.created_at >= search.created_since)
    if search.updated_since is not None:
        conditions.append(manga.c.updated_at >= search.updated_since)
    return conditions + _tag_conditions(search) + _chapter_conditions(search, now)


def _tag_conditions(search: MangaSearch) -> list[ColumnElement[bool]]:
    tags = func.coalesce(manga.c.attributes["tags"].as_string(), "")  # a JSON list of entities, as text
    return [
        *(tags.contains(f'"{tag}"', autoescape=True) for tag in search.included_tags),
        *(~tags.contains(f'"{tag}"', autoescape=True) for tag in search.excluded_tags),
    ]


def _chapter_conditions(search: MangaSearch, now: float) -> list[ColumnElement[bool]]:
    available = select(chapters.c.manga_id).where(readable(now))
    conditions: list[ColumnElement[bool]] = []
    if search.authors or search.artists or search.author_or_artist or search.has_unavailable_chapters:
        conditions.append(false())
    if search.available_language:
        conditions.append(manga.c.id.in_(available.where(chapters.c.language.in_(search.available_language))))
    if search.group is not None:
        credited = select(chapter_groups.c.chapter_id).where(chapter_groups.c.group_id == search.group)
        conditions.append(manga.c.id.in_(available.where(chapters.c.id.in_(credited))))
    if search.has_chapters is not None:
        conditions.append(manga.c.id.in_(available) if search.has_chapters else manga.c.id.not_in(available))
    return conditions


def search_names(name: str, others: Any) -> str:
    """All names of a manga or a group in one text to search in; `others` is its altTitles or altNames on the wire."""
    names = [name]
    for other in others or ():
        names += other.values() if isinstance(other, Mapping) else [other]
    return "\n".join(names).casefold()


def group_conditions(search: GroupSearch) -> list[ColumnElement[bool]]:
    """All that a group has to meet."""
    conditions: list[ColumnElement[bool]] = []
    if search.name is not None:
        conditions.append(groups.c.names.contains(search.name.casefold(), autoescape=True))
    if search.ids:
        conditions.append(groups.c.id.in_(search.ids))
    if search.focused_language is not None:
        focused = groups.c.attributes["focusedLanguages"].as_string()  # a JSON list, as text
        conditions.append(focused.contains(f'"{search.focused_language}"', autoescape=True))
    return conditions
