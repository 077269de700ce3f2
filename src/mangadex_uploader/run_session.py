"""What `session show` and `session abandon` do."""

from __future__ import annotations

from mangadex_uploader import asking
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.edit_journal import Edit
from mangadex_uploader.errors import UsageError
from mangadex_uploader.events import Note
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output
from mangadex_uploader.uploader import SessionSummary


def show_session(reach: Reach, talking: Talking, output: Output) -> None:
    """Show the session that is open.

    Raises:
        UploadError: the service could not be asked.
    """
    found = run_connected(reach, talking, output, _open_session)
    if found is None:
        _tell_none(output)
    else:
        _show(found, output)


def abandon_session(reach: Reach, talking: Talking, output: Output, *, is_agreed: bool) -> None:
    """Delete the session that is open.

    Raises:
        UsageError: it takes a yes, and there is none.
        UploadError: the service does not do it.
    """
    if not is_agreed and not asking.may_ask(talking):
        raise UsageError("A session is thrown away with its pages: give --yes if you mean it.")

    found = run_connected(reach, talking, output, _open_session)
    if found is None:
        _tell_none(output)
        return
    if not is_agreed:
        _show(found, output)
        if not asking.agreed("Throw this session away, with its pages?"):
            raise UsageError("The session was left as it is.")

    async def abandon(connected: Connected) -> None:
        uploader = connected.uploader(lambda event: output.say(event.text) if isinstance(event, Note) else None)
        await uploader.abandon(found.session.id)

    run_connected(reach, talking, output, abandon)
    output.tell("abandoned", session_id=found.session.id)
    output.say(f"Session {found.session.id} is gone.")


async def _open_session(connected: Connected) -> SessionSummary | None:
    return await connected.uploader().open_session()


def _tell_none(output: Output) -> None:
    output.tell("no_session")
    output.say("No session is open.")


def _show(found: SessionSummary, output: Output) -> None:
    session, upload = found.session, found.upload
    begun = session.created_at.isoformat(timespec="seconds") if session.created_at else None
    keys = {
        "session_id": session.id,
        "manga": session.manga,
        "groups": list(session.groups),
        "files": len(session.files),
        "created_at": begun,
        "is_ours": upload is not None,
        "path": upload.path if upload else None,
        "chapter_id": upload.chapter_id if upload else None,
    }
    output.tell("session_open", **keys)
    output.result("session", session.id)
    output.result("manga", str(session.manga))
    output.result("groups", ", ".join(session.groups) or "none")
    output.result("pages", str(len(session.files) or "none listed"))
    output.result("begun", begun or "unknown")
    output.result("of", upload.path if upload else "another program, or another machine")
    if isinstance(upload, Edit):
        output.result("edits", upload.chapter_id)
        output.result("go on with", upload.command)
