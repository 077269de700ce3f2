"""The answer to pages."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models.error import Error
from mangadex_openapi.models.upload_session_file import UploadSessionFile


class PutUploadSessionFile200Response(WireModel):
    """`data` has the stored pages, `errors` the refused ones: look at both (contract 4.5)."""

    result: str | None = None
    errors: list[Error] | None = None
    data: list[UploadSessionFile] | None = None
