"""One error object of the service."""

from __future__ import annotations

from typing import Any

from mangadex_openapi.models._base import WireModel


class Error(WireModel):
    """One entry of `errors` (contract 8.1).

    `id` is one per kind of error, `title` a snake_case kind, `detail` the text for people, `context` any JSON value.
    """

    id: str | None = None
    status: int | None = None
    title: str | None = None
    detail: str | None = None
    context: Any = None
