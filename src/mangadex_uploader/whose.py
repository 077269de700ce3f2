"""Which chapter a session belongs to, by the journal, and what to tell of one that is in the way. Asks nobody."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from mangadex_uploader import fields
from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.edit_journal import Edit
from mangadex_uploader.errors import UsageError
from mangadex_uploader.inventory import OpenSession
from mangadex_uploader.journal import State, Upload
from mangadex_uploader.printable import printable
from mangadex_uploader.whereabouts import placed


def is_of(upload: Upload, plan: Plan) -> bool:
    """Whether an upload is of this plan's chapter: two oneshots of a manga have one identity, but not one place."""
    if upload.identity != plan.identity:
        return False
    if upload.path == placed(plan.chapter.path) or upload.pages_digest == plan.pages_digest:
        return True
    return plan.chapter.chapter is not None and not os.path.lexists(upload.path)


def has_values_of(upload: Upload, chapter: Chapter) -> bool:
    """Whether an upload is of this number, wherever it was: its folder may have another name since."""
    try:
        wanted, _ = fields.checked(chapter, now=datetime.min.replace(tzinfo=UTC))
    except UsageError:  # as its check will say
        return False
    values = (wanted.manga, wanted.language, wanted.volume, wanted.chapter)
    return values == (upload.manga, upload.language, upload.volume, upload.chapter)


def shown(session: OpenSession, earlier: Upload | Edit | None, *, is_adoptable: bool, may_be_ours: bool = False) -> str:
    """What a session is that cannot be used, and what to do about it.

    `may_be_ours` says that it may be the one of an upload that was not answered when it asked for one.
    """
    files = f"{len(session.files)} pages" if session.files else "no pages listed"
    begun = f", begun {session.created_at:%Y-%m-%d %H:%M} UTC" if session.created_at else ""
    groups = f"groups {', '.join(session.groups)}" if session.groups else "no groups"
    what = f"Session {session.id} is open (manga {session.manga}, {groups}, {files}{begun})"
    if isinstance(earlier, Edit):
        return (
            f"{what}. It belongs to your edit of chapter {earlier.chapter_id}, which is not finished: run "
            f"`{earlier.command}`, or `mangadex session abandon`."
        )
    if earlier is not None:
        return f"{what}. {_of_upload(earlier)}"
    if session.edits:
        return (
            f"{what} and changes a chapter that is published, so it was left alone. Finish it where it was begun, or "
            f"use --abandon-existing to delete it; the chapter then stays as it is."
        )
    adopt = "--adopt to fill it with this chapter, or " if is_adoptable else ""
    if may_be_ours:
        return (
            f"{what}. It may be the one that this upload asked for without hearing of it, which cannot be told for "
            f"sure, so it was left alone. Look at it with `mangadex session show`. If another program has begun it, "
            f"finish it there; if none has, use {adopt}--abandon-existing to delete it."
        )
    return (
        f"{what} and was not begun by this upload, so it was left alone. Finish it where it was begun, or use "
        f"{adopt}--abandon-existing to delete it."
    )


def _of_upload(upload: Upload) -> str:
    number = f"chapter {upload.chapter}" if upload.chapter else "a oneshot"
    path = printable(upload.path)
    if os.path.lexists(upload.path):
        finish = f"from {path}, which is not finished: run `mangadex upload` with that path"
    else:
        finish = f"from {path}, where nothing is any more: run `mangadex upload` with the path that it has now"
    doubt = "; its commit may still come through" if upload.state is State.COMMITTING else ""
    return (
        f"It belongs to your upload of {number} {finish}{doubt}. Or look at it with `mangadex session show`, and "
        f"delete it with `mangadex session abandon`."
    )
