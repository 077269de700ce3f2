"""What a session still takes (contract 4.6), looked at while pages arrive for it."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from mangadex_server.arriving import Received
from mangadex_server.errors import Invalid
from mangadex_server.settings import Settings


class Room:
    """What a session takes beside the files that it has."""

    def __init__(self, settings: Settings, file_count: int = 0, byte_count: int = 0) -> None:
        self._settings = settings
        self.file_count = file_count
        self.byte_count = byte_count

    def check(self) -> None:
        """Look before the pages arrive.

        Raises:
            Invalid: it takes none at all.
        """
        if self.file_count >= self._settings.max_session_files or self.byte_count >= self._settings.max_session_bytes:
            raise Invalid(
                f"The session is full: it holds at most {self._settings.max_session_files} files"
                f" and {self._settings.max_session_bytes} bytes. Remove some, or commit it."
            )

    def refusal(self, name: str, size_bytes: int) -> Invalid | None:
        """Why this page has no room, if it has none."""
        if self.file_count >= self._settings.max_session_files:
            return Invalid(f'File "{name}": a session holds at most {self._settings.max_session_files} files.')
        if self.byte_count + size_bytes > self._settings.max_session_bytes:
            return Invalid(f'File "{name}": a session holds at most {self._settings.max_session_bytes} bytes.')
        return None

    def take(self, size_bytes: int) -> None:
        """Of a page that has room."""
        self.file_count += 1
        self.byte_count += size_bytes

    def after(self, pages: list[Received]) -> Room:
        """What these leave; those that were refused take none."""
        room = Room(self._settings, self.file_count, self.byte_count)
        for page in pages:
            if page.refusal is None:
                room.take(page.size_bytes)
        return room


class Filling:
    """The pages of one request, each in the room that those before it leave."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._left = room.after([])  # at least; pages that are still looked at may be refused
        self._ends: list[Future[Received]] = []

    def ended(self, end: Future[Received], size_bytes: int) -> None:
        """A page has arrived as a whole."""
        self._ends.append(end)
        self._left.take(size_bytes)

    async def refusal(self, name: str, size_bytes: int) -> Invalid | None:
        """Why the page at hand has no room, if it has none.

        Raises:
            OSError: one before it could not be stored.
        """
        if self._left.refusal(name, size_bytes) is None:
            return None
        self._left = self._room.after(await self.received())
        return self._left.refusal(name, size_bytes)

    async def received(self) -> list[Received]:
        """All pages that have ended.

        Raises:
            OSError: one could not be stored.
        """
        return await asyncio.gather(*map(asyncio.wrap_future, self._ends))
