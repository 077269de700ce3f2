"""One group, in its envelope."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.scanlation_group import ScanlationGroup


class ScanlationGroupResponse(WireModel):
    """`data` is the group."""

    result: str | None = None
    response: str | None = None
    data: ScanlationGroup | None = None
