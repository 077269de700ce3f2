"""What an earlier chapter has left open at the service, by the journal: an account has one session. Asks nobody."""

from __future__ import annotations

from mangadex_uploader.chapter import Chapter, Plan
from mangadex_uploader.errors import TryLater, UploadError
from mangadex_uploader.journal import State
from mangadex_uploader.service import Service
from mangadex_uploader.whereabouts import placed
from mangadex_uploader.whose import has_values_of, is_of


def session_to_give_up(service: Service, plan: Plan) -> str | None:
    """The session that this chapter left open; None if there is none.

    Raises:
        UploadError: its commit may still come through, or this program is not known to have begun it.
    """
    upload = service.journal.latest(service.host, service.account, plan.identity)
    if upload is None or not is_of(upload, plan) or upload.session_id is None:
        return None
    label = plan.chapter.label
    if upload.state is State.COMMITTING:
        raise TryLater(f"{label}: its commit may still come through; run the same command again.")
    if upload.state is not State.OPEN:
        return None
    if not upload.is_ours:
        raise UploadError(
            f"{label}: session {upload.session_id} stays, as this program did not begin it; finish this chapter first, "
            f"or delete the session with `mangadex session abandon`."
        )
    return upload.session_id


def unfinished_first(service: Service, chapters: list[Chapter]) -> list[Chapter]:
    """These chapters, the one whose session may be open before the others: by its place, else by its number."""
    begun = [
        upload
        for upload in service.journal.uploads()
        if (upload.host, upload.account) == (service.host, service.account)
        and upload.state in (State.OPEN, State.COMMITTING)
    ]
    places = {upload.path for upload in begun}
    return sorted(
        chapters,
        key=lambda it: (placed(it.path) not in places, not any(has_values_of(upload, it) for upload in begun)),
    )
