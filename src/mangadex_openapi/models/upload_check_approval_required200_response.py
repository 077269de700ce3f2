"""The answer of the approval check."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class UploadCheckApprovalRequired200Response(WireModel):
    """`requires_approval`: the chapter will wait for a moderator."""

    result: str | None = None
    requires_approval: bool | None = None
