"""What `edit` does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import typer

from mangadex_uploader import json_output
from mangadex_uploader.access import host_of
from mangadex_uploader.commands_edit import EditChoices, NewValues
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.edit_conflict import VersionConflict, written
from mangadex_uploader.edit_plan import Changes, Difference, EditResult
from mangadex_uploader.editing import Editor
from mangadex_uploader.errors import UsageError
from mangadex_uploader.events import Event, Note, Retrying
from mangadex_uploader.failures import report
from mangadex_uploader.fields import ID, parse_publish_at
from mangadex_uploader.identifiers import chapter_page, id_in
from mangadex_uploader.ids import Ids
from mangadex_uploader.interruption import InterruptedBySignalError
from mangadex_uploader.loading import load_ahead
from mangadex_uploader.looking_up import Name, Outcome, look_up
from mangadex_uploader.memory import give_back_pages
from mangadex_uploader.name_parts import ONESHOT
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output, size
from mangadex_uploader.progress import progress_for
from mangadex_uploader.reporting import Reporter
from mangadex_uploader.sessions import OpenSessionPolicy

STOPPING = "Stopping. What was sent is kept: run the same command again to go on. Press Ctrl-C again to end at once."


def edit_chapter(  # noqa: PLR0913 - groups of options
    chapter: str,
    path: Path | None,
    new: NewValues,
    choices: EditChoices,
    reach: Reach,
    talking: Talking,
    output: Output,
) -> None:
    """Change the chapter.

    Raises:
        typer.Exit: it is not changed; the error was told, with the path that it is about.
        InterruptedBySignalError: a signal stopped it.
    """
    try:
        _edit_chapter(chapter, path, new, choices, reach, talking, output)
    except InterruptedBySignalError:
        raise
    except Exception as error:  # noqa: BLE001 - an unexpected one is told as such
        raise typer.Exit(report(output, error, None if path is None else str(path))) from None


def _edit_chapter(  # noqa: PLR0913 - groups of options
    chapter: str,
    path: Path | None,
    new: NewValues,
    choices: EditChoices,
    reach: Reach,
    talking: Talking,
    output: Output,
) -> None:
    chapter_id = chapter_in(chapter)
    if path is not None:
        check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    changes = _changes(new, choices, _groups(new, reach, talking, output))
    if path is None and not changes.values and changes.publish_at is None:
        raise UsageError("There is nothing to change: give the path of its pages, or a value such as --title.")
    host = host_of(reach)
    reporter = Reporter(output, progress_for(output, is_wanted=not choices.no_progress), host)
    told_of = None if path is None else str(path)
    policy = OpenSessionPolicy.ABANDON if choices.abandon_existing else OpenSessionPolicy.STOP

    async def work(connected: Connected) -> EditResult:
        on_event = reporter.on_event if path is not None else lambda event: _tell(event, output)
        editor = Editor(
            connected.client,
            account=connected.account,
            journal=connected.journal,
            terms_accepted=True,  # checked above, where something is published
            on_event=on_event,
            open_session=policy,
        )
        if path is None:
            return await editor.edit_values(chapter_id, changes)
        load_ahead()
        give_back_pages()
        reading = {"as_is": choices.as_is, "zip_encoding": choices.zip_encoding}
        return await editor.edit_pages(chapter_id, changes, path, sends_again=choices.send_again, **reading)

    try:
        result = run_connected(reach, talking, output, work, STOPPING)
    except VersionConflict as conflict:
        sides = {"planned": conflict.planned, "present": conflict.present, "changed": _sides(conflict.changed)}
        output.tell("conflict", path=told_of, chapter_id=chapter_id, **sides)
        raise
    finally:
        reporter.stop()
    _tell_result(result, told_of, host, output)


def chapter_in(text: str) -> str:
    """The id in what CHAPTER was given.

    Raises:
        UsageError: there is none.
    """
    given = text.strip().lower()
    path = urlsplit(given).path if re.match("https?://", given) else f"/chapter/{given}"
    found = re.search(rf"/chapter/({ID.pattern})(?:/|$)", path)
    if not found:
        raise UsageError(
            f"{text!r} is neither a chapter's id nor an address like https://mangadex.org/chapter/...: copy one of "
            "them."
        )
    return found.group(1)


def _groups(new: NewValues, reach: Reach, talking: Talking, output: Output) -> tuple[str, ...] | None:
    """Their ids; None where nothing was said of them."""
    if new.new_group is None:
        return None
    names = [Name("group", text) for text in new.new_group if text.strip()]
    for name in names:
        id_in("group", name.text, "--group")
    ids = Ids(talking, output)
    unknown = ids.unknown(names)

    async def ask(connected: Connected) -> Any:
        return await look_up(connected.client, unknown)

    outcomes: dict[Name, Outcome] = run_connected(reach, talking, output, ask) if unknown else {}
    ids.learn(outcomes)
    return tuple(ids.of(name) for name in names)


def _changes(new: NewValues, choices: EditChoices, groups: tuple[str, ...] | None) -> Changes:
    given: dict[str, Any] = {"title": new.new_title, "volume": new.new_volume, "language": new.new_language}
    values = {name: text for name, text in given.items() if text is not None}
    if new.new_chapter is not None:
        values["chapter"] = None if new.new_chapter.strip().lower() == ONESHOT else new.new_chapter
    if groups is not None:
        values["groups"] = groups
    publish_at = parse_publish_at(new.new_publish_at, choices.time_zone) if new.new_publish_at is not None else None
    return Changes(values, publish_at)


def _tell(event: Event, output: Output) -> None:
    """Of an edit without pages."""
    name, keys = json_output.of_event(event)
    output.tell(name, path=None, **keys)
    if isinstance(event, Note):
        output.say(event.text)
    elif isinstance(event, Retrying):
        output.say(f"{event.problem} Trying again in {event.wait_s:.0f} s.")


def _tell_result(result: EditResult, path: str | None, host: str, output: Output) -> None:
    address = chapter_page(host, result.chapter_id)
    output.tell(
        "result",
        path=path,
        chapter_id=result.chapter_id,
        url=address,
        confirmed=result.confirmed,
        needs_approval=result.needs_approval,
        already_done=result.already_done,
        version=result.version,
        changed=_sides(result.values),
        pages=result.pages,
        kept_pages=result.kept_pages,
        sent_bytes=result.sent_bytes,
        exit_status=0,
    )
    output.say(_in_words(result))
    output.result(address)


def _sides(values: Difference) -> dict[str, dict[str, Any]]:
    return {name: {"before": before, "after": after} for name, (before, after) in values.items()}


def _in_words(result: EditResult) -> str:
    chapter = f"Chapter {result.chapter_id}"
    if not result.values and result.pages is None:
        return f"{chapter}: {_unchanged(result)}"
    parts = [f"{name} {written(before)} -> {written(after)}" for name, (before, after) in result.values.items()]
    if result.pages is not None:
        sent = f"{size(result.sent_bytes)} sent" if result.sent_bytes else "none sent"
        parts.append(f"{result.pages} pages, {result.kept_pages} of them kept, {sent}")
    doubt = "" if result.confirmed else "; the service does not show its pages yet"
    waits = "; it waits for a moderator, and nobody can read it until then" if result.needs_approval else ""
    return f"{chapter}: changed to version {result.version}: {'; '.join(parts)}{doubt}{waits}"


def _unchanged(result: EditResult) -> str:
    if result.confirmed:
        return "nothing to do, it is as wanted"
    return (
        "these pages are committed already, but readers do not get them yet. They may wait for their time, for a "
        "moderator or for processing, which may also have refused them"
    )
