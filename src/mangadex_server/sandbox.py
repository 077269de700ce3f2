"""What the sandbox has without any set-up (issue of the service, 8). Its passwords are known to everybody."""

from __future__ import annotations

from contextlib import suppress

from mangadex_server.accounts import Accounts
from mangadex_server.catalog import Catalog
from mangadex_server.errors import InConflict

USERNAME = "sandbox"
PASSWORD = "sandbox-password"  # noqa: S105 - published, and why the sandbox listens on this machine only
CLIENT_ID = "personal-client-sandbox"
CLIENT_SECRET = "sandbox-secret"  # noqa: S105 - as above
MANGA_ID = "f9c33607-9180-4ba6-b85c-e4b5faee7192"
MANGA_TITLE = 'Official "Test" Manga'
GROUP_ID = "e11e461b-8c3a-4b5c-8b07-8892c2dcf449"
GROUP_NAME = "Sandbox Group"


async def fill(accounts: Accounts, catalog: Catalog) -> None:
    """Make the sandbox's user, client, manga and group, where they are not there yet; other nodes may do so as well."""
    if not await accounts.has_user(USERNAME):
        with suppress(InConflict):
            await accounts.add_user(USERNAME, PASSWORD)
        with suppress(InConflict):
            await accounts.add_client(USERNAME, CLIENT_ID, CLIENT_SECRET)
    with suppress(InConflict):
        await catalog.add_manga(MANGA_TITLE, id=MANGA_ID)
    with suppress(InConflict):
        await catalog.add_group(GROUP_NAME, id=GROUP_ID)
    await catalog.add_member(GROUP_ID, USERNAME)
