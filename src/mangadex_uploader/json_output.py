"""Events and results as objects for programs. The keys are documented in docs/uploader.md and stay."""

from __future__ import annotations

from typing import Any

from mangadex_uploader.chapter import Plan
from mangadex_uploader.events import Committing, Event, Note, PagesStored, Planned, Result, Retrying, SessionReady
from mangadex_uploader.identifiers import chapter_page


def of_event(event: Event) -> tuple[str, dict[str, Any]]:
    """An event's name and keys."""
    match event:
        case Planned(plan):
            return "planned", of_plan(plan)
        case SessionReady():
            kept = {"kept_pages": event.kept_pages, "kept_bytes": event.kept_bytes}
            return "session", {"session_id": event.session_id, "resumed": event.resumed, **kept}
        case PagesStored(names, size_bytes):
            return "stored", {"pages": list(names), "bytes": size_bytes}
        case Retrying(problem, wait_s):
            return "retrying", {"problem": problem, "wait_seconds": wait_s}
        case Committing(session_id):
            return "committing", {"session_id": session_id}
        case Note(text):
            return "note", {"text": text}


def of_plan(plan: Plan) -> dict[str, Any]:
    """A chapter whose pages passed their checks. `order` has the user's pages, `pages` the files that are sent."""
    pages = [
        {
            "position": page.position,
            "name": page.name,
            "sent_as": page.wire_name,
            "sha256": page.digest,
            "bytes": page.size_bytes,
            "type": page.mime_type,
            "width": page.width,
            "height": page.height,
        }
        for page in plan.pages
    ]
    chapter = plan.chapter
    return {
        "manga": chapter.manga,
        "groups": list(chapter.groups),
        "language": chapter.language,
        "chapter": chapter.chapter,
        "volume": chapter.volume,
        "title": chapter.title,
        "publish_at": chapter.publish_at.isoformat() if chapter.publish_at else None,
        "bytes": plan.total_bytes,
        "order": list(plan.source.names),
        "order_file": plan.source.order_file,
        "pages": pages,
        "done": [{"name": change.name, "done": list(change.done)} for change in plan.done],
        "ignored": list(plan.source.ignored),
        "warnings": list(plan.warnings),
    }


def of_result(result: Result, host: str) -> dict[str, Any]:
    """What became of a chapter."""
    return {
        "chapter_id": result.chapter_id,
        "url": chapter_page(host, result.chapter_id) if result.chapter_id else None,
        "confirmed": result.confirmed,
        "needs_approval": result.needs_approval,
        "already_done": result.already_done,
        "sent_bytes": result.sent_bytes,
        "exit_status": 0,
    }
