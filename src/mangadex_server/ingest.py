"""The pages of a request on their way in: parsed as they come, under limits, each stored while the next one arrives."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from multipart import MultipartError, MultipartSegment, ParserLimitReached, PushMultipartParser

from mangadex_server.arriving import Arriving, Means, MemoryBudget, Received
from mangadex_server.errors import Invalid, OutOfSpace, Overloaded, TooLarge
from mangadex_server.multipart_body import beginning_with, boundary_of, joined
from mangadex_server.part_names import file_name
from mangadex_server.room import Filling, Room
from mangadex_server.settings import Settings
from mangadex_server.stores import Blobs

THREADS = 8
"""That hash and write; with `full` they wait for the disk most of the time."""

MAX_FIELDS = 100
MAX_FIELD_BYTES = 64 << 10
"""Of all parts without a filename together: no client sends one, but a form may have them."""

MAX_HEADER_BYTES = 16 << 10
"""Of a line in the head of a part: 300 characters, percent-encoded, in the name and in the filename."""

OVERHEAD_BYTES = 512 << 10
"""Of a request, besides its files: heads, fields, boundaries."""

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})  # the last by `ulimit -f`
NO_FILES = frozenset({errno.EMFILE, errno.ENFILE})  # `ulimit -n`, and the machine's own limit

__all__ = ["Ingest", "Received"]


class Ingest:
    """Receives the files of one request at a time, for any number of requests at once."""

    def __init__(self, settings: Settings, blobs: Blobs) -> None:
        threads = ThreadPoolExecutor(THREADS, thread_name_prefix="ingest")
        self._settings = settings
        self._means = Means(blobs, settings, MemoryBudget(settings.upload_memory_bytes), threads)

    async def receive(self, content_type: str, body: AsyncIterator[bytes], room: Room | None = None) -> list[Received]:
        """All parts with a filename, in their order; each with room is stored while the next one arrives.

        Without `room`, there is that of an empty session.

        Raises:
            Invalid: no multipart form, cut off, too many files, none at all. Nothing half-written stays then.
            TooLarge: more bytes than its files may have.
            OutOfSpace: the disk is full.
            Overloaded: too many files are open.
        """
        boundary = boundary_of(content_type)
        parts: list[Arriving] = []
        try:
            filling = Filling(room or Room(self._settings))
            await self._parse(boundary, beginning_with(boundary, joined(body)), parts, filling)
            received = await filling.received()
        except OSError as error:
            if error.errno in NO_SPACE:
                raise OutOfSpace("The service has no room for these pages. Try again later.") from error
            if error.errno in NO_FILES:
                raise Overloaded("The service has too many files open. Try again in a moment.") from error
            raise
        finally:
            for part in parts:
                part.drop()
            for part in parts:
                await part.at_rest()
        if not received:
            raise Invalid("There is no file in the request. Send each as a part with a filename.")
        return received

    async def _parse(self, boundary: str, body: AsyncIterator[bytes], parts: list[Arriving], filling: Filling) -> None:
        # not strict: it would refuse a line end after the last boundary that comes in a piece of its own
        parser = PushMultipartParser(
            boundary,
            max_segment_count=self._settings.max_files_per_request + MAX_FIELDS,
            max_header_size=MAX_HEADER_BYTES,
        )
        part: Arriving | None = None
        total_bytes, field_bytes = 0, 0
        try:
            async for piece in body:
                total_bytes += len(piece)
                self._check_total(total_bytes)
                for event in parser.parse(piece):
                    if isinstance(event, MultipartSegment):
                        part = self._begun(event, parts)
                    elif part is None:
                        field_bytes += len(event or b"")
                        _check_fields(field_bytes)
                    elif event is None:
                        filling.ended(await part.end(), part.size_bytes)
                    else:
                        await _add(part, event, filling)
            list(parser.parse(b""))  # a body that was cut off is an error only now
        except MultipartError as error:
            raise self._refusal(error) from None

    def _begun(self, head: MultipartSegment, parts: list[Arriving]) -> Arriving | None:
        name = file_name(head.header("Content-Disposition", ""))
        if name is None:
            return None
        if len(parts) == self._settings.max_files_per_request:
            raise self._too_many()
        part = Arriving(name, self._means)
        parts.append(part)
        return part

    def _check_total(self, total_bytes: int) -> None:
        most = self._settings.max_files_per_request * self._settings.max_file_bytes + OVERHEAD_BYTES
        if total_bytes > most:
            raise TooLarge(f"The request is over {most} bytes. Send fewer pages at once.")

    def _too_many(self) -> Invalid:
        most = self._settings.max_files_per_request
        return Invalid(f"One request takes at most {most} files, and {MAX_FIELDS} fields. Send the rest in another.")

    def _refusal(self, error: MultipartError) -> Invalid:
        if not isinstance(error, ParserLimitReached):
            return Invalid(f"The multipart body cannot be read ({error}). It may have been cut off: send it again.")
        if "segment count" in str(error):  # the parser has one class for all its limits
            return self._too_many()
        return Invalid(
            "The head of a part is too long. Send a shorter file name, and only the headers that are needed."
        )


async def _add(part: Arriving, piece: bytes | bytearray, filling: Filling) -> None:
    if not part.is_refused:
        refusal = await filling.refusal(part.name.text, part.size_bytes + len(piece))
        if refusal is not None:
            part.refuse(refusal)
    await part.add(piece)


def _check_fields(field_bytes: int) -> None:
    if field_bytes > MAX_FIELD_BYTES:
        raise Invalid(
            f"The fields (parts without a filename) are over {MAX_FIELD_BYTES} bytes. Give each page a filename."
        )
