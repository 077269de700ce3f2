"""A command's work with a client that is signed in, until it is done or a signal stops it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import mangadex_openapi as sdk
from mangadex_uploader import interrupts, places
from mangadex_uploader.access import Access, access, account_of
from mangadex_uploader.events import Event
from mangadex_uploader.journal import Journal
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output
from mangadex_uploader.uploader import Uploader

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Connected:
    """A client, its account, and the journal."""

    client: sdk.AsyncApiClient
    access: Access
    account: str
    journal: Journal

    def uploader(self, on_event: Callable[[Event], None] = lambda _event: None, **options: Any) -> Uploader:
        """The engine. The terms count where something is published, and are checked before that."""
        return Uploader(
            self.client, account=self.account, journal=self.journal, terms_accepted=True, on_event=on_event, **options
        )


def run_connected(
    reach: Reach,
    talking: Talking,
    output: Output,
    work: Callable[[Connected], Awaitable[T]],
    on_stop: str = "Stopping. Press Ctrl-C again to end at once.",
) -> T:
    """Do the work.

    Raises:
        SignInNeeded: nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    given = access(reach, talking.file)
    journal = Journal(places.journal_file())

    async def run() -> T:
        async with sdk.AsyncApiClient(given.configuration) as client:
            account = await account_of(client, given)
            return await work(Connected(client, given, account, journal))

    try:
        return interrupts.run(run(), lambda: output.say(on_stop))
    finally:
        journal.close()
