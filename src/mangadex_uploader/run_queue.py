"""What `queue` and its commands do."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

from mangadex_uploader import places
from mangadex_uploader.access import host_of
from mangadex_uploader.consent import check_terms
from mangadex_uploader.endings import tell_summary
from mangadex_uploader.errors import UsageError
from mangadex_uploader.failures import common_status
from mangadex_uploader.identifiers import chapter_page
from mangadex_uploader.journal import Journal
from mangadex_uploader.locks import is_locked
from mangadex_uploader.options import Choices, Many, Reach, Talking
from mangadex_uploader.output import Output
from mangadex_uploader.queue_journal import Queue, Queued, Waits
from mangadex_uploader.run_chapters import upload_described
from mangadex_uploader.wanted_chapters import Described


def list_queue(output: Output) -> None:
    """One line for each chapter.

    Raises:
        UsageError: the journal cannot be used.
    """
    if not places.journal_file().exists():
        output.say("Nothing was uploaded from here yet.")
        return
    with _queue() as (journal, queue):
        for queued in queue.all():
            _list(queued, state_of(queued, journal), output)


def run_waiting(choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output) -> int:
    """Upload what waits at this service; the exit status.

    Raises:
        UploadError: the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    with _queue() as (journal, queue):
        chosen = [it for it in queue.all() if state_of(it, journal) is Waits.WAITING]
    return _upload(chosen, choices, many, reach, talking, output)


def retry_failed(  # noqa: PLR0913 - groups of options
    which: str | None, choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    """Upload what failed at this service, or the one of these; the exit status.

    Raises:
        UploadError: there is no such one, the options do not do, or nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    with _queue() as (_, queue):
        failed = [it for it in queue.all() if it.state is Waits.FAILED]
    chosen = failed if which is None else [_the_one(which, failed, "that failed")]
    return _upload(chosen, choices, many, reach, talking, output)


def forget_one(which: str, output: Output) -> None:
    """Take one off the list.

    Raises:
        UsageError: there is no such one, or it is being uploaded.
    """
    with _queue() as (journal, queue):
        queued = _the_one(which, queue.all(), "in the queue")
        if state_of(queued, journal) is Waits.RUNNING:
            raise UsageError(f"{queued.path}: is being uploaded; stop that first.")
        queue.forget(queued)
    output.tell("forgotten", path=queued.path, id=queued.id)
    output.say(f"{queued.path}: is off the list; its files, and what the service has of it, stay")


def state_of(queued: Queued, journal: Journal) -> Waits:
    """What is running of a process that died waits."""
    if queued.state is Waits.RUNNING and not is_locked(journal.folder, queued.host, queued.account):
        return Waits.WAITING
    return queued.state


def _upload(  # noqa: PLR0913 - groups of options
    chosen: list[Queued], choices: Choices, many: Many, reach: Reach, talking: Talking, output: Output
) -> int:
    here = [it for it in chosen if it.host == host_of(reach)]
    if not here:
        output.say("There is nothing to upload.")
        return 0
    check_terms(host_of(reach), output, talking, accepted_now=choices.accept_terms)
    endings = upload_described([Described(it.chapter) for it in here], choices, many, reach, talking, output)
    if len(endings) > 1:
        tell_summary(endings, output)
    return common_status([it.status for it in endings])


def _the_one(which: str, among: Iterable[Queued], what: str) -> Queued:
    place = os.path.abspath(which)  # noqa: PTH100 - links stay, as in the journal
    found = [it for it in among if it.path == place or str(it.id) == which]
    if not found:
        raise UsageError(f"{which}: there is none of this id or path {what}; `mangadex queue` lists them.")
    if len(found) > 1:
        raise UsageError(f"{which}: there are several {what}; give the id, which `mangadex queue` lists.")
    return found[0]


@contextmanager
def _queue() -> Iterator[tuple[Journal, Queue]]:
    with closing(Journal(places.journal_file())) as journal:
        yield journal, Queue(journal)


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
