"""The engine's other half: a chapter that is published gets other pages or values. It prints nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mangadex_uploader import fields
from mangadex_uploader.edit_pages import PageEdit
from mangadex_uploader.edit_plan import Changes, EditResult, differences, values_of
from mangadex_uploader.errors import UsageError
from mangadex_uploader.events import Note, Planned
from mangadex_uploader.published import put_values, read_chapter
from mangadex_uploader.uploader import Uploader


class Editor(Uploader):
    """Changes chapters of one account, one after the other; made like an `Uploader`."""

    async def edit_values(self, chapter_id: str, changes: Changes) -> EditResult:
        """Change what is given, through `PUT /chapter/{id}`; the rest keeps its value.

        Raises:
            UsageError: a value that the service would refuse, or no such chapter.
            VersionConflict: the chapter was changed meanwhile.
            UploadError: it is not changed.
        """
        if changes.publish_at is not None:
            raise UsageError("--publish-at can be changed together with the pages alone: give the chapter's path, too.")
        planned = await read_chapter(self._service, chapter_id)
        wanted = planned.with_values(Path(), changes.of(planned.values), None)
        checked, warnings = fields.checked(wanted, now=datetime.now(UTC))
        for warning in warnings:
            self._service.emit(Note(warning))
        async with self._alone():
            differing = differences(planned.values, values_of(checked))
            if not differing:
                return EditResult(chapter_id, planned.version)
            changed = await put_values(self._service, planned, differing)
            return EditResult(chapter_id, changed.version, differing)

    async def edit_pages(self, chapter_id: str, changes: Changes, path: Path, **reading: Any) -> EditResult:
        """Give the chapter exactly the pages of `path`, in order, and the values that are given.

        `reading` are fields of `Chapter` that say how the pages are read, such as `as_is`.

        Raises:
            UsageError: a value or page that the service would refuse, or no such chapter.
            VersionConflict: the chapter was changed meanwhile.
            UploadError: it has the pages that it had, and the same call goes on later.
        """
        planned = await read_chapter(self._service, chapter_id)
        publish_at = None if changes.publish_at == planned.publish_at else changes.publish_at
        plan = await self.plan(planned.with_values(path, changes.of(planned.values), publish_at, **reading))
        self._service.emit(Planned(plan))
        async with self._alone():
            return await PageEdit(self._service, planned, plan, self._policy).run()
