"""What a session has of a plan, by what the service says of it (design 4, levels a to c). Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from mangadex_openapi import Relationship, UploadSession
from mangadex_uploader.chapter import PlannedPage

_WIRE_NAME = re.compile(r"\d{4}-([0-9a-f]{16})\.(?:jpg|png|gif)")
SHA256_DIGITS = 64


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of a session. Everything but the id may be missing; `is_remote` says that it came with the chapter."""

    id: str
    name: str | None = None
    size_bytes: int | None = None
    digest: str | None = None
    is_remote: bool = False

    @property
    def hash_in_name(self) -> str | None:
        """The beginning of its page's SHA-256, if we named it."""
        found = _WIRE_NAME.fullmatch(self.name or "")
        return found.group(1) if found else None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """The session that the account has open. `edits` says that it changes a chapter that is there already."""

    id: str
    user_id: str | None
    manga: str | None
    groups: tuple[str, ...]
    files: tuple[ListedFile, ...]
    created_at: datetime | None
    edits: bool = False

    @classmethod
    def of(cls, session: UploadSession) -> OpenSession:
        """From the service's answer."""
        related = session.relationships or []
        return cls(
            id=str(session.id),
            user_id=_first(_ids(related, "user")),
            manga=_first(_ids(related, "manga")),
            groups=tuple(_ids(related, "scanlation_group")),
            files=tuple(_file(item) for item in related if item.type == "upload_session_file" and item.id),
            created_at=moment(session.attributes.created_at if session.attributes else None),
            edits=any(item.type == "chapter" or (item.attributes or {}).get("source") == "remote" for item in related),
        )


@dataclass(slots=True)
class Inventory:
    """Which planned pages the session has. `stored` is file id by position."""

    stored: dict[int, str] = field(default_factory=dict)
    surplus: list[str] = field(default_factory=list)


def take_stock(
    pages: Sequence[PlannedPage],
    listed: Sequence[ListedFile],
    journaled: Mapping[str, str],
    *,
    hashes_are_sha256: bool,
) -> Inventory:
    """Match files to pages: by our name for them, their size and hash; without a name by the journal's digest.

    Pages are a multiset of hashes; the position in a name only tells doubles apart, so that a page that moved is not
    sent again. Files that no page needs are surplus.
    """
    inventory = Inventory()
    left = {
        file.id: candidates
        for file in listed
        if (candidates := [page for page in pages if _is(file, page, journaled, hashes_are_sha256)])
    }
    names = {file.id: file.name for file in listed}
    for is_wanted in (lambda page, name: page.wire_name == name, lambda _page, _name: True):
        for file_id, candidates in left.items():
            if file_id in inventory.stored.values():
                continue
            for page in candidates:
                if page.position not in inventory.stored and is_wanted(page, names[file_id]):
                    inventory.stored[page.position] = file_id
                    break
    used = set(inventory.stored.values())
    inventory.surplus = [file.id for file in listed if file.id not in used]
    return inventory


def _is(file: ListedFile, page: PlannedPage, journaled: Mapping[str, str], hashes_are_sha256: bool) -> bool:
    if hashes_are_sha256 and file.digest and len(file.digest) == SHA256_DIGITS and file.digest != page.digest:
        return False
    if file.size_bytes is not None and file.size_bytes != page.size_bytes:
        return False
    if file.hash_in_name is not None:
        return page.digest.startswith(file.hash_in_name)
    return journaled.get(file.id) == page.digest


def moment(text: str | None) -> datetime | None:
    """A time of the service; None where it says none that can be read."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def _ids(related: Iterable[Relationship], kind: str) -> list[str]:
    return [item.id for item in related if item.type == kind and item.id]


def _first(ids: Sequence[str]) -> str | None:
    return ids[0] if ids else None


def _file(item: Relationship) -> ListedFile:
    told = item.attributes or {}
    size = told.get("fileSize")
    return ListedFile(
        id=str(item.id),
        name=told.get("originalFileName") or None,
        size_bytes=int(size) if isinstance(size, int | float) and size > 0 else None,
        digest=told.get("fileHash") or None,
        is_remote=told.get("source") == "remote",
    )
