"""What an edit session has of a plan. The pages that came with the chapter are known by our name or by their hash."""

from __future__ import annotations

from mangadex_uploader.chapter import Plan
from mangadex_uploader.inventory import SHA256_DIGITS, Inventory, ListedFile, OpenSession, take_stock
from mangadex_uploader.service import Service


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


def _makes_sha256(service: Service, plan: Plan, session: OpenSession) -> bool:
    wanted = {page.digest for page in plan.pages}
    is_seen_here = any(file.digest in wanted for file in session.files)
    return is_seen_here or service.journal.knows(service.host, "hashes_are_sha256")
