"""Finding and changing chapters.

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


class ChapterApi(SyncApi):
    """Finding and changing chapters."""

    get_chapter = plain(operations.get_chapter)
    get_chapter_with_http_info = with_http_info(operations.get_chapter)
    get_chapter_without_preload_content = without_preload_content(operations.get_chapter)

    get_chapter_id = plain(operations.get_chapter_id)
    get_chapter_id_with_http_info = with_http_info(operations.get_chapter_id)
    get_chapter_id_without_preload_content = without_preload_content(operations.get_chapter_id)

    put_chapter_id = plain(operations.put_chapter_id)
    put_chapter_id_with_http_info = with_http_info(operations.put_chapter_id)
    put_chapter_id_without_preload_content = without_preload_content(operations.put_chapter_id)


class AsyncChapterApi(AsyncApi):
    """The asynchronous twin of ChapterApi."""

    get_chapter = plain_async(operations.get_chapter)
    get_chapter_with_http_info = with_http_info_async(operations.get_chapter)
    get_chapter_without_preload_content = without_preload_content_async(operations.get_chapter)

    get_chapter_id = plain_async(operations.get_chapter_id)
    get_chapter_id_with_http_info = with_http_info_async(operations.get_chapter_id)
    get_chapter_id_without_preload_content = without_preload_content_async(operations.get_chapter_id)

    put_chapter_id = plain_async(operations.put_chapter_id)
    put_chapter_id_with_http_info = with_http_info_async(operations.put_chapter_id)
    put_chapter_id_without_preload_content = without_preload_content_async(operations.put_chapter_id)
