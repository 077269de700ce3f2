"""The body of the approval check."""

from __future__ import annotations

from mangadex_openapi.models._base import RequestModel
from mangadex_openapi.models._fields import Language, Uuid


class UploadCheckApprovalRequiredRequest(RequestModel):
    """The manga's id and the language of the chapter (contract 2.6)."""

    manga: Uuid | None = None
    locale: Language | None = None
