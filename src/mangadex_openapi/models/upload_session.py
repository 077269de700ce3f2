"""An upload session."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.relationship import Relationship
from mangadex_openapi.models.upload_session_attributes import UploadSessionAttributes


class UploadSession(WireModel):
    """A session, with its user, manga, groups and (where included) files among the relationships (contract 3.2)."""

    id: str | None = None
    type: str | None = None
    attributes: UploadSessionAttributes | None = None
    relationships: list[Relationship] | None = None
