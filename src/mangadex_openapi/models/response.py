"""The plain acknowledgement."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class Response(WireModel):
    """The answer of operations that return nothing else: `result` is "ok"."""

    result: str | None = None
