"""A page's bytes, as they were when they were checked."""

from __future__ import annotations

import hashlib

from mangadex_uploader.chapter import PlannedPage, Source
from mangadex_uploader.errors import UploadError


def read_page(source: Source, page: PlannedPage) -> bytes:
    """Blocks.

    Raises:
        UploadError: it cannot be read, or it changed since it was checked.
    """
    data = source.read(page.name)
    if hashlib.sha256(data).hexdigest() != page.digest:
        raise UploadError(f"{page.name} changed while its chapter was being uploaded. Run the same command again.")
    return data
