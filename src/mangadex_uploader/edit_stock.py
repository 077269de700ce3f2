"""What an edit session has of a plan. The pages that came with the chapter are known by our name or by their hash."""

from __future__ import annotations

from collections.abc import Sequence

from mangadex_uploader.chapter import Plan, PlannedPage
from mangadex_uploader.edit_conflict import what_was_changed
from mangadex_uploader.edit_plan import Difference, Present
from mangadex_uploader.errors import Hopeless
from mangadex_uploader.inventory import SHA256_DIGITS, Inventory, ListedFile, OpenSession, take_stock
from mangadex_uploader.page_files import LIMITS
from mangadex_uploader.service import Service
from mangadex_uploader.sessions import abandon


def stock_of(service: Service, plan: Plan, session: OpenSession) -> Inventory:
    """By its own list, or where it never lists files by what it acknowledged (design 4, levels a to c).

    A hash that equals the SHA-256 of a page proves itself; one that does not says nothing until the service was seen
    to make such hashes.
    """
    journaled = service.journal.files(session.id)
    listed = session.files
    if not listed and not service.journal.knows(service.host, "lists_files"):
        listed = tuple(ListedFile(file_id) for file_id in journaled)
    hashes = {file.id: file.digest for file in listed if file.digest and len(file.digest) == SHA256_DIGITS}
    return take_stock(plan.pages, listed, hashes | journaled, hashes_are_sha256=_makes_sha256(service, plan, session))


def unknown_pages(service: Service, plan: Plan, session: OpenSession) -> int:
    """How many of the chapter's own pages are listed without saying what they are."""
    ours = service.journal.files(session.id)
    is_proven = _makes_sha256(service, plan, session)
    return sum(
        file.id not in ours
        and file.hash_in_name is None
        and not (is_proven and len(file.digest or "") == SHA256_DIGITS)
        for file in session.files
    )


def lists_exactly(session: OpenSession, plan: Plan, stored: dict[int, str]) -> bool:
    """Whether the session has the chapter's own pages alone, and they are those of the plan in its order."""
    listed = [file.id for file in session.files]
    is_same = [stored.get(page.position) for page in plan.pages] == listed
    return is_same and all(file.is_remote for file in session.files)


def is_known_whole(service: Service, plan: Plan, session: OpenSession) -> bool:
    """Whether the session says of each of its pages which it is."""
    return bool(session.files) and unknown_pages(service, plan, session) == 0


async def check_room(
    service: Service, planned: Present, session: OpenSession, missing: Sequence[PlannedPage], changed: Difference
) -> None:
    """Where nothing is listed, so that nothing can be kept or removed, the present pages take up room as well.
    `changed` is what this run has changed before.

    Raises:
        Hopeless: there is not enough of it (contract 4.6); the session is abandoned.
    """
    count = planned.pages + len(service.journal.files(session.id)) + len(missing)
    if session.files or count <= LIMITS.pages:
        return
    await abandon(service, session.id)
    room = LIMITS.pages - planned.pages
    advice = f"Give it at most {room} pages first, and then these" if room > 0 else "Delete it, and upload it anew"
    raise Hopeless(
        f"Chapter {planned.id}: it has {planned.pages} pages, and {len(missing)} would have to be sent, as the service "
        f"does not say which it has; together at most {LIMITS.pages} fit into a session. {what_was_changed(changed)} "
        f"{advice}."
    )


def _makes_sha256(service: Service, plan: Plan, session: OpenSession) -> bool:
    wanted = {page.digest for page in plan.pages}
    is_seen_here = any(file.digest in wanted for file in session.files)
    return is_seen_here or service.journal.knows(service.host, "hashes_are_sha256")
