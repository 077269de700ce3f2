"""The token.

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


class AuthenticationApi(SyncApi):
    """The token."""

    get_auth_check = plain(operations.get_auth_check)
    get_auth_check_with_http_info = with_http_info(operations.get_auth_check)
    get_auth_check_without_preload_content = without_preload_content(operations.get_auth_check)


class AsyncAuthenticationApi(AsyncApi):
    """The asynchronous twin of AuthenticationApi."""

    get_auth_check = plain_async(operations.get_auth_check)
    get_auth_check_with_http_info = with_http_info_async(operations.get_auth_check)
    get_auth_check_without_preload_content = without_preload_content_async(operations.get_auth_check)
