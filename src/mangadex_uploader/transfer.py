"""Sending pages: batches in parallel, bounded in bytes; whatever was unclear is asked about before it is sent again."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from itertools import chain, repeat

import mangadex_openapi as mangadex
from mangadex_uploader.chapter import BATCH_BYTES, MIB, Plan, PlannedPage, batches
from mangadex_uploader.errors import PageRefused
from mangadex_uploader.events import PagesStored
from mangadex_uploader.inventory import SHA256_DIGITS, take_stock
from mangadex_uploader.reading import read_page
from mangadex_uploader.service import Service, is_unclear
from mangadex_uploader.sessions import session_lost
from mangadex_uploader.together import all_of

UNACKNOWLEDGED_BYTES = 16 * MIB
SENDERS = 3
BATCH_TARGET_BYTES = min(BATCH_BYTES, UNACKNOWLEDGED_BYTES // SENDERS)
FIRST_BATCHES_BYTES = [BATCH_BYTES, BATCH_BYTES * 3 // 4]
"""The first two are large, since only they have a place in the second in which the session is begun (contract 7.1), and
unequal, so that the senders do not end together: the network would rest while all wait."""

REFUSALS = 3
"""So often is a page that the service refuses sent alone before its chapter stops."""


class ByteBudget:
    """Bytes that may be on their way. Who wants more than there is at all waits until nothing is."""

    def __init__(self, total_bytes: int) -> None:
        self._total = total_bytes
        self._taken = 0
        self._changed = asyncio.Condition()

    async def take(self, size_bytes: int) -> None:
        """Wait for so much room."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._taken == 0 or self._taken + size_bytes <= self._total)
            self._taken += size_bytes

    async def give_back(self, size_bytes: int) -> None:
        """Free it."""
        async with self._changed:
            self._taken -= size_bytes
            self._changed.notify_all()


