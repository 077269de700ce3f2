"""The answer of the sign-in check."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class CheckResponse(WireModel):
    """Whether the token is valid, and what it permits (contract 6.2)."""

    result: str | None = None
    is_authenticated: bool | None = None
    roles: list[str] | None = None
    permissions: list[str] | None = None
