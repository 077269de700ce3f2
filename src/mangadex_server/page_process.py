"""The process that decodes pages, seen from the worker: started when needed, confined, replaced when it dies.

libvips is loaded there and never here; what it does there is in `processing`. Pages and answers go through pipes,
each a line of JSON and then `size` bytes, so that a kill leaves nothing on the disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from mangadex_server.settings import ImageFormat, Settings

ATTEMPTS = 2  # the second in a fresh process, whose verdict is final
DEADLINE_S = 60.0  # 200 megapixels take five seconds


class BrokenPage(Exception):  # noqa: N818 - what it is, not what went wrong with us
    """The page cannot be shown. `reason` is for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Limits:
    """What a page may be; the pixels are those of all its frames."""

    max_pixels: int
    formats: Sequence[ImageFormat]


@dataclass(frozen=True, slots=True)
class Processed:
    """A page that was decoded as a whole, and its data-saver variant."""

    width: int
    height: int
    saver: bytes
    saver_mime: str


class PageProcess:
    """Decodes pages one after another. Not for use by two tasks at once."""

    def __init__(self, limits: Limits, *, memory_bytes: int, deadline_s: float = DEADLINE_S) -> None:
        self._orders = {**asdict(limits), "memory_bytes": memory_bytes, "parent": os.getpid()}
        self._deadline_s = deadline_s
        self._child: Process | None = None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """With the limits of the installation."""
        return cls(Limits(settings.max_pixels, settings.formats), memory_bytes=settings.job_memory_bytes)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def process(self, data: bytes) -> Processed:
        """Decode a page and make its variant.

        Raises:
            BrokenPage: it is damaged or too large, or the process died of it twice.
            OSError, RuntimeError: the process cannot be started.
        """
        for _ in range(ATTEMPTS):
            is_fresh = self._child is None
            child = await self.start()
            try:
                answer, saver = await self._exchange(child, data)
            except (OSError, EOFError, TimeoutError):
                continue
            if "broken" not in answer:
                return Processed(answer["width"], answer["height"], saver, answer["mime"])
            if is_fresh:
                raise BrokenPage(answer["broken"])
            await self.close()  # not every loader says that it was memory, which earlier pages may have used up
        raise BrokenPage("decoding it takes too much memory or time; save it with fewer pixels, not progressive")

    async def start(self) -> Process:
        """The running process."""
        if self._child is None or self._child.returncode is not None:
            await self.close()
            self._child = await _started(self._orders)
        return self._child

    async def close(self) -> None:
        """End the process; it holds nothing that could be lost."""
        child, self._child = self._child, None
        if child is None:
            return
        if child.returncode is None:
            child.kill()
        if child.stdin:
            child.stdin.close()
        await child.communicate()

    async def _exchange(self, child: Process, data: bytes) -> tuple[dict[str, Any], bytes]:
        try:
            async with asyncio.timeout(self._deadline_s):
                await _send(child, data)
                return await _receive(child)
        except BaseException:  # also cancellation: half an answer may be in the pipe
            await self.close()
            raise


async def _started(orders: dict[str, Any]) -> Process:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        "mangadex_server.processing",
        json.dumps(orders),
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "VIPS_CONCURRENCY": "1", "VIPS_WARNING": "1"},  # one thread; warnings not on our stderr
    )
    try:
        await _receive(child)
    except EOFError as error:  # no page's fault
        await child.communicate()
        raise RuntimeError(f"the page process does not start: exit status {child.returncode}") from error
    return child


async def _send(child: Process, data: bytes) -> None:
    assert child.stdin  # noqa: S101 - it is a pipe
    child.stdin.write(json.dumps({"size": len(data)}).encode() + b"\n")
    child.stdin.write(data)
    await child.stdin.drain()


async def _receive(child: Process) -> tuple[dict[str, Any], bytes]:
    assert child.stdout  # noqa: S101 - it is a pipe
    answer = json.loads(await child.stdout.readuntil(b"\n"))
    return answer, await child.stdout.readexactly(answer["size"])
