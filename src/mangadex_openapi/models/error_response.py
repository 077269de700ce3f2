"""The error envelope."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.error import Error


class ErrorResponse(WireModel):
    """The body of every error status (contract 8.1)."""

    result: str | None = None
    errors: list[Error] | None = None
