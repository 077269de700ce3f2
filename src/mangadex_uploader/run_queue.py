"""What `queue` and its commands do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from mangadex_uploader import places
from mangadex_uploader.access import host_of
from mangadex_uploader.connected import Connected, run_connected
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import tell_summary
from mangadex_uploader.errors import UsageError
from mangadex_uploader.failures import common_status
from mangadex_uploader.first_pass import failed
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.journal import Journal
from mangadex_uploader.locks import is_locked
from mangadex_uploader.options import Choices, Many, Reach, Talking
from mangadex_uploader.output import Output
from mangadex_uploader.printable import printable
from mangadex_uploader.queue_journal import Queue, Queued, Unreadable, Waits
from mangadex_uploader.run_chapters import upload_described
from mangadex_uploader.wanted_chapters import Described
from mangadex_uploader.whereabouts import placed

Listed = TypeVar("Listed", bound=Queued | Unreadable)


def list_queue(output: Output) -> None:
    """One line for each chapter.

    Raises:
        UsageError: the journal cannot be used.
    """
    if not places.journal_file().exists():
        output.say("Nothing was uploaded from here yet.")
        return
    with _queue(output) as (journal, queue):
        for queued in queue.all():
            _list(queued, state_of(queued, journal), output)


def run_waiting(choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output) -> int:
    """Upload what waits at this service for this account; the exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    with _queue(output) as (journal, queue):
        chosen = [it for it in queue.all() if state_of(it, journal) is Waits.WAITING]
    return _upload(chosen, choices, many, reach, talking, output)


def retry_failed(  # noqa: PLR0913 - groups of options
    which: str | None, choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    """Upload what failed or may be committed, or the one of these; the exit status. As `run_waiting` otherwise.

    Raises:
        UploadError: there is no such one, the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    with _queue(output) as (_, queue):
        chosen = [it for it in queue.all() if it.state in (Waits.FAILED, Waits.UNCONFIRMED)]
    if which is not None:
        chosen = [_the_one(which, chosen, "that failed")]
    return _upload(chosen, choices, many, reach, talking, output)


def forget_one(which: str, output: Output) -> None:
    """Take one off the list. A command that has it still before it leaves it out.

    Raises:
        UsageError: there is no such one, or it is being uploaded.
    """
    with _queue(output) as (journal, queue):
        listed: list[Queued | Unreadable] = [*queue.all(), *queue.unreadable()]
        found = _the_one(which, listed, "in the queue")
        if isinstance(found, Queued) and state_of(found, journal) is Waits.RUNNING:
            raise UsageError(f"{printable(found.path)}: is being uploaded; stop that first.")
        queue.forget(found.id)
    output.tell("forgotten", path=found.path, id=found.id)
    output.say(f"{printable(found.path)}: is off the list; its files, and what the service has of it, stay")


def state_of(queued: Queued, journal: Journal) -> Waits:
    """What is running of a process that died waits."""
    if queued.state is Waits.RUNNING and not is_locked(journal.folder, queued.host, queued.account):
        return Waits.WAITING
    return queued.state


def _upload(  # noqa: PLR0913 - groups of options
    chosen: list[Queued], choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    host = host_of(reach)
    account = _account(reach, talking, output) if any(it.host == host for it in chosen) else ""
    here = [it for it in chosen if (it.host, it.account) == (host, account)]
    if others := sorted({f"{it.account} at {it.host}" for it in chosen if it not in here}):
        output.say(f"Left out: {len(chosen) - len(here)} chapters of {', '.join(others)}; upload them as that account.")
    if not here:
        output.say("There is nothing to upload.")
        return 0
    check_terms(host, output, talking, accepted_now=choices.accept_terms)
    endings = [failed(Path(it.path), _without_values(it), output) for it in here if it.chapter is None]
    described = [Described(it.chapter) for it in here if it.chapter is not None]
    if described:
        endings += upload_described(described, choices, many, reach, talking, output)
    if len(endings) > 1:
        tell_summary(endings, output)
    return common_status([it.status for it in endings])


def _account(reach: Reach, talking: Talking, output: Output) -> str:
    async def ask(connected: Connected) -> str:
        return connected.account

    return run_connected(reach, talking, output, ask)


def _without_values(queued: Queued) -> UsageError:
    path = printable(queued.path)
    return UsageError(f"{path}: its values are not known ({queued.problem}); give it to `mangadex upload` again.")


def _the_one(which: str, among: Iterable[Listed], what: str) -> Listed:
    place = placed(Path(which))
    found = [it for it in among if it.path == place or str(it.id) == which]
    if not found:
        raise UsageError(f"{printable(which)}: there is none of this id or path {what}; `mangadex queue` lists them.")
    if len(found) > 1:
        raise UsageError(f"{printable(which)}: there are several {what}; give the id, which `mangadex queue` lists.")
    return found[0]


@contextmanager
def _queue(output: Output) -> Iterator[tuple[Journal, Queue]]:
    with closing(Journal(places.journal_file())) as journal:
        queue = Queue(journal)
        for it in queue.unreadable():
            output.problem(
                f"{printable(it.path)}: cannot be read in the queue, as another version of this program wrote it; "
                f"`mangadex queue forget {it.id}` takes it off the list."
            )
        yield journal, queue


def _list(queued: Queued, state: Waits, output: Output) -> None:
    at = datetime.fromtimestamp(queued.updated_at, UTC)
    url = chapter_page(queued.host, queued.chapter_id) if queued.chapter_id else None
    output.tell(
        "queued",
        id=queued.id,
        path=queued.path,
        state=str(state),
        host=queued.host,
        account=queued.account,
        chapter_id=queued.chapter_id,
        url=url,
        problem=queued.problem,
        updated_at=at.isoformat(timespec="seconds"),
    )
    output.result(str(queued.id), str(state), queued.path, queued.problem or url or "")
