"""Sessions, files and committed chapters as the answers of the upload operations have them."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from sqlalchemy import Row

from mangadex_server.chapters import Chapters
from mangadex_server.database import Database
from mangadex_server.entities import file_entity, load_related, session_entity
from mangadex_server.open_sessions import SessionView
from mangadex_server.settings import Settings
from mangadex_server.shapes import Json, both_shapes


class Presenter:
    """Loads what `includes[]` asks for, and puts on both shapes at once (design 2)."""

    def __init__(self, database: Database, chapters: Chapters, settings: Settings) -> None:
        self._database = database
        self._chapters = chapters
        self._settings = settings

    async def session(self, view: SessionView, includes: Collection[str]) -> Json:
        """A session; its files only where they are asked for (contract 3.3)."""
        async with self._database.read() as connection:
            related = await load_related(
                connection,
                includes,
                time.time(),
                manga_ids=[view.row.manga_id],
                group_ids=view.group_ids,
                user_ids=[view.row.user_id],
            )
        lists_files = "upload_session_file" in includes and self._settings.sandbox_file_list != "none"
        shown = session_entity(view.row, view.group_ids, view.files if lists_files else [], related=related)
        if self._settings.sandbox_file_list == "ids":
            _bare_ids(shown)
        elif not self._settings.sandbox_remote_names:
            _hide_remote_names(shown)
        return both_shapes(shown)

    async def chapter(self, chapter_id: str, user_id: str, includes: Collection[str]) -> Json:
        """A chapter that the user has just committed."""
        [entity] = await self._chapters.present([await self._chapters.get(chapter_id, user_id)], includes)
        return both_shapes(entity)

    @staticmethod
    def file(row: Row[Any]) -> Json:
        """A stored page."""
        return file_entity(row)


def _bare_ids(session: Json) -> None:
    for related in session["relationships"]:
        if related["type"] == "upload_session_file":
            del related["attributes"]


def _hide_remote_names(session: Json) -> None:
    for related in session["relationships"]:
        if related["type"] == "upload_session_file" and related["attributes"]["source"] == "remote":
            related["attributes"] |= {"originalFileName": "", "fileHash": ""}
