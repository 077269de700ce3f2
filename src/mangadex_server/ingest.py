"""Pages on their way in: parsed as they arrive, counted, kept in memory while there is room, else in a file."""

from __future__ import annotations

import asyncio
import mmap
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from mangadex_server.blobs import LocalBlobs
from mangadex_server.errors import Invalid, ServiceError, TooLarge
from mangadex_server.images import ImageInfo, inspect
from mangadex_server.settings import Settings

OVERHEAD_BYTES = 64 * 1024
"""Room for the heads of the parts of one request."""

JOIN_BELOW_BYTES = 4096
"""Smaller pieces are joined before parsing: each costs the parser a pass (engines.md 6)."""

_BOUNDARY = re.compile(
    r'multipart/form-data\s*;.*?boundary=(?:"([^"]{1,70})"|([^\s";,]{1,70})(?=[\s;,]|$))', re.IGNORECASE | re.DOTALL
)


class MemoryBudget:
    """The memory that all arriving pages share."""

    def __init__(self, total_bytes: int) -> None:
        self._free_bytes = total_bytes

    def take(self, size_bytes: int) -> bool:
        """Take so much, if it is there."""
        if size_bytes > self._free_bytes:
            return False
        self._free_bytes -= size_bytes
        return True

    def give_back(self, size_bytes: int) -> None:
        """Return what was taken."""
        self._free_bytes += size_bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A part that arrived as a whole: a stored page, or the reason why it was refused."""

    name: str
    digest: str = ""
    size_bytes: int = 0
    image: ImageInfo | None = None
    refusal: ServiceError | None = None


class Arriving:
    """One part while it arrives."""

    def __init__(self, name: str, budget: MemoryBudget, blobs: LocalBlobs, max_bytes: int) -> None:
        self.name = name
        self.size_bytes = 0
        self._budget = budget
        self._blobs = blobs
        self._max_bytes = max_bytes
        self._memory = bytearray()
        self._charged_bytes = 0
        self._path: Path | None = None
        self._file: BinaryIO | None = None

    @property
    def is_too_large(self) -> bool:
        """Whether it is over the limit of a file; its bytes are then dropped as they come."""
        return self.size_bytes > self._max_bytes

    async def add(self, piece: bytes | bytearray) -> None:
        """Take the next bytes."""
        self.size_bytes += len(piece)
        if self.is_too_large:
            self.drop()
        elif self._file is not None:
            await asyncio.to_thread(self._file.write, piece)
        elif self._budget.take(len(piece)):
            self._charged_bytes += len(piece)
            self._memory += piece
        else:
            await asyncio.to_thread(self._spill, piece)
            self._free_memory()

    def store(self, settings: Settings) -> Received:
        """Look at the whole part and keep it, if it is a page. Blocks; runs in a thread."""
        try:
            if self.is_too_large:
                raise TooLarge(f'File "{self.name}" is over {settings.max_file_bytes} bytes. Make it smaller.')
            if self._path is None:
                image = _inspected(self.name, memoryview(self._memory), settings)
                return Received(self.name, self._blobs.store(self._memory), self.size_bytes, image)
            return self._store_file(self._path, settings)
        except ServiceError as refusal:
            return Received(self.name, refusal=refusal)

    def drop(self) -> None:
        """Forget the bytes; nothing stays behind."""
        self._free_memory()
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None

    def _store_file(self, path: Path, settings: Settings) -> Received:
        if self._file is not None:
            self._file.close()
            self._file = None
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
            memoryview(mapped) as view,
        ):
            image = _inspected(self.name, view, settings)
        return Received(self.name, self._blobs.adopt(path), self.size_bytes, image)

    def _spill(self, piece: bytes | bytearray) -> None:
        self._path = self._blobs.new_file()
        self._file = self._path.open("xb")
        self._file.write(self._memory)
        self._file.write(piece)

    def _free_memory(self) -> None:
        self._memory = bytearray()
        self._budget.give_back(self._charged_bytes)
        self._charged_bytes = 0


def boundary_of(content_type: str) -> str:
    """The boundary, quoted or not (contract 4.3).

    Raises:
        Invalid: not a multipart form, or no usable boundary.
    """
    found = _BOUNDARY.match(content_type)
    if found is None:
        raise Invalid("Send the files as multipart/form-data with a boundary of 1 to 70 characters.")
    return found.group(1) or found.group(2)


class Ingest:
    """Receives the files of one request at a time, for any number of requests at once."""

    def __init__(self, settings: Settings, blobs: LocalBlobs) -> None:
        self._settings = settings
        self._blobs = blobs
        self._budget = MemoryBudget(settings.upload_memory_bytes)

    async def receive(self, content_type: str, body: AsyncIterator[bytes]) -> list[Received]:
        """All parts with a filename, in their order; each is stored while the next one arrives.

        Raises:
            Invalid: no multipart form, cut off, too many files, none at all. Nothing is kept then.
        """
        boundary = boundary_of(content_type)
        # not strict: it would refuse a line end after the last boundary that comes in a piece of its own
        parser = PushMultipartParser(boundary, max_segment_count=self._settings.max_files_per_request)
        parts: list[Arriving] = []
        storing: list[asyncio.Task[Received]] = []
        try:
            await self._parse(parser, _beginning_with(boundary, _joined(body)), parts, storing)
            received = await asyncio.gather(*storing)
        except MultipartError as error:
            raise self._refusal(error) from None
        finally:
            await asyncio.gather(*storing, return_exceptions=True)
            for part in parts:
                part.drop()
        if not received:
            raise Invalid("There is no file in the request. Send each as a part with a filename.")
        return received

    async def _parse(
        self,
        parser: PushMultipartParser,
        body: AsyncIterator[bytes],
        parts: list[Arriving],
        storing: list[asyncio.Task[Received]],
    ) -> None:
        part: Arriving | None = None
        total_bytes = 0
        ceiling = self._settings.max_files_per_request * self._settings.max_file_bytes + OVERHEAD_BYTES
        async for piece in body:
            total_bytes += len(piece)
            if total_bytes > ceiling:
                raise TooLarge(f"The request is over {ceiling} bytes. Send fewer pages at once.")
            for event in parser.parse(piece):
                if isinstance(event, MultipartSegment):
                    part = None
                    if event.filename is not None:
                        part = Arriving(event.filename, self._budget, self._blobs, self._settings.max_file_bytes)
                        parts.append(part)
                elif part is not None and event is None:
                    storing.append(asyncio.create_task(self._store(part)))
                elif part is not None and event is not None:
                    await part.add(event)
        list(parser.parse(b""))  # a body that was cut off is an error only now

    async def _store(self, part: Arriving) -> Received:
        try:
            return await asyncio.to_thread(part.store, self._settings)
        finally:
            part.drop()  # its memory serves the pages that come after it

    def _refusal(self, error: MultipartError) -> Invalid:
        if isinstance(error, ParserLimitReached):
            most = self._settings.max_files_per_request
            return Invalid(f"One request takes at most {most} files with short names. Send the rest in another.")
        return Invalid(f"The multipart body cannot be read ({error}). It may have been cut off: send it again.")


def _inspected(name: str, data: memoryview, settings: Settings) -> ImageInfo:
    try:
        return inspect(data, formats=settings.formats, max_side_px=settings.max_side_px)
    except Invalid as refusal:
        raise Invalid(f'Could not accept file "{name}": {refusal.detail}') from None


async def _beginning_with(boundary: str, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The body, unless its first piece (4 KB, or all of it) is without the boundary: the rest is not waited for."""
    is_first = True
    async for piece in body:
        if is_first and f"--{boundary}".encode() not in piece:
            raise Invalid("The boundary of the Content-Type is not the one in the body. Send both alike.")
        is_first = False
        yield piece


async def _joined(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    small = bytearray()
    async for piece in body:
        if not small and len(piece) >= JOIN_BELOW_BYTES:
            yield piece
            continue
        small += piece
        if len(small) >= JOIN_BELOW_BYTES:
            yield bytes(small)
            small = bytearray()
    if small:
        yield bytes(small)
