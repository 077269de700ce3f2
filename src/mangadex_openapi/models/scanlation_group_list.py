"""A page of groups."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.scanlation_group import ScanlationGroup


class ScanlationGroupList(WireModel):
    """`data` has up to `limit` groups from `offset` on; `total` counts all that match."""

    result: str | None = None
    response: str | None = None
    data: list[ScanlationGroup] | None = None
    limit: int | None = None
    offset: int | None = None
    total: int | None = None
