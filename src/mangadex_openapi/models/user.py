"""A user."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.relationship import Relationship
from mangadex_openapi.models.user_attributes import UserAttributes


class User(WireModel):
    """A user."""

    id: str | None = None
    type: str | None = None
    attributes: UserAttributes | None = None
    relationships: list[Relationship] | None = None
