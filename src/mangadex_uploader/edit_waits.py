"""Telling of the waits that the client makes by itself, so that the service's limits hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from mangadex_uploader.events import Retrying
from mangadex_uploader.service import Service

T = TypeVar("T")

SILENT_S = 1.5
"""A call that takes longer is looked into; and a wait that is shorter is not worth a word."""


async def telling_waits(service: Service, endpoint: str, call: Coroutine[Any, Any, T]) -> T:
    """Make a call; if it waits because the service takes no more of its kind for now, say for how long.

    `endpoint` is what the pacer calls the kind: `begin`, `commit` or `put_chapter_id`.

    Raises:
        Exception: what the call raises.
    """
    task = asyncio.create_task(call)
    try:
        await asyncio.wait({task}, timeout=SILENT_S)
        if not task.done() and (wait_s := _wait_s(service, endpoint)) > SILENT_S:
            service.emit(Retrying("The service takes no more requests of this kind for now.", wait_s))
        return await task
    finally:
        task.cancel()


def _wait_s(service: Service, endpoint: str) -> float:
    pacer = service.client.configuration.pacing
    return pacer.wait_s(time.time(), endpoint) if pacer else 0.0
