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

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_openapi.models import ChapterDraft
from mangadex_server import chapter_pages
from mangadex_server.approval import Approval
from mangadex_server.database import Database
from mangadex_server.errors import InConflict, Invalid, NotFound, NotPermitted
from mangadex_server.jobs import Jobs
from mangadex_server.open_sessions import open_session
from mangadex_server.settings import Settings
from mangadex_server.states import Action, State, after
from mangadex_server.tables import chapter_groups, chapters, files, manga, session_groups, sessions
from mangadex_server.visibility import opens_at, readable_at

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
        self._approval = Approval(settings)
        self._clock = clock

    async def commit(self, uploader: Uploader, session_id: str, draft: ChapterDraft, page_order: Sequence[str]) -> str:
        """Publish the session's files in this order; others are dropped. Returns the chapter's id.

        Raises:
            NotFound: not an open session of this user.
            Invalid: files that are not in the session, named twice, or none and no link.
            NotPermitted: a link, without the permission for it.
            InConflict: the chapter was changed after this edit of it was begun; the session stays open.
        """
        async with self._database.write() as connection:
            session = await open_session(connection, uploader.user_id, session_id, Action.COMMIT, lock=True)
            self._check_link(uploader, draft, page_order)
            ordered = await _ordered_files(connection, session_id, page_order)
            if session.is_edit:
                chapter_id = session.chapter_id
                is_done = await self._change_chapter(connection, uploader, session, draft, ordered)
            else:
                chapter_id, is_done = await self._add_chapter(connection, uploader, session, draft), False
                await chapter_pages.put(connection, chapter_id, ordered, {})
            await connection.execute(delete(files).where(files.c.session_id == session_id))
            await connection.execute(
                update(sessions)
                .where(sessions.c.id == session_id)
                .values(
                    state=after(State.COMMITTED, Action.FINISH) if is_done else after(State.OPEN, Action.COMMIT),
                    chapter_id=chapter_id,
                    version=sessions.c.version + 1,
                    updated_at=self._clock(),
                )
            )
            if not is_done:
                await self._jobs.add(connection, kind=PROCESS, chapter_id=chapter_id, session_id=session_id)
            return str(chapter_id)

    async def requires_approval(self, user_id: str, manga_id: str, language: str) -> bool:
        """Whether a chapter of this manga in this language would wait for a moderator.

        Raises:
            NotFound: no such manga.
        """
        async with self._database.read() as connection:
            known = await connection.execute(select(manga.c.id).where(manga.c.id == manga_id))
            if known.first() is None:
                raise NotFound(f"Manga with ID {manga_id} not found.")
            return not await self._approval.is_given_at_once(connection, user_id, language)

    def _check_link(self, uploader: Uploader, draft: ChapterDraft, page_order: Sequence[str]) -> None:
        if draft.external_url is not None and MAY_LINK_OUT not in uploader.roles:
            raise NotPermitted("This account may not publish links to other sites. Leave externalUrl out.")
        if not page_order and draft.external_url is None:
            raise Invalid("Error validating /pageOrder: a chapter needs at least one page. Name its files in order.")

    async def _add_chapter(
        self, connection: AsyncConnection, uploader: Uploader, session: Row[Any], draft: ChapterDraft
    ) -> str:
        chapter_id, language = str(uuid4()), str(draft.translated_language)
        values = self._values(draft) | {
            "id": chapter_id,
            "manga_id": session.manga_id,
            "uploader_id": uploader.user_id,
            "approved": await self._approval.is_given_at_once(connection, uploader.user_id, language),
            "hash": secrets.token_hex(16),
            "created_at": self._clock(),
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

    async def _change_chapter(
        self,
        connection: AsyncConnection,
        uploader: Uploader,
        session: Row[Any],
        draft: ChapterDraft,
        ordered: Sequence[Row[Any]],
    ) -> bool:
        """Whether there is nothing to process: its readers never miss a chapter that they had (contract 5.2)."""
        this = chapters.c.id == session.chapter_id
        chapter = (await connection.execute(select(chapters).where(this).with_for_update())).one_or_none()
        if chapter is None:
            raise NotFound(f"Chapter with ID {session.chapter_id} not found.")
        if chapter.version != session.chapter_version:
            raise InConflict(
                f"The chapter is at version {chapter.version}; this edit was begun at {session.chapter_version}. "
                "Abandon the session, read the chapter, and begin again."
            )
        pages_before = [page.blob for page in await chapter_pages.latest(connection, chapter.id)]
        has_new_pages = pages_before != [file.blob for file in ordered]
        values = self._values(draft) | {"version": chapter.version + 1}
        approved = values["approved"] = await self._approval.survives(
            connection,
            chapter,
            str(draft.translated_language),
            changes_content=has_new_pages or draft.external_url != chapter.external_url,
            roles=uploader.roles,
        )
        savers = await chapter_pages.savers(connection, chapter.id)
        is_done = all(file.blob in savers for file in ordered)
        stays_open = chapter.readable_at is not None and chapter.broken_reason is None and approved
        if is_done or stays_open:
            values["readable_at"] = self._readable_at(chapter, values)
            values["page_count"] = len(ordered) if is_done else chapter.page_count
        elif chapter.publish_at is None and "publish_at" not in values:
            values["publish_at"] = chapter.readable_at
        await connection.execute(update(chapters).where(this).values(values))
        if is_done or not stays_open:
            await chapter_pages.put(connection, chapter.id, ordered, savers)
        else:
            await chapter_pages.put_beside(connection, chapter.id, ordered)
        return is_done

    def _readable_at(self, chapter: Row[Any], values: dict[str, Any]) -> float:
        publish_at = values.get("publish_at", chapter.publish_at)
        return readable_at(self._clock(), chapter.readable_at, opens_at(publish_at, values["external_url"]))

    def _values(self, draft: ChapterDraft) -> dict[str, Any]:
        """What a draft says; a commit without publishAt keeps the chapter's time (contract 5.2)."""
        values: dict[str, Any] = {
            "volume": draft.volume or None,
            "chapter": draft.chapter or None,
            "title": draft.title or None,
            "language": draft.translated_language,
            "external_url": draft.external_url,
            "readable_at": None,
            "broken_reason": None,
            "edit_broken_reason": None,
            "page_count": 0,
            "updated_at": self._clock(),
        }
        if draft.publish_at is not None:
            values["publish_at"] = _unix(str(draft.publish_at))
        return values


async def _ordered_files(connection: AsyncConnection, session_id: str, page_order: Sequence[str]) -> list[Row[Any]]:
    if twice := [file_id for file_id, count in Counter(page_order).items() if count > 1]:
        raise Invalid(f"Error validating /pageOrder: named more than once: {', '.join(twice)}")
    present = {row.id: row for row in await connection.execute(select(files).where(files.c.session_id == session_id))}
    if unknown := [file_id for file_id in page_order if file_id not in present]:
        raise Invalid(f"Error validating /pageOrder: not in this session: {', '.join(unknown)}")
    return [present[file_id] for file_id in page_order]


def _unix(utc_text: str) -> float:
    return datetime.strptime(utc_text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC).timestamp()