class Transfer:
    """Brings a plan's pages into one session.

    `stored` is file id by position. `doubtful` says that the session may have files that nobody told us of.
    `drained` is set while no batch waits to be sent.
    """

    def __init__(
        self, service: Service, session_id: str, plan: Plan, stored: dict[int, str], *, doubtful: bool
    ) -> None:
        self.stored = stored
        self.doubtful = doubtful
        self.sent_bytes = 0
        self.drained = asyncio.Event()
        self._service = service
        self._session_id = session_id
        self._plan = plan
        self._budget = ByteBudget(UNACKNOWLEDGED_BYTES)
        self._waiting: deque[tuple[PlannedPage, ...]] = deque()
        self._refusals: Counter[int] = Counter()
        self._proven = service.journal.knows(service.host, "hashes_are_sha256")
        self._odd_hashes: dict[int, str] = {}
        self._hashes_are_of_another_kind = False

    async def send(self, pages: Sequence[PlannedPage]) -> None:
        """Send these pages; returns once each is acknowledged.

        Raises:
            UploadError: one cannot be sent; the others that were acknowledged stay in the session.
        """
        self._waiting.extend(batches(pages, chain(FIRST_BATCHES_BYTES, repeat(BATCH_TARGET_BYTES))))
        try:
            await all_of(self._send_waiting() for _ in range(min(SENDERS, len(self._waiting))))
        finally:
            self._waiting.clear()
            self.drained.set()

    async def _send_waiting(self) -> None:
        while self._waiting:
            batch = self._waiting.popleft()
            if not self._waiting:
                self.drained.set()
            size_bytes = sum(page.size_bytes for page in batch)
            await self._budget.take(size_bytes)
            try:
                await self._send_batch(batch)
            finally:
                await self._budget.give_back(size_bytes)

    async def _send_batch(self, batch: tuple[PlannedPage, ...]) -> None:
        contents = await asyncio.to_thread(lambda: {page: read_page(self._plan.source, page) for page in batch})
        left, tries = list(batch), 0
        while left:
            try:
                answer = await self._service.sessions.put_upload_session_file(
                    self._session_id, file=[(page.wire_name, contents[page]) for page in left]
                )
            except mangadex.OpenApiException as error:
                tries += 1
                await self._after_failure(left, tries, error)
                left = [page for page in left if page.position not in self.stored]
            else:
                left = await self._take_in(left, answer)
                tries = 0
            if left and len(left) > 1 and self._refusals.keys() & {page.position for page in left}:
                for page in left:  # alone, so that one page's refusal is its own
                    await self._send_batch((page,))
                return

    async def _after_failure(self, left: list[PlannedPage], tries: int, error: mangadex.OpenApiException) -> None:
        if isinstance(error, mangadex.NotFound):
            raise session_lost(self._session_id) from error
        if isinstance(error, mangadex.BadRequest | mangadex.PayloadTooLarge | mangadex.UnprocessableEntity):
            self._refuse(left, _reasons(error.errors) or [str(error)])
            return
        await self._service.pause_after(error, tries)
        if is_unclear(error):
            self.doubtful = True
            await self._ask_about(left)

    async def _ask_about(self, pages: list[PlannedPage]) -> None:
        """Find out which of these arrived although their answer did not."""
        session = await self._service.open_session()
        if session is None or session.id != self._session_id:
            raise session_lost(self._session_id)
        ours = set(self.stored.values())
        unknown = [file for file in session.files if file.id not in ours]
        found = take_stock(pages, unknown, {}, hashes_are_sha256=self._proven)
        await self._keep([(page, found.stored[page.position]) for page in pages if page.position in found.stored])

    async def _take_in(
        self, sent: list[PlannedPage], answer: mangadex.PutUploadSessionFile200Response
    ) -> list[PlannedPage]:
        """Record what is there; returns the pages that have to be sent again."""
        by_name = {page.wire_name: page for page in sent}
        arrived = [
            (by_name[name], file)
            for file in answer.data or []
            if file.attributes and (name := file.attributes.original_file_name) in by_name and file.id
        ]
        if any(file.attributes.file_hash == page.digest for page, file in arrived if file.attributes):
            self._trust_hashes()
        whole: list[tuple[PlannedPage, str]] = []
        broken: list[tuple[PlannedPage, str]] = []
        for page, file in arrived:
            (whole if self._is_whole(page, file) else broken).append((page, str(file.id)))
        await self._keep(whole)
        if broken:
            self.doubtful = True  # removed with what else is surplus, before the commit
            self._refuse([page for page, _ in broken], ["it arrived damaged"])
        left = [page for page in sent if page.position not in self.stored]
        damaged = {page.position for page, _ in broken}
        self._refuse([page for page in left if page.position not in damaged], _reasons(answer.errors or []))
        return left

    async def _keep(self, arrived: list[tuple[PlannedPage, str]]) -> None:
        if not arrived:
            return
        files = [(file_id, page) for page, file_id in arrived]
        await asyncio.to_thread(self._service.journal.add_files, self._session_id, files)  # the disk takes its time
        for page, file_id in arrived:
            self.stored[page.position] = file_id
        size_bytes = sum(page.size_bytes for page, _ in arrived)
        self.sent_bytes += size_bytes
        self._service.emit(PagesStored(tuple(page.name for page, _ in arrived), size_bytes))

    def _refuse(self, pages: list[PlannedPage], reasons: list[str]) -> None:
        for page in pages:
            self._refusals[page.position] += 1
            if self._refusals[page.position] > REFUSALS:
                mine = [reason for reason in reasons if page.wire_name in reason] or reasons
                raise PageRefused(
                    f"{page.name}: the service refuses it each time ({'; '.join(mine) or 'no reason given'}). "
                    f"Mend the page and run the same command again."
                )

    def _is_whole(self, page: PlannedPage, file: mangadex.UploadSessionFile) -> bool:
        told = file.attributes
        if told is None:
            return True
        if told.file_size is not None and told.file_size != page.size_bytes:
            return False
        digest = told.file_hash or ""
        if len(digest) != SHA256_DIGITS or digest == page.digest or self._hashes_are_of_another_kind:
            return True
        if self._proven:
            return False
        if self._odd_hashes.get(page.position) == digest:  # twice the same: it is a hash of another kind
            self._hashes_are_of_another_kind = True
            return True
        self._odd_hashes[page.position] = digest
        return False

    def _trust_hashes(self) -> None:
        if not self._proven:
            self._proven = True
            self._service.journal.learn(self._service.host, "hashes_are_sha256")


def _reasons(errors: Sequence[mangadex.Error]) -> list[str]:
    return [error.detail or error.title or "no reason given" for error in errors]
