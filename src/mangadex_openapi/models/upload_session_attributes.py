"""The state of a session."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class UploadSessionAttributes(WireModel):
    """A session is open while all three flags are False (contract 5.1)."""

    is_committed: bool | None = None
    is_processed: bool | None = None
    is_deleted: bool | None = None
    version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
