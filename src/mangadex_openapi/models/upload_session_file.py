"""A page in a session."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.relationship import Relationship
from mangadex_openapi.models.upload_session_file_attributes import UploadSessionFileAttributes


class UploadSessionFile(WireModel):
    """A stored page; its `id` goes into `page_order`."""

    id: str | None = None
    type: str | None = None
    attributes: UploadSessionFileAttributes | None = None
    relationships: list[Relationship] | None = None
