"""What the service knows of a page."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel


class UploadSessionFileAttributes(WireModel):
    """`file_size` is in bytes, `source` is "local" (this session) or "remote" (from the edited chapter).

    Name and hash may be empty for remote files (contract 4.4).
    """

    original_file_name: str | None = None
    file_hash: str | None = None
    file_size: int | None = None
    mime_type: str | None = None
    source: str | None = None
    version: int | None = None
