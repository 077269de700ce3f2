"""Who may see a chapter, and who may change it. Conditions on rows of `chapters`."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, func, or_, select

from mangadex_server.tables import chapter_groups, chapters, group_members


def readable(now: float) -> ColumnElement[bool]:
    """Open to everybody."""
    return and_(
        chapters.c.readable_at <= now,
        chapters.c.approved.is_(True),
        chapters.c.broken_reason.is_(None),
    )


def opened(now: float) -> ColumnElement[bool]:
    """Its pages are open here: a chapter with a link is readable from the first, its pages at their time."""
    return func.coalesce(chapters.c.publish_at, 0) <= now


def opens_at(publish_at: float | None, external_url: str | None) -> float:
    """From when on a chapter may be read, by what was asked for: a link is read elsewhere at once (contract 11.3)."""
    return publish_at if publish_at is not None and external_url is None else 0.0


def readable_at(now: float, before: float | None, opens_at: float) -> float:
    """Of a chapter with processed pages: one that is read already keeps its time (contract 5.2)."""
    return max(opens_at, now if before is None else min(before, now))


def belongs_to(user_id: str | None) -> ColumnElement[bool]:
    """Uploaded by this user, or credited to one of its groups."""
    if user_id is None:
        return false()
    mine = select(group_members.c.group_id).where(group_members.c.user_id == user_id)
    credited = select(chapter_groups.c.chapter_id).where(chapter_groups.c.group_id.in_(mine))
    return or_(chapters.c.uploader_id == user_id, chapters.c.id.in_(credited))


def visible(now: float, user_id: str | None) -> ColumnElement[bool]:
    """Readable, or one's own in whatever state."""
    return readable(now) if user_id is None else or_(readable(now), belongs_to(user_id))
