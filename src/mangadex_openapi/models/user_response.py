"""One user, in its envelope."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.user import User


class UserResponse(WireModel):
    """`data` is the user."""

    result: str | None = None
    response: str | None = None
    data: User | None = None
