"""The engine's other half: a chapter that is published gets other pages or values. It prints nothing."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mangadex_uploader import fields
from mangadex_uploader.chapter import Plan
from mangadex_uploader.edit_journal import Edits
from mangadex_uploader.edit_pages import PageEdit
from mangadex_uploader.edit_plan import Changes, EditResult, Present, differences
from mangadex_uploader.errors import UsageError
from mangadex_uploader.events import Note, Planned
from mangadex_uploader.journal import State
from mangadex_uploader.published import conflict_with, put_values, read_chapter, read_whole, waits_for_approval
from mangadex_uploader.snapshots import Snapshot
from mangadex_uploader.turns import Unchanged
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
        async with self._alone():
            planned = await read_chapter(self._service, chapter_id)
            checked, warnings = fields.checked(changes.alone(Path(), planned.manga), now=datetime.now(UTC))
            for warning in warnings:
                self._service.emit(Note(warning))
            differing = differences(planned.values, changes.over(planned.values, checked))
            if not differing:
                return EditResult(chapter_id, planned.version, already_done=True)
            changed = await put_values(self._service, planned, differing)
            waits = None
            if "language" in differing:
                waits = await waits_for_approval(
                    self._service, chapter_id, replace(checked, language=changed.values.language)
                )
            return EditResult(chapter_id, changed.version, differing, needs_approval=waits)

    async def edit_pages(
        self, chapter_id: str, changes: Changes, path: Path, *, sends_again: bool = False, **reading: Any
    ) -> EditResult:
        """Give the chapter exactly the pages of `path`, in order, and the values that are given.

        Args:
            chapter_id: of the chapter.
            changes: what else it shall have.
            path: of the pages.
            sends_again: commit them anew where an earlier commit was not answered, and nothing tells whether it came
                through.
            reading: fields of `Chapter` that say how the pages are read, such as `as_is`.

        Raises:
            UsageError: a value or page that the service would refuse, or no such chapter.
            VersionConflict: the chapter was changed meanwhile.
            ChapterChanged: the files of `path` were changed meanwhile.
            Unconfirmed: it may have these pages.
            UploadError: it has the pages that it had, and the same call goes on later.
        """
        before = await read_chapter(self._service, chapter_id)
        if changes.publish_at == before.publish_at:
            changes = replace(changes, publish_at=None)
        turn = Unchanged(path, await asyncio.to_thread(Snapshot.of, path))
        given = await self.plan(changes.alone(path, before.manga, **reading))
        self._service.emit(Planned(_with_all_values(given, changes, before)))
        async with self._alone():
            await asyncio.to_thread(turn.at_begin)
            planned = await read_whole(self._service, chapter_id)
            if planned.version != before.version and not self._is_ours(planned):
                raise await conflict_with(self._service, before.shown(), planned)
            plan = _with_all_values(given, changes, planned)
            options = [*changes.options(), *_reading_options(**reading)]
            edit = PageEdit(self._service, planned, plan, options, self._policy, turn, sends_again=sends_again)
            return await edit.run()

    def _is_ours(self, present: Present) -> bool:
        """Whether another command of this program has made this version, while this one waited for it to end."""
        done = Edits(self._service.journal).latest(self._service.host, self._service.account, present.id, State.DONE)
        return done is not None and done.committed_version == present.version


def _with_all_values(given: Plan, changes: Changes, present: Present) -> Plan:
    """A plan of what the user gave, with the values that the chapter keeps: as they are, and unchecked."""
    values = changes.over(present.values, given.chapter)
    return replace(given, chapter=replace(given.chapter, **asdict(values)))


def _reading_options(*, as_is: bool = False, zip_encoding: str | None = None) -> list[str]:
    return [*(["--as-is"] if as_is else []), *(["--zip-encoding", zip_encoding] if zip_encoding else [])]
