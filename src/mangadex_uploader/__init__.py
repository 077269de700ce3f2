"""Chapters on disk become chapters on the service, and no page is lost on the way.

```python
async with mangadex_openapi.AsyncApiClient(configuration) as client:
    uploader = Uploader(client, account="me", journal=Journal(path), terms_accepted=True)
    result = await uploader.upload(Chapter(path=Path("chapter 1"), manga="f9c33607-9180-4ba6-b85c-e4b5faee7192"))
```

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mangadex_uploader.chapter import Chapter as Chapter
    from mangadex_uploader.chapter import Plan as Plan
    from mangadex_uploader.errors import UploadError as UploadError
    from mangadex_uploader.events import Event as Event
    from mangadex_uploader.events import Result as Result
    from mangadex_uploader.journal import Journal as Journal
    from mangadex_uploader.sessions import OpenSessionPolicy as OpenSessionPolicy
    from mangadex_uploader.uploader import Uploader as Uploader
    from mangadex_uploader.uploader import upload_chapter as upload_chapter

_MODULES = {
    "Chapter": "chapter",
    "Event": "events",
    "Journal": "journal",
    "OpenSessionPolicy": "sessions",
    "Plan": "chapter",
    "Result": "events",
    "UploadError": "errors",
    "Uploader": "uploader",
    "upload_chapter": "uploader",
}
__all__ = sorted(_MODULES)  # noqa: PLE0605 - as the table has them


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
