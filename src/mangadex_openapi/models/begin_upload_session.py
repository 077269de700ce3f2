"""The body that begins a session."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mangadex_openapi.models._base import RequestModel
from mangadex_openapi.models._fields import Uuid


class BeginUploadSession(RequestModel):
    """For which manga, crediting which groups (0 to 10; contract 2.1)."""

    manga: Uuid | None = None
    groups: Annotated[list[Uuid], Field(max_length=10)] | None = None
