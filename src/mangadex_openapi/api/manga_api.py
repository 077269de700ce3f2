"""Finding manga.

Each operation has three methods: plain, `_with_http_info` and `_without_preload_content`.
"""

from __future__ import annotations

from mangadex_openapi import _catalog_operations as operations
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


class MangaApi(SyncApi):
    """Finding manga."""

    get_search_manga = plain(operations.get_search_manga)
    get_search_manga_with_http_info = with_http_info(operations.get_search_manga)
    get_search_manga_without_preload_content = without_preload_content(operations.get_search_manga)

    get_manga_id = plain(operations.get_manga_id)
    get_manga_id_with_http_info = with_http_info(operations.get_manga_id)
    get_manga_id_without_preload_content = without_preload_content(operations.get_manga_id)


class AsyncMangaApi(AsyncApi):
    """The asynchronous twin of MangaApi."""

    get_search_manga = plain_async(operations.get_search_manga)
    get_search_manga_with_http_info = with_http_info_async(operations.get_search_manga)
    get_search_manga_without_preload_content = without_preload_content_async(operations.get_search_manga)

    get_manga_id = plain_async(operations.get_manga_id)
    get_manga_id_with_http_info = with_http_info_async(operations.get_manga_id)
    get_manga_id_without_preload_content = without_preload_content_async(operations.get_manga_id)
