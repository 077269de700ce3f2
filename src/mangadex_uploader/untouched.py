"""A command's work with a client, while nothing is written on this machine: neither journal nor tokens."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import mangadex_openapi as sdk
from mangadex_uploader import credentials, interrupts, places
from mangadex_uploader.access import Access, access, account_of, configuration_for, host_of
from mangadex_uploader.connected import Connected
from mangadex_uploader.credentials import TOKENS
from mangadex_uploader.errors import UsageError
from mangadex_uploader.journal import Journal
from mangadex_uploader.options import Reach, Talking
from mangadex_uploader.output import Output

T = TypeVar("T")

LEFT_S = 60.0
"""A token that ends sooner is not used: it might have to be renewed, which cannot be undone."""


def run_untouched(reach: Reach, talking: Talking, output: Output, work: Callable[[Connected], Awaitable[T]]) -> T:
    """Do the work. The journal is a copy, which is gone afterwards.

    Where the stored sign-in would have to be renewed, the service is asked only what it tells to everybody.

    Raises:
        SignInNeeded: nobody is signed in.
        InterruptedBySignalError: a signal stopped it.
    """
    given = access_as_it_is(reach, talking)

    async def run(journal: Journal) -> T:
        async with sdk.AsyncApiClient(given.configuration) as client:
            return await work(Connected(client, given, await account_of(client, given), journal))

    with tempfile.TemporaryDirectory(prefix="mangadex-") as folder:
        copy = Path(folder) / "journal.sqlite3"
        _copy(places.journal_file(), copy)
        with closing(Journal(copy)) as journal:
            return interrupts.run(run(journal), lambda: output.say("Stopping."))


def access_as_it_is(reach: Reach, talking: Talking) -> Access:
    """The right to ask, without renewing it: a login's token while it holds, else none.

    Raises:
        SignInNeeded: nobody is signed in.
    """
    kept = credentials.find(host_of(reach))
    given = access(reach, talking.file)
    if kept is None or talking.file.secret("access-token") or given.account != kept.login.username.lower():
        return given
    text = kept.secrets.read(TOKENS)
    tokens = sdk.Tokens(**json.loads(text)) if text else None
    token = tokens.access_token if tokens and tokens.expires_at > time.time() + LEFT_S else None
    return Access(configuration_for(reach, access_token=token), given.account, given.origin)


def _copy(journal: Path, target: Path) -> None:
    """What is in a journal now. SQLite itself would make files beside it for that."""
    files = [journal, journal.with_name(f"{journal.name}-wal")]  # in the latter is what is not in the former yet
    try:
        while True:
            before = [_state(file) for file in files]
            for file, state in zip(files, before, strict=True):
                copy = target.with_name(target.name + file.name.removeprefix(journal.name))
                copy.unlink(missing_ok=True)
                if state is not None:
                    with suppress(FileNotFoundError):  # it is gone, and all is looked at again
                        shutil.copyfile(file, copy)
            if [_state(file) for file in files] == before:
                return
    except OSError as error:
        raise UsageError(f"The journal {journal} cannot be read: {error}. Mend or move it, then try again.") from error


def _state(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
