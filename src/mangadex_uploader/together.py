"""Doing things side by side, so that the first failure ends them all and is the one that is raised."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def all_of(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run all to their end.

    Raises:
        Exception: what the first to fail raised; the others were cancelled and have ended.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            for item in work:
                tasks.create_task(item)
    except BaseExceptionGroup as group:
        raise group.exceptions[0] from group.exceptions[0].__cause__
