"""Slow senders for `memory.py`: `ingest_trickle.py JOB`; says `sending` when all have begun, and goes on until ended.

JOB is a file of JSON: `port`, `connections`, a `request` as that of `ingest_sender.py`, and how much each
connection sends at a time: `bytes`, every `interval_s`. Who is cut off begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TypedDict, cast

from ingest_sender import Request


class Trickle(TypedDict):
    """Who is slow, and how."""

    port: int
    connections: int
    request: Request
    bytes: int
    interval_s: float


async def send(job: Trickle, head: bytes, body: bytes, begun: asyncio.Semaphore) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", job["port"])
        writer.write(head + body[:1000])
        begun.release()
        with contextlib.suppress(ConnectionError):
            for start in range(1000, len(body), job["bytes"]):
                writer.write(body[start : start + job["bytes"]])
                await writer.drain()
                await asyncio.sleep(job["interval_s"])
        writer.close()


async def main(job_file: str) -> None:
    job = cast("Trickle", json.loads(Path(job_file).read_text()))  # noqa: ASYNC240 - before anything else runs
    request = job["request"]
    head, body = request["head"].encode(), Path(request["path"]).read_bytes()  # noqa: ASYNC240
    begun = asyncio.Semaphore(0)
    async with asyncio.TaskGroup() as tasks:
        for _ in range(job["connections"]):
            tasks.create_task(send(job, head, body, begun))
        for _ in range(job["connections"]):
            await begun.acquire()
        print("sending", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
