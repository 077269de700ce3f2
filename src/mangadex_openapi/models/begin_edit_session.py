"""The body that begins an edit session."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from mangadex_openapi.models._base import RequestModel


class BeginEditSession(RequestModel):
    """`version` is the chapter's current version (contract 2.2)."""

    version: Annotated[int, Field(ge=1)] | None = None
