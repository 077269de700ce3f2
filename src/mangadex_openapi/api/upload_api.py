"""The nine operations of uploading.

Each operation has three methods: plain, `_with_http_info` and `_without_preload_content`.
"""

from __future__ import annotations

from mangadex_openapi import _upload_operations as operations
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


class UploadApi(SyncApi):
    """The nine operations of uploading."""

    abandon_upload_session = plain(operations.abandon_upload_session)
    abandon_upload_session_with_http_info = with_http_info(operations.abandon_upload_session)
    abandon_upload_session_without_preload_content = without_preload_content(operations.abandon_upload_session)

    begin_edit_session = plain(operations.begin_edit_session)
    begin_edit_session_with_http_info = with_http_info(operations.begin_edit_session)
    begin_edit_session_without_preload_content = without_preload_content(operations.begin_edit_session)

    begin_upload_session = plain(operations.begin_upload_session)
    begin_upload_session_with_http_info = with_http_info(operations.begin_upload_session)
    begin_upload_session_without_preload_content = without_preload_content(operations.begin_upload_session)

    commit_upload_session = plain(operations.commit_upload_session)
    commit_upload_session_with_http_info = with_http_info(operations.commit_upload_session)
    commit_upload_session_without_preload_content = without_preload_content(operations.commit_upload_session)

    delete_uploaded_session_file = plain(operations.delete_uploaded_session_file)
    delete_uploaded_session_file_with_http_info = with_http_info(operations.delete_uploaded_session_file)
    delete_uploaded_session_file_without_preload_content = without_preload_content(
        operations.delete_uploaded_session_file
    )

    delete_uploaded_session_files = plain(operations.delete_uploaded_session_files)
    delete_uploaded_session_files_with_http_info = with_http_info(operations.delete_uploaded_session_files)
    delete_uploaded_session_files_without_preload_content = without_preload_content(
        operations.delete_uploaded_session_files
    )

    get_upload_session = plain(operations.get_upload_session)
    get_upload_session_with_http_info = with_http_info(operations.get_upload_session)
    get_upload_session_without_preload_content = without_preload_content(operations.get_upload_session)

    put_upload_session_file = plain(operations.put_upload_session_file)
    put_upload_session_file_with_http_info = with_http_info(operations.put_upload_session_file)
    put_upload_session_file_without_preload_content = without_preload_content(operations.put_upload_session_file)

    upload_check_approval_required = plain(operations.upload_check_approval_required)
    upload_check_approval_required_with_http_info = with_http_info(operations.upload_check_approval_required)
    upload_check_approval_required_without_preload_content = without_preload_content(
        operations.upload_check_approval_required
    )


class AsyncUploadApi(AsyncApi):
    """The asynchronous twin of UploadApi."""

    abandon_upload_session = plain_async(operations.abandon_upload_session)
    abandon_upload_session_with_http_info = with_http_info_async(operations.abandon_upload_session)
    abandon_upload_session_without_preload_content = without_preload_content_async(operations.abandon_upload_session)

    begin_edit_session = plain_async(operations.begin_edit_session)
    begin_edit_session_with_http_info = with_http_info_async(operations.begin_edit_session)
    begin_edit_session_without_preload_content = without_preload_content_async(operations.begin_edit_session)

    begin_upload_session = plain_async(operations.begin_upload_session)
    begin_upload_session_with_http_info = with_http_info_async(operations.begin_upload_session)
    begin_upload_session_without_preload_content = without_preload_content_async(operations.begin_upload_session)

    commit_upload_session = plain_async(operations.commit_upload_session)
    commit_upload_session_with_http_info = with_http_info_async(operations.commit_upload_session)
    commit_upload_session_without_preload_content = without_preload_content_async(operations.commit_upload_session)

    delete_uploaded_session_file = plain_async(operations.delete_uploaded_session_file)
    delete_uploaded_session_file_with_http_info = with_http_info_async(operations.delete_uploaded_session_file)
    delete_uploaded_session_file_without_preload_content = without_preload_content_async(
        operations.delete_uploaded_session_file
    )

    delete_uploaded_session_files = plain_async(operations.delete_uploaded_session_files)
    delete_uploaded_session_files_with_http_info = with_http_info_async(operations.delete_uploaded_session_files)
    delete_uploaded_session_files_without_preload_content = without_preload_content_async(
        operations.delete_uploaded_session_files
    )

    get_upload_session = plain_async(operations.get_upload_session)
    get_upload_session_with_http_info = with_http_info_async(operations.get_upload_session)
    get_upload_session_without_preload_content = without_preload_content_async(operations.get_upload_session)

    put_upload_session_file = plain_async(operations.put_upload_session_file)
    put_upload_session_file_with_http_info = with_http_info_async(operations.put_upload_session_file)
    put_upload_session_file_without_preload_content = without_preload_content_async(operations.put_upload_session_file)

    upload_check_approval_required = plain_async(operations.upload_check_approval_required)
    upload_check_approval_required_with_http_info = with_http_info_async(operations.upload_check_approval_required)
    upload_check_approval_required_without_preload_content = without_preload_content_async(
        operations.upload_check_approval_required
    )
