"""Rows as the wire's entities (contract 3.2, 4.4, 9). Pure, but for `load_related`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.published import Published, load_published
from mangadex_server.shapes import Json, entity, iso, relationship
from mangadex_server.states import State
from mangadex_server.tables import groups, manga, users

Related: TypeAlias = Mapping[tuple[str, str], Json]
"""Attributes of what is to be expanded, by kind and id."""

NOTHING: Related = MappingProxyType({})

MANGA_DEFAULTS: Json = {
    "altTitles": [],
    "description": {},
    "isLocked": False,
    "links": {},
    "originalLanguage": "ja",
    "lastVolume": None,
    "lastChapter": None,
    "publicationDemographic": None,
    "status": "ongoing",
    "year": None,
    "chapterNumbersResetOnNewVolume": False,
    "tags": [],
}
GROUP_DEFAULTS: Json = {
    "altNames": [],
    "website": None,
    "ircServer": None,
    "ircChannel": None,
    "discord": None,
    "contactEmail": None,
    "description": None,
    "twitter": None,
    "mangaUpdates": None,
    "focusedLanguages": [],
    "official": False,
    "verified": False,
    "inactive": False,
    "exLicensed": False,
    "publishDelay": None,
}


def user_attributes(row: Row[Any]) -> Json:
    """Of a row of `users`."""
    return {"username": row.username, "roles": list(row.roles), "version": row.version}


def user_entity(row: Row[Any]) -> Json:
    """Of a row of `users`."""
    return entity("user", row.id, user_attributes(row))


def manga_attributes(row: Row[Any], published: Published) -> Json:
    """Of a row of `manga`."""
    columns = {"contentRating": row.content_rating, "state": row.state, **_versioned(row)}
    of_chapters = {
        "availableTranslatedLanguages": published.languages,
        "latestUploadedChapter": published.latest_chapter,
    }
    return {"title": {"en": row.title}, **MANGA_DEFAULTS, **row.attributes, **of_chapters, **columns}


def manga_entity(row: Row[Any], published: Published) -> Json:
    """Of a row of `manga`."""
    return entity("manga", row.id, manga_attributes(row, published))


def group_attributes(row: Row[Any]) -> Json:
    """Of a row of `scanlation_groups`."""
    return {"name": row.name, **GROUP_DEFAULTS, **row.attributes, "locked": row.locked, **_versioned(row)}


def group_entity(row: Row[Any]) -> Json:
    """Of a row of `scanlation_groups`."""
    return entity("scanlation_group", row.id, group_attributes(row))


def chapter_attributes(row: Row[Any]) -> Json:
    """Of a row of `chapters`. One that was published at once has opened when it became readable."""
    return {
        "volume": row.volume,
        "chapter": row.chapter,
        "title": row.title,
        "translatedLanguage": row.language,
        "externalUrl": row.external_url,
        "isUnavailable": False,
        "publishAt": iso(row.readable_at if row.publish_at is None else row.publish_at),
        "readableAt": iso(row.readable_at),
        "pages": row.page_count,
        **_versioned(row),
    }


def chapter_entity(row: Row[Any], group_ids: Iterable[str], *, related: Related = NOTHING) -> Json:
    """Of a row of `chapters` and the groups that it credits, in order."""
    references = [("scanlation_group", group_id) for group_id in group_ids]
    references += [("manga", row.manga_id), ("user", row.uploader_id)]
    return entity("chapter", row.id, chapter_attributes(row), _relationships(references, related))


def session_attributes(row: Row[Any]) -> Json:
    """Of a row of `upload_sessions` (contract 5.1)."""
    return {
        "isCommitted": row.state in (State.COMMITTED, State.PROCESSED),
        "isProcessed": row.state == State.PROCESSED,
        "isDeleted": row.state == State.DELETED,
        **_versioned(row),
    }


def session_entity(
    row: Row[Any], group_ids: Iterable[str], files: Iterable[Row[Any]] = (), *, related: Related = NOTHING
) -> Json:
    """Of a row of `upload_sessions`; files are always expanded, so give them only where they were asked for."""
    references = [("user", row.user_id), ("manga", row.manga_id)]
    references += [("scanlation_group", group_id) for group_id in group_ids]
    listed = [relationship("upload_session_file", file.id, file_attributes(file)) for file in files]
    return entity("upload_session", row.id, session_attributes(row), _relationships(references, related) + listed)


def file_attributes(row: Row[Any]) -> Json:
    """Of a row of `upload_session_files`."""
    return {
        "originalFileName": row.original_file_name,
        "fileHash": row.blob,
        "fileSize": row.size_bytes,
        "mimeType": row.mime_type,
        "source": row.source,
        "version": 1,
    }


def file_entity(row: Row[Any]) -> Json:
    """Of a row of `upload_session_files`."""
    return entity("upload_session_file", row.id, file_attributes(row))


async def load_related(  # noqa: PLR0913 - what an answer is about
    connection: AsyncConnection,
    includes: Collection[str],
    now: float,
    *,
    manga_ids: Iterable[str] = (),
    group_ids: Iterable[str] = (),
    user_ids: Iterable[str] = (),
) -> dict[tuple[str, str], Json]:
    """The attributes of those of these that `includes` names; other names are ignored (contract 10)."""
    related: dict[tuple[str, str], Json] = {}
    if wanted := set(manga_ids) if "manga" in includes else set():
        published = await load_published(connection, wanted, now)
        rows = await connection.execute(select(manga).where(manga.c.id.in_(wanted)))
        related |= {("manga", row.id): manga_attributes(row, published[row.id]) for row in rows}
    for kind, table, ids, attributes in (
        ("scanlation_group", groups, group_ids, group_attributes),
        ("user", users, user_ids, user_attributes),
    ):
        if wanted := set(ids) if kind in includes else set():
            rows = await connection.execute(select(table).where(table.c.id.in_(wanted)))
            related |= {(kind, row.id): attributes(row) for row in rows}
    return related


def _versioned(row: Row[Any]) -> Json:
    return {"version": row.version, "createdAt": iso(row.created_at), "updatedAt": iso(row.updated_at)}


def _relationships(references: Iterable[tuple[str, str]], related: Related) -> list[Json]:
    return [relationship(kind, id_, related.get((kind, id_))) for kind, id_ in references]
