"""A scanlation group, with leader and members among the relationships."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.relationship import Relationship
from mangadex_openapi.models.scanlation_group_attributes import ScanlationGroupAttributes


class ScanlationGroup(WireModel):
    """A scanlation group, with leader and members among the relationships."""

    id: str | None = None
    type: str | None = None
    attributes: ScanlationGroupAttributes | None = None
    relationships: list[Relationship] | None = None
