"""One page on its way in: collected for a moment, hashed and written in a thread, and looked at when it is whole."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from mangadex_server.errors import Invalid, ServiceError, TooLarge
from mangadex_server.images import ImageInfo, inspect
from mangadex_server.new_blob import NewBlob
from mangadex_server.part_names import PartName
from mangadex_server.settings import Settings
from mangadex_server.stores import Blobs

WRITE_BYTES = 1 << 20
"""So much of a page goes to a thread at once, where there is memory for it."""

T = TypeVar("T")

Pieces: TypeAlias = list[bytes | bytearray]


@dataclass(frozen=True, slots=True)
class Received:
    """A part that arrived as a whole: a stored page, or the reason why it was refused."""

    name: str
    digest: str = ""
    size_bytes: int = 0
    image: ImageInfo | None = None
    refusal: ServiceError | None = None


class MemoryBudget:
    """The memory that all arriving pages share. For all threads."""

    def __init__(self, total_bytes: int) -> None:
        self._free_bytes = total_bytes
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> bool:
        """Take so much, if it is there."""
        with self._lock:
            is_there = size_bytes <= self._free_bytes
            self._free_bytes -= size_bytes if is_there else 0
            return is_there

    def give_back(self, size_bytes: int) -> None:
        """Return what was taken."""
        with self._lock:
            self._free_bytes += size_bytes


@dataclass(frozen=True, slots=True)
class Means:
    """What all arriving pages share."""

    blobs: Blobs
    settings: Settings
    budget: MemoryBudget
    threads: Executor


class Arriving:
    """One part while it arrives. At most one of its steps is in a thread at a time."""

    def __init__(self, name: PartName, means: Means) -> None:
        self.name = name
        self._means = means
        self._refusal: ServiceError | None = name.refused(name.problem) if name.problem else None
        self.size_bytes = 0
        self._is_dropped = False
        self._pieces: Pieces = []
        self._charged_bytes = 0
        self._blob: NewBlob | None = None
        self._step: Future[Any] | None = None

    async def add(self, piece: bytes | bytearray) -> None:
        """Take the next bytes; those of a refused part are dropped.

        Raises:
            OSError: the bytes before these could not be written.
        """
        self.size_bytes += len(piece)
        if self._refusal is None and self.size_bytes > self._means.settings.max_file_bytes:
            limit = self._means.settings.max_file_bytes
            self.refuse(TooLarge(f"File {self.name.shown} is over {limit} bytes. Make it smaller."))
        if self._refusal is not None:
            return
        self._pieces.append(piece)
        has_memory = self._means.budget.take(len(piece))
        if has_memory:
            self._charged_bytes += len(piece)
        if not has_memory or self._charged_bytes >= WRITE_BYTES:
            await self._settled()
            self._begin(self._write)
        if not has_memory:
            await self._settled()

    async def end(self) -> Future[Received]:
        """There is no more of it: it becomes a stored page, or is refused.

        Raises:
            OSError: the bytes before the last could not be written.
        """
        if self._refusal is not None:
            refused: Future[Received] = Future()
            refused.set_result(Received(self.name.text, refusal=self._refusal))
            return refused
        await self._settled()
        return self._begin(self._finish)

    @property
    def is_refused(self) -> bool:
        """Whether its bytes are dropped."""
        return self._refusal is not None

    def refuse(self, refusal: ServiceError) -> None:
        """Store none of it, whatever else comes."""
        self._refusal = refusal
        self.drop()

    def drop(self) -> None:
        """Forget it; nothing stays behind, even if a thread is busy with it, but what is stored already."""
        if self._is_dropped:
            return
        self._is_dropped = True
        self._means.budget.give_back(self._charged_bytes)
        self._charged_bytes, self._pieces = 0, []
        if self._step is not None:
            self._step.add_done_callback(lambda _step: self._drop_blob())

    async def at_rest(self) -> None:
        """Wait until no thread is busy with it."""
        if self._step is not None and not self._step.done():
            await asyncio.gather(asyncio.wrap_future(self._step), return_exceptions=True)

    async def _settled(self) -> None:
        if self._step is None:
            return
        if self._step.done():
            self._step.result()
        else:
            await asyncio.wrap_future(self._step)

    def _begin(self, work: Callable[[Pieces], T]) -> Future[T]:
        pieces, self._pieces = self._pieces, []
        charged_bytes, self._charged_bytes = self._charged_bytes, 0
        step = self._step = self._means.threads.submit(work, pieces)
        step.add_done_callback(lambda _step: self._means.budget.give_back(charged_bytes))
        return step

    def _write(self, pieces: Pieces) -> None:
        self._opened_blob().write(*pieces)

    def _finish(self, pieces: Pieces) -> Received:
        with self._opened_blob() as blob:
            blob.write(*pieces)
            try:
                with blob.view() as data:
                    image = inspect(
                        data, formats=self._means.settings.formats, max_side_px=self._means.settings.max_side_px
                    )
            except Invalid as refusal:
                return Received(self.name.text, refusal=self.name.refused(refusal.detail))
            return Received(self.name.text, blob.keep(image.mime_type), self.size_bytes, image)

    def _opened_blob(self) -> NewBlob:
        if self._blob is None:
            self._blob = self._means.blobs.new()
        return self._blob

    def _drop_blob(self) -> None:
        if self._blob is not None:
            self._blob.drop()
