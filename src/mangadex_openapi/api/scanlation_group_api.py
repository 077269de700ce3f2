"""Finding scanlation groups.

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


class ScanlationGroupApi(SyncApi):
    """Finding scanlation groups."""

    get_search_group = plain(operations.get_search_group)
    get_search_group_with_http_info = with_http_info(operations.get_search_group)
    get_search_group_without_preload_content = without_preload_content(operations.get_search_group)

    get_group_id = plain(operations.get_group_id)
    get_group_id_with_http_info = with_http_info(operations.get_group_id)
    get_group_id_without_preload_content = without_preload_content(operations.get_group_id)


class AsyncScanlationGroupApi(AsyncApi):
    """The asynchronous twin of ScanlationGroupApi."""

    get_search_group = plain_async(operations.get_search_group)
    get_search_group_with_http_info = with_http_info_async(operations.get_search_group)
    get_search_group_without_preload_content = without_preload_content_async(operations.get_search_group)

    get_group_id = plain_async(operations.get_group_id)
    get_group_id_with_http_info = with_http_info_async(operations.get_group_id)
    get_group_id_without_preload_content = without_preload_content_async(operations.get_group_id)
