"""What `status` and `paths` do."""

from __future__ import annotations

from datetime import UTC, datetime

from mangadex_uploader import places
from mangadex_uploader.edit_listing import list_edits
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.journal import Journal, Upload
from mangadex_uploader.output import Output


def list_uploads(output: Output) -> None:
    """One line for each upload, and for each edit under way.

    Raises:
        UsageError: the journal cannot be used.
    """
    if not places.journal_file().exists():
        output.say("Nothing was uploaded from here yet.")
        return
    journal = Journal(places.journal_file())
    try:
        for upload in journal.uploads():
            _list(upload, output)
        list_edits(journal, output)
    finally:
        journal.close()


def list_paths(output: Output) -> None:
    """One line for each place."""
    found = {
        "config": places.config_file(),
        "state": places.state_folder(),
        "journal": places.journal_file(),
        "logins": places.logins_folder(),
        "terms": places.consent_file(),
        "log": places.crash_log(),
    }
    output.tell("paths", **{name: str(path) for name, path in found.items()})
    for name, path in found.items():
        output.result(name, str(path))


def _list(upload: Upload, output: Output) -> None:
    at = datetime.fromtimestamp(upload.updated_at, UTC)
    url = chapter_page(upload.host, upload.chapter_id) if upload.chapter_id else None
    output.tell(
        "upload",
        path=upload.path,
        state=str(upload.state),
        host=upload.host,
        account=upload.account,
        manga=upload.manga,
        language=upload.language,
        chapter=upload.chapter,
        volume=upload.volume,
        session_id=upload.session_id,
        chapter_id=upload.chapter_id,
        url=url,
        problem=upload.problem,
        updated_at=at.isoformat(timespec="seconds"),
    )
    output.result(f"{at.astimezone():%Y-%m-%d %H:%M}", str(upload.state), upload.path, upload.problem or url or "")
