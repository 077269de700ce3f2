"""Page bytes in an S3-compatible store, named by their SHA-256 (engines.md 4).

A page arrives in a file of this machine, since its name is its hash; it is acknowledged once the store has it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from mangadex_server.errors import Unavailable
from mangadex_server.new_blob import NewBlob, remove_leftover
from mangadex_server.stores import FOREVER, SIGNED_S, StoredBlob, disk_room

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
CHUNK_BYTES = 256 << 10
PUTS_AT_ONCE = 4
"""The library holds some 10 MB of each, so that this bounds the memory of a node."""

AT_ONCE = 100
"""Blobs that are listed in one answer of the store's library."""


class ObjectBlobs:
    """Blobs in a bucket. Everything that is not `async` blocks.

    Raises:
        Unavailable: by all methods, when the store does not answer or refuses.
    """

    has_ranges = False
    """The library takes no answer without 206, and not every store gives it (engines.md 4)."""

    removes_safely = False

    def __init__(self, url: str, scratch: Path) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        endpoint = next((os.environ[name] for name in ENDPOINTS if os.environ.get(name)), None)
        self._store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            config={"endpoint": endpoint} if endpoint else None,
            client_options={
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=30),
                "allow_http": endpoint is not None and endpoint.startswith("http://"),
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=10)},
        )
        self._puts = threading.BoundedSemaphore(PUTS_AT_ONCE)
        self.url = url
        self.incoming = scratch / "incoming"

    def prepare(self) -> None:
        """Make the folder of arriving pages, and drop what ended programs left there."""
        self.make_folders()
        for leftover in self.incoming.iterdir():
            remove_leftover(leftover)

    def make_folders(self) -> None:
        """Make the folder of arriving pages."""
        self.incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def check(self) -> None:
        """Write, read and delete a small object: what a page needs.

        Raises:
            BaseError: what the store says.
            FileNotFoundError: there is no such bucket.
        """
        name = f"check-{os.getpid()}"
        obstore.put(self._store, name, b"mangadex-server looks whether it may write")
        obstore.get(self._store, name).bytes()
        obstore.delete(self._store, name)

    def new(self) -> NewBlob:
        """A file for bytes that are still arriving."""
        return NewBlob(self.incoming, self._put_file)

    def store(self, data: bytes, mime_type: str) -> str:
        """Keep these bytes; returns their digest once the store has them."""
        with self.new() as blob:
            blob.write(data)
            return blob.keep(mime_type)

    async def write(self, data: bytes, mime_type: str) -> str:
        """`store`, in a thread."""
        return await asyncio.to_thread(self.store, data, mime_type)

    async def read(self, digest: str) -> bytes:
        """A blob's bytes.

        Raises:
            FileNotFoundError: there is none of this digest.
        """
        return await asyncio.to_thread(self._read, digest)

    async def is_there(self, digest: str) -> bool:
        """Whether there is a blob of this digest."""
        return await asyncio.to_thread(self._written_at, digest) is not None

    async def open(self, digest: str) -> ObjectBlob:
        """A blob to send to somebody.

        Raises:
            FileNotFoundError: there is none of this digest.
        """
        return await asyncio.to_thread(self._opened, digest)

    async def address(self, digest: str, method: str) -> str:
        """Where anybody can GET or HEAD it for a while."""
        signed: str = await asyncio.to_thread(
            obstore.sign, self._store, "HEAD" if method == "HEAD" else "GET", _key(digest), timedelta(seconds=SIGNED_S)
        )
        return signed

    def where(self, digest: str) -> str:
        """Its address for the store's own tools."""
        return f"{self.url.rstrip('/')}/{_key(digest)}"

    def delete_older(self, digest: str, written_before: float) -> bool:
        """Remove a blob unless it was written again since then; whether it was removed."""
        written_at = self._written_at(digest)
        if written_at is None or written_at >= written_before:
            return False
        with _told():
            obstore.delete(self._store, _key(digest))
        return True

    def all(self) -> Iterator[StoredBlob]:
        """Every blob there is."""
        with _told():
            for batch in obstore.list(self._store, "blobs/", chunk_size=AT_ONCE):
                for found in batch:
                    yield StoredBlob(found["path"].rpartition("/")[2], found["last_modified"].timestamp())

    def free_bytes(self) -> int:
        """Room on this machine, for pages on their way."""
        return disk_room(self.incoming)

    def _put_file(self, path: Path, _descriptor: int, digest: str, mime_type: str) -> None:
        attributes = {"Content-Type": mime_type, "Cache-Control": FOREVER}
        with self._puts, _told():
            obstore.put(self._store, _key(digest), path, attributes=attributes, max_concurrency=1)
        path.unlink()

    def _written_at(self, digest: str) -> float | None:
        try:
            with _told():
                return obstore.head(self._store, _key(digest))["last_modified"].timestamp()
        except FileNotFoundError:
            return None

    def _read(self, digest: str) -> bytes:
        with _told():
            return bytes(obstore.get(self._store, _key(digest)).bytes())

    def _opened(self, digest: str) -> ObjectBlob:
        with _told():
            return ObjectBlob(obstore.get(self._store, _key(digest)))


class ObjectBlob:
    """A blob on its way out of the store."""

    def __init__(self, answer: obstore.GetResult) -> None:
        self._answer = answer
        self.size_bytes: int = answer.meta["size"]

    async def chunks(self, start: int, end: int) -> AsyncIterator[bytes]:
        """The whole of it.

        Raises:
            ValueError: a part was asked for.
        """
        if (start, end) != (0, self.size_bytes):
            raise ValueError("only the whole of it can be had")
        async for chunk in self._answer.stream(CHUNK_BYTES):
            yield bytes(chunk)

    async def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        raise Unavailable("The service cannot reach its store of pages. Try again in a moment.") from error


def _key(digest: str) -> str:
    """In folders by the first two characters of the hash, since stores spread their load by prefix."""
    return f"blobs/{digest[:2]}/{digest}"
