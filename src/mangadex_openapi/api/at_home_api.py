"""Reading a chapter's pages.

Each operation has three methods: plain, `_with_http_info` and `_without_preload_content`.
"""

from __future__ import annotations

from mangadex_openapi import _chapter_operations as operations
from mangadex_openapi._api import (
    AsyncApi,
    SyncApi,
    plain,
    plain_async,
    with_http_info,
    with_http_info_async,
    without_preload_content,
    without_preload_content_async,
)


class AtHomeApi(SyncApi):
    """Reading a chapter's pages."""

    get_at_home_server_chapter_id = plain(operations.get_at_home_server_chapter_id)
    get_at_home_server_chapter_id_with_http_info = with_http_info(operations.get_at_home_server_chapter_id)
    get_at_home_server_chapter_id_without_preload_content = without_preload_content(
        operations.get_at_home_server_chapter_id
    )


class AsyncAtHomeApi(AsyncApi):
    """The asynchronous twin of AtHomeApi."""

    get_at_home_server_chapter_id = plain_async(operations.get_at_home_server_chapter_id)
    get_at_home_server_chapter_id_with_http_info = with_http_info_async(operations.get_at_home_server_chapter_id)
    get_at_home_server_chapter_id_without_preload_content = without_preload_content_async(
        operations.get_at_home_server_chapter_id
    )
