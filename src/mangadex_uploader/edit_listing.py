"""The edits that are under way, for `status`: what was begun and is neither done nor given up."""

from __future__ import annotations

from datetime import UTC, datetime

from mangadex_uploader.edit_journal import Edit, Edits
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.journal import Journal
from mangadex_uploader.output import Output


def list_edits(journal: Journal, output: Output) -> None:
    """One line for each, with the command that goes on with it."""
    for edit in Edits(journal).under_way():
        _list(edit, output)


def _list(edit: Edit, output: Output) -> None:
    at = datetime.fromtimestamp(edit.updated_at, UTC)
    output.tell(
        "edit",
        path=edit.path,
        state=str(edit.state),
        host=edit.host,
        account=edit.account,
        session_id=edit.session_id,
        chapter_id=edit.chapter_id,
        url=chapter_page(edit.host, edit.chapter_id),
        problem=edit.problem,
        command=edit.command,
        updated_at=at.isoformat(timespec="seconds"),
    )
    output.result(f"{at.astimezone():%Y-%m-%d %H:%M}", f"edit {edit.state}", edit.path, edit.problem or edit.command)
