"""Plans of several chapters: all are checked first; later each is made again while the one before is being sent.

A plan may hold prepared pages, so that no more than two are kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.uploader import Uploader


async def plans_ahead(
    uploader: Uploader, chapters: Sequence[Chapter], first: Plan
) -> AsyncGenerator[Plan | Exception, None]:
    """The plan of each, or why there is none; `first` is that of the first one. Closing it stops the work."""
    preparing = asyncio.create_task(_given(first))
    del first
    try:
        for following in [*chapters[1:], None]:
            found: Plan | Exception
            try:
                found = await preparing
            except Exception as error:  # noqa: BLE001 - of this chapter, for who asks for its plan
                found = error
            if following is not None:
                preparing = asyncio.create_task(uploader.plan(following))
            yield found
            del found
    finally:
        preparing.cancel()
        await asyncio.gather(preparing, return_exceptions=True)


async def _given(plan: Plan) -> Plan:
    return plan
