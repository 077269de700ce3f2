"""From the argument `file=` to pages that can be read as often as needed. Reads files, sends nothing."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol, TypeAlias

from mangadex_openapi.exceptions import InvalidRequest

MAX_FILES = 10  # in one request (contract 4.6)
CHUNK_BYTES = 1 << 20  # a quarter of this was half as fast: the C library then returns its memory after each chunk
HEAD_BYTES = 16  # enough to tell the format
SPOOL_BYTES = 1 << 20  # a stream of unknown length is kept in memory up to here, then in a temporary file
_UNSENDABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")  # control characters and undecodable bytes
_GONE_WRONG = (
    "{} changed while it was being sent: {} bytes at the start, now {}. Send it again once nothing writes to it"
)


class Readable(Protocol):
    """Anything that gives bytes by `read(size)`, an open binary file above all."""

    def read(self, size: int, /) -> bytes: ...


Content: TypeAlias = bytes | bytearray | memoryview | str | os.PathLike[str] | Readable
NamedContent: TypeAlias = tuple[str, Content]
FileArgument: TypeAlias = (
    Content | NamedContent | Sequence[Content] | Sequence[NamedContent] | Sequence[Content | NamedContent]
)


class Source(Protocol):
    """The bytes of one page: `size` of them, from the start on every iteration."""

    @property
    def size(self) -> int: ...

    def head(self) -> bytes: ...

    def chunks(self) -> Generator[bytes]: ...


@dataclass(frozen=True, slots=True)
class Page:
    """One part of the request."""

    name: str
    mime_type: str
    source: Source


@dataclass(frozen=True, slots=True)
class _Bytes:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def head(self) -> bytes:
        return self.data[:HEAD_BYTES]

    def chunks(self) -> Generator[bytes]:
        if len(self.data) <= CHUNK_BYTES:
            yield self.data
            return
        view = memoryview(self.data)
        for start in range(0, len(view), CHUNK_BYTES):
            yield bytes(view[start : start + CHUNK_BYTES])


@dataclass(frozen=True, slots=True)
class _OpenFile:
    file: BinaryIO
    start: int
    size: int
    label: str

    def head(self) -> bytes:
        return self._read_at(self.start, min(self.size, HEAD_BYTES))

    def chunks(self) -> Generator[bytes]:
        left = self.size
        while left:
            chunk = self._read_at(self.start + self.size - left, min(left, CHUNK_BYTES))
            if not chunk:
                raise InvalidRequest("file", _GONE_WRONG.format(self.label, self.size, self.size - left))
            left -= len(chunk)
            yield chunk
        if self._read_at(self.start + self.size, 1):
            raise InvalidRequest("file", _GONE_WRONG.format(self.label, self.size, "more"))

    def _read_at(self, position: int, size: int) -> bytes:
        try:
            self.file.seek(position)
            return self.file.read(size)
        except (OSError, ValueError) as error:
            raise InvalidRequest("file", f"{self.label} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class _PathFile:
    path: Path
    size: int

    def head(self) -> bytes:
        with _opened(self.path) as file:
            return file.read(HEAD_BYTES)

    def chunks(self) -> Generator[bytes]:
        with _opened(self.path) as file:
            yield from _OpenFile(file, 0, self.size, str(self.path)).chunks()


@contextmanager
def open_pages(argument: FileArgument | None) -> Iterator[list[Page]]:
    """Check `file=` and give its pages; temporary files go when the block ends.

    Raises:
        InvalidRequest: not one of the documented kinds, unreadable, more than ten, or two equal names.
    """
    if argument is None:
        items: list[Any] = []
    elif isinstance(argument, list):
        items = argument
        if not 1 <= len(items) <= MAX_FILES:
            raise InvalidRequest("file", f"has {len(items)} files; one request takes 1 to {MAX_FILES}")
    else:
        items = [argument]
    with ExitStack() as stack:
        pages = [_page(item, number, stack) for number, item in enumerate(items, start=1)]
        names = [page.name for page in pages]
        for name in names:
            if names.count(name) > 1:
                raise InvalidRequest("file", f"two files are called {name!r}; give them names as (name, content)")
        yield pages


def _page(item: Content | NamedContent, number: int, stack: ExitStack) -> Page:
    name: str | None = None
    content: object = item
    if isinstance(item, tuple):
        if len(item) != 2 or not isinstance(item[0], str):
            raise InvalidRequest("file", "a tuple must be (name, content)")
        name, content = item
        _check_name(name)
    source, own_name = _source(content, stack)
    mime_type, extension = _sniff(source)
    if name is None:
        name = own_name or f"file{number}{extension}"
        _check_name(name)
    if not source.size:
        raise InvalidRequest("file", f"{name} is empty (an open file is sent from its present position)")
    return Page(name, mime_type, source)


def _source(content: object, stack: ExitStack) -> tuple[Source, str | None]:
    if isinstance(content, bytes):
        return _Bytes(content), None
    if isinstance(content, bytearray | memoryview):
        return _Bytes(bytes(content)), None
    if isinstance(content, str | os.PathLike):
        path = Path(content)
        return _PathFile(path, _regular_size(path)), path.name
    if callable(getattr(content, "read", None)):
        return _from_stream(content, stack)  # type: ignore[arg-type]  # has read(), which is all it needs
    raise InvalidRequest(
        "file", f"is {type(content).__name__}; give bytes, a path, an open binary file, or (name, content)"
    )


def _from_stream(stream: BinaryIO, stack: ExitStack) -> tuple[Source, str | None]:
    own_name = getattr(stream, "name", None)
    own_name = Path(own_name).name if isinstance(own_name, str) else None  # a descriptor's name is a number
    label = own_name or "the stream"
    try:
        if getattr(stream, "seekable", lambda: False)():
            start = stream.tell()
            stack.enter_context(_put_back_on_failure(stream, start))
            stream.seek(0, os.SEEK_END)
            size = stream.tell() - start
            stream.seek(start)
            if not isinstance(stream.read(0), bytes):
                raise _text_mode(label)
            return _OpenFile(stream, start, max(size, 0), label), own_name
        spool = stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))  # noqa: SIM115 - the stack's
        size = 0
        while (chunk := stream.read(CHUNK_BYTES)) != b"":
            if not isinstance(chunk, bytes):
                raise _text_mode(label)
            size += spool.write(chunk)
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidRequest):
            raise
        raise InvalidRequest("file", f"{label} cannot be read: {error}") from error
    return _OpenFile(spool, 0, size, label), own_name  # type: ignore[arg-type]  # a file in all but its type


def _text_mode(label: str) -> InvalidRequest:
    return InvalidRequest("file", f"{label} does not give bytes; open it in binary mode ('rb'), and not non-blocking")


@contextmanager
def _put_back_on_failure(stream: BinaryIO, start: int) -> Iterator[None]:
    """So that the same file can be given again: it is sent from its present position."""
    try:
        yield
    except BaseException:
        with suppress(OSError, ValueError):
            stream.seek(start)
        raise


def _regular_size(path: Path) -> int:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        raise InvalidRequest("file", f"{path} cannot be read: {getattr(error, 'strerror', error)}") from error
    if not stat.S_ISREG(status.st_mode):
        raise InvalidRequest("file", f"{path} is not a regular file")
    return status.st_size


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        with path.open("rb", buffering=0) as file:
            yield file
    except OSError as error:
        raise InvalidRequest("file", f"{path} cannot be read: {error.strerror or error}") from error


def _check_name(name: str) -> None:
    if not name or _UNSENDABLE.search(name):
        raise InvalidRequest("file", f"the name {name!r} cannot be sent; give another as (name, content)")


def _sniff(source: Source) -> tuple[str, str]:
    head = source.head()
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", ".jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", ".png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", ".gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp", ".webp"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif", ".avif"
    return "application/octet-stream", ""
