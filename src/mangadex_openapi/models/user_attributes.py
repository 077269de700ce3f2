"""The data of a user."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class UserAttributes(WireModel):
    """A user's name and roles."""

    username: str | None = None
    roles: list[str] | None = None
    version: int | None = None
