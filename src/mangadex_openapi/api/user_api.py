"""The account.

Each operation has three methods: plain, `_with_http_info` and `_without_preload_content`.
"""

from __future__ import annotations

from mangadex_openapi import _account_operations as operations
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


class UserApi(SyncApi):
    """The account."""

    get_user_me = plain(operations.get_user_me)
    get_user_me_with_http_info = with_http_info(operations.get_user_me)
    get_user_me_without_preload_content = without_preload_content(operations.get_user_me)


class AsyncUserApi(AsyncApi):
    """The asynchronous twin of UserApi."""

    get_user_me = plain_async(operations.get_user_me)
    get_user_me_with_http_info = with_http_info_async(operations.get_user_me)
    get_user_me_without_preload_content = without_preload_content_async(operations.get_user_me)
