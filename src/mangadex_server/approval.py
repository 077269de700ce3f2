"""Which chapters wait for a moderator (settings.approval). What becomes of those that do is in `review`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from sqlalchemy import Row, exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from mangadex_server.settings import Settings
from mangadex_server.tables import chapters

MODERATORS = frozenset({"ROLE_GLOBAL_MODERATOR", "ROLE_ADMIN"})
"""Roles of those whom nobody has to check; the names are the real service's."""


class Approval:
    """The policy.

    `none`: no chapter waits. `first`: a user's first chapter in a language waits, also one that arrives in the
    language by an edit; later edits do not, whatever they change. `all`: every new chapter waits, and an approved one
    waits again when an edit changes its pages or its link, unless a moderator edits it: otherwise anything could be put
    in the place of what was approved.
    """

    def __init__(self, settings: Settings) -> None:
        self._policy = settings.approval

    async def is_given_at_once(self, connection: AsyncConnection, user_id: str, language: str) -> bool:
        """Whether a new chapter of this user in this language does not wait."""
        if self._policy != "first":
            return self._policy == "none"
        earlier = select(chapters.c.id).where(
            chapters.c.uploader_id == user_id, chapters.c.language == language, chapters.c.approved.is_(True)
        )
        return bool((await connection.execute(select(exists(earlier)))).scalar())

    async def survives(
        self,
        connection: AsyncConnection,
        chapter: Row[Any],
        language: str,
        *,
        changes_content: bool = False,
        roles: AbstractSet[str] = frozenset(),
    ) -> bool:
        """Whether a chapter is still approved after an edit by somebody with these roles, which gives it a language."""
        if not chapter.approved:
            return False
        if self._policy == "all":
            return not changes_content or not MODERATORS.isdisjoint(roles)
        if self._policy == "first" and language != chapter.language:
            return await self.is_given_at_once(connection, chapter.uploader_id, language)
        return True
