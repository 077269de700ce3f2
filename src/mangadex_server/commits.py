"""Committing a session: the chapter with all of its pages in order, or nothing (contract 5.3)."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_openapi.models import ChapterDraft
from mangadex_server.database import Database
from mangadex_server.errors import Invalid, NotFound, NotPermitted
from mangadex_server.jobs import Jobs
from mangadex_server.settings import Settings
from mangadex_server.states import Action, State, after
from mangadex_server.tables import chapter_groups, chapters, files, manga, pages, session_groups, sessions
from mangadex_server.uploads import open_session

MAY_LINK_OUT = "ROLE_EXTERNAL"
"""The special permission that a chapter elsewhere needs (contract 5.3)."""

PROCESS = "process_chapter"


@dataclass(frozen=True, slots=True)
class Uploader:
    """Who commits, and with which roles."""

    user_id: str
    roles: frozenset[str]


class Commits:
    """Turns sessions into chapters."""

    def __init__(
        self, database: Database, jobs: Jobs, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._settings = settings
        self._clock = clock

    async def commit(self, uploader: Uploader, session_id: str, draft: ChapterDraft, page_order: Sequence[str]) -> str:
        """Publish the session's files in this order; others are dropped. Returns the chapter's id.

        Raises:
            NotFound: not an open session of this user.
            Invalid: files that are not in the session, named twice, or none and no link.
            NotPermitted: a link, without the permission for it.
        """
        async with self._database.write() as connection:
            session = await open_session(connection, uploader.user_id, session_id, Action.COMMIT, lock=True)
            self._check_link(uploader, draft, page_order)
            ordered = await _ordered_files(connection, session_id, page_order)
            chapter_id = await self._write_chapter(connection, uploader, session, draft)
            await _write_pages(connection, chapter_id, ordered)
            await connection.execute(delete(files).where(files.c.session_id == session_id))
            await connection.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(
                    state=after(State.OPEN, Action.COMMIT),
                    chapter_id=chapter_id,
                    version=sessions.c.version + 1,
                    updated_at=self._clock(),
                )
            )
            await self._jobs.add(
                connection, kind=PROCESS, chapter_id=chapter_id, session_id=session_id, due_at=self._clock()
            )
            return chapter_id

    async def requires_approval(self, user_id: str, manga_id: str, language: str) -> bool:
        """Whether a chapter of this manga in this language would wait for a moderator.

        Raises:
            NotFound: no such manga.
        """
        async with self._database.read() as connection:
            known = await connection.execute(select(manga.c.id).where(manga.c.id == manga_id))
            if known.first() is None:
                raise NotFound(f"Manga with ID {manga_id} not found.")
            return not await self._is_approved_at_once(connection, user_id, language)

    def _check_link(self, uploader: Uploader, draft: ChapterDraft, page_order: Sequence[str]) -> None:
        if draft.external_url is not None and MAY_LINK_OUT not in uploader.roles:
            raise NotPermitted("This account may not publish links to other sites. Leave externalUrl out.")
        if not page_order and draft.external_url is None:
            raise Invalid("Error validating /pageOrder: a chapter needs at least one page. Name its files in order.")

    async def _is_approved_at_once(self, connection: AsyncConnection, user_id: str, language: str) -> bool:
        if self._settings.approval != "first":
            return self._settings.approval == "none"
        earlier = select(chapters.c.id).where(
            chapters.c.uploader_id == user_id, chapters.c.language == language, chapters.c.approved.is_(True)
        )
        return bool((await connection.execute(select(exists(earlier)))).scalar())

    async def _waits_by_its_language(self, connection: AsyncConnection, chapter_id: str, language: str) -> bool:
        """The first chapter in a language waits for a moderator, also if it arrives in it by an edit."""
        this = select(chapters.c.uploader_id).where(chapters.c.id == chapter_id, chapters.c.language != language)
        uploader_id = (await connection.execute(this)).scalar()
        return (
            uploader_id is not None
            and self._settings.approval == "first"
            and not await self._is_approved_at_once(connection, uploader_id, language)
        )

    async def _write_chapter(
        self, connection: AsyncConnection, uploader: Uploader, session: Row[Any], draft: ChapterDraft
    ) -> str:
        now = self._clock()
        publish_at = None if draft.publish_at is None else _unix(str(draft.publish_at))
        values: dict[str, Any] = {
            "volume": draft.volume or None,
            "chapter": draft.chapter or None,
            "title": draft.title or None,
            "language": draft.translated_language,
            "external_url": draft.external_url,
            "readable_at": None,
            "broken_reason": None,
            "page_count": 0,
            "updated_at": now,
        }
        if session.is_edit:
            if publish_at is not None:
                values["publish_at"] = publish_at
            if await self._waits_by_its_language(connection, str(session.chapter_id), str(draft.translated_language)):
                values["approved"] = False
            changed = await connection.execute(
                update(chapters)
                .where(chapters.c.id == session.chapter_id)
                .values(version=chapters.c.version + 1, **values)
            )
            if changed.rowcount == 0:
                raise NotFound(f"Chapter with ID {session.chapter_id} not found.")
            return str(session.chapter_id)
        chapter_id = str(uuid4())
        values |= {
            "id": chapter_id,
            "manga_id": session.manga_id,
            "uploader_id": uploader.user_id,
            "publish_at": publish_at,
            "approved": await self._is_approved_at_once(connection, uploader.user_id, str(draft.translated_language)),
            "hash": secrets.token_hex(16),
            "created_at": now,
        }
        await connection.execute(insert(chapters).values(values))
        credited = select(session_groups).where(session_groups.c.session_id == session.id)
        rows = [
            {"chapter_id": chapter_id, "position": row.position, "group_id": row.group_id}
            for row in await connection.execute(credited)
        ]
        if rows:
            await connection.execute(insert(chapter_groups), rows)
        return chapter_id


async def _ordered_files(connection: AsyncConnection, session_id: str, page_order: Sequence[str]) -> list[Row[Any]]:
    if twice := [file_id for file_id, count in Counter(page_order).items() if count > 1]:
        raise Invalid(f"Error validating /pageOrder: named more than once: {', '.join(twice)}")
    present = {row.id: row for row in await connection.execute(select(files).where(files.c.session_id == session_id))}
    if unknown := [file_id for file_id in page_order if file_id not in present]:
        raise Invalid(f"Error validating /pageOrder: not in this session: {', '.join(unknown)}")
    return [present[file_id] for file_id in page_order]


async def _write_pages(connection: AsyncConnection, chapter_id: str, ordered: list[Row[Any]]) -> None:
    await connection.execute(delete(pages).where(pages.c.chapter_id == chapter_id))
    rows = [
        {
            "chapter_id": chapter_id,
            "position": position,
            "original_file_name": file.original_file_name,
            "blob": file.blob,
            "size_bytes": file.size_bytes,
            "mime_type": file.mime_type,
            "width": file.width,
            "height": file.height,
        }
        for position, file in enumerate(ordered)
    ]
    if rows:
        await connection.execute(insert(pages), rows)


def _unix(utc_text: str) -> float:
    return datetime.strptime(utc_text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
