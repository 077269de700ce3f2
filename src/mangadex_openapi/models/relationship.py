"""A reference from one entity to another."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models._fields import Attributes


class Relationship(WireModel):
    """The id and type of a related entity; `attributes` only where `includes` asked for that type."""

    id: str | None = None
    type: str | None = None
    related: str | None = None
    attributes: Attributes | None = None
