"""Pages are prepared ahead of the one that is asked for, on several cores, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from mangadex_uploader.chapter import MIB, Source
from mangadex_uploader.errors import PageProblem
from mangadex_uploader.images import BadImage
from mangadex_uploader.listing import UnreadablePage
from mangadex_uploader.preparing import LIMITS, Limits, Prepared, prepare

WAITING_BYTES = 64 * MIB


def prepared_ahead(
    source: Source, names: Sequence[str], limits: Limits = LIMITS, *, workers: int = 2
) -> Generator[Prepared | PageProblem, None, None]:
    """Prepare pages in threads, in order and ahead of the one that is asked for.

    While 64 MiB of results wait no further page is begun, unless it is the next; those that were begun come on top.
    Closing it leaves out the pages that were not begun, and waits for the others.

    Raises:
        UploadError: at its page, what `Source.read` raises; a page of which only itself is bad is a PageProblem.
    """
    ahead = _Ahead(source, names, limits)
    with ThreadPoolExecutor(workers, thread_name_prefix="prepare") as pool:
        running = [pool.submit(ahead.work) for _ in range(workers)]
        try:
            for number in range(len(names)):
                yield ahead.result(number)
        finally:
            ahead.stop()
    for worker in running:
        worker.result()


class _Ahead:
    """The pages that are begun and the results that wait; for several threads."""

    def __init__(self, source: Source, names: Sequence[str], limits: Limits) -> None:
        self._source, self._names, self._limits = source, names, limits
        self._changed = threading.Condition()
        self._results: dict[int, Future[Prepared | PageProblem]] = {}
        self._begun = self._waiting_bytes = 0

    def work(self) -> None:
        """Prepare one page after another until there are none."""
        while (number := self._next()) is not None:
            self._prepare(number)

    def _prepare(self, number: int) -> None:
        done: Future[Prepared | PageProblem] = Future()
        try:
            done.set_result(_result(self._source, self._names[number], self._limits))
        except Exception as error:  # noqa: BLE001 - raised where the page is asked for
            done.set_exception(error)
        with self._changed:
            self._results[number] = done
            self._waiting_bytes += _size_bytes(done)
            self._changed.notify_all()

    def result(self, number: int) -> Prepared | PageProblem:
        """That of a page, when it is there; it waits no longer."""
        with self._changed:
            self._changed.wait_for(lambda: number in self._results)
            done = self._results.pop(number)
            self._waiting_bytes -= _size_bytes(done)
            self._changed.notify_all()
        return done.result()

    def stop(self) -> None:
        """Begin no other page."""
        with self._changed:
            self._begun = len(self._names)
            self._changed.notify_all()

    def _next(self) -> int | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting_bytes < WAITING_BYTES or self._begun == len(self._names))
            if self._begun == len(self._names):
                return None
            self._begun += 1
            return self._begun - 1


def _result(source: Source, name: str, limits: Limits) -> Prepared | PageProblem:
    try:
        return prepare(name, source.read(name), limits)
    except UnreadablePage as error:
        return error.page_problem
    except BadImage as error:
        return PageProblem(name, error.reason)


def _size_bytes(done: Future[Prepared | PageProblem]) -> int:
    result = None if done.exception() else done.result()
    return sum(len(piece.data) for piece in result.pieces) if isinstance(result, Prepared) else 0
