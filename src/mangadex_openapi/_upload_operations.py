"""The nine upload operations, with the parameters of the documentation in their order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from mangadex_openapi._operations import (
    Operation,
    Repeat,
    acknowledgement,
    check_content_type,
    entity,
    having,
    includes_query,
    json_body,
    model_body,
    path,
)
from mangadex_openapi._options import CallOptions, Options
from mangadex_openapi._pages import FileArgument
from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models import (
    BeginEditSession,
    BeginUploadSession,
    Chapter,
    CommitUploadSession,
    PutUploadSessionFile200Response,
    Response,
    UploadCheckApprovalRequired200Response,
    UploadCheckApprovalRequiredRequest,
    UploadSession,
)

MAX_IDS = 500  # files of a session (contract 4.6)
JSON = "application/json"


def abandon_upload_session(upload_session_id: str, **options: Unpack[CallOptions]) -> Operation[Response]:
    """Delete the session and its pages.

    Raises:
        NotFound: no such session of this account.
    """
    return Operation(
        name="abandon_upload_session",
        method="DELETE",
        path=path("/upload/{upload_session_id}", upload_session_id=upload_session_id),
        repeat=Repeat.SAME_END,
        read=acknowledgement,
        options=Options.of(options),
        pacing="abandon",
    )


def begin_edit_session(
    chapter_id: str,
    content_type: str = JSON,
    begin_edit_session: BeginEditSession | Mapping[str, Any] | None = None,
    includes: list[str] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[UploadSession]:
    """Open a session with the pages of a chapter, to change it.

    `includes` may name user, manga, scanlation_group, upload_session_file. `content_type` has no effect.

    Raises:
        Unauthorized: the account may not edit this chapter.
        Conflict: a session is open already, or the version is stale.
    """
    check_content_type(content_type)
    return Operation(
        name="begin_edit_session",
        method="POST",
        path=path("/upload/begin/{chapter_id}", chapter_id=chapter_id),
        repeat=Repeat.OPENS,
        read=entity(UploadSession),
        options=Options.of(options),
        query=includes_query(includes),
        body=model_body(BeginEditSession, "begin_edit_session", begin_edit_session),
        pacing="begin",
    )


def begin_upload_session(
    content_type: str = JSON,
    begin_upload_session: BeginUploadSession | Mapping[str, Any] | None = None,
    includes: list[str] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[UploadSession]:
    """Open a session for a new chapter; an account has one at a time.

    `includes` may name user, manga, scanlation_group, upload_session_file. `content_type` has no effect.

    Raises:
        NotFound: no such manga or group.
        Conflict: a session is open already.
    """
    check_content_type(content_type)
    return Operation(
        name="begin_upload_session",
        method="POST",
        path="/upload/begin",
        repeat=Repeat.OPENS,
        read=entity(UploadSession),
        options=Options.of(options),
        query=includes_query(includes),
        body=model_body(BeginUploadSession, "begin_upload_session", begin_upload_session),
        pacing="begin",
    )


def commit_upload_session(
    upload_session_id: str,
    content_type: str = JSON,
    commit_upload_session: CommitUploadSession | Mapping[str, Any] | None = None,
    includes: list[str] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[Chapter]:
    """Publish the session's pages as a chapter, in the order of `page_order`; other pages are dropped.

    The answer has 0 pages until they are processed. After a lost answer (ConnectionFailed, Service) look for the
    chapter before committing again. `content_type` has no effect.

    Raises:
        BadRequest: the draft, the order or the consent is not accepted.
        NotFound: no such open session of this account.
    """
    check_content_type(content_type)
    return Operation(
        name="commit_upload_session",
        method="POST",
        path=path("/upload/{upload_session_id}/commit", upload_session_id=upload_session_id),
        repeat=Repeat.PUBLISHES,
        read=entity(Chapter),
        options=Options.of(options),
        query=includes_query(includes),
        body=model_body(CommitUploadSession, "commit_upload_session", commit_upload_session),
        pacing="commit",
        slow=True,
    )


def delete_uploaded_session_file(
    upload_session_id: str, upload_session_file_id: str, **options: Unpack[CallOptions]
) -> Operation[Response]:
    """Remove one page from the session.

    Raises:
        NotFound: no such session of this account, or no such page in it.
    """
    return Operation(
        name="delete_uploaded_session_file",
        method="DELETE",
        path=path(
            "/upload/{upload_session_id}/{upload_session_file_id}",
            upload_session_id=upload_session_id,
            upload_session_file_id=upload_session_file_id,
        ),
        repeat=Repeat.SAME_END,
        read=acknowledgement,
        options=Options.of(options),
        pacing="files",
    )


def delete_uploaded_session_files(
    upload_session_id: str,
    content_type: str = JSON,
    request_body: list[str] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[Response]:
    """Remove up to 500 pages from the session, by their ids. `content_type` has no effect.

    Raises:
        NotFound: no such session of this account.
    """
    check_content_type(content_type)
    return Operation(
        name="delete_uploaded_session_files",
        method="DELETE",
        path=path("/upload/{upload_session_id}/batch", upload_session_id=upload_session_id),
        repeat=Repeat.SAME_END,
        read=acknowledgement,
        options=Options.of(options),
        body=None if request_body is None else json_body(_ids(request_body)),
        pacing="files",
    )


def get_upload_session(includes: list[str] | None = None, **options: Unpack[CallOptions]) -> Operation[UploadSession]:
    """The session that this account has open.

    `includes` may name user, manga, scanlation_group, upload_session_file.

    Raises:
        NotFound: none is open.
    """
    return Operation(
        name="get_upload_session",
        method="GET",
        path="/upload",
        repeat=Repeat.READ,
        read=entity(UploadSession),
        options=Options.of(options),
        query=includes_query(includes),
        pacing="get_upload_session",
    )


def put_upload_session_file(
    upload_session_id: str,
    content_type: str = JSON,
    file: FileArgument | None = None,
    **options: Unpack[CallOptions],
) -> Operation[PutUploadSessionFile200Response]:
    """Add up to ten pages to the session.

    `file` is bytes, a path, an open binary file (from its present position), a pair (name, content), or a list of
    up to ten of them. Some may be refused while others are stored: look at both `data` and `errors` of the answer.
    After a lost answer ask what the session has before sending again. `content_type` has no effect.

    Raises:
        InvalidRequest: a file that cannot be read, more than ten, or two of one name.
        BadRequest: no page was accepted.
        NotFound: no such open session of this account.
    """
    check_content_type(content_type)
    return Operation(
        name="put_upload_session_file",
        method="POST",
        path=path("/upload/{upload_session_id}", upload_session_id=upload_session_id),
        repeat=Repeat.STORES,
        read=having(PutUploadSessionFile200Response, "data", "errors"),
        options=Options.of(options),
        pages=file,
        multipart=True,
        pacing="files",
        slow=True,
    )


def upload_check_approval_required(
    upload_check_approval_required_request: UploadCheckApprovalRequiredRequest | Mapping[str, Any] | None = None,
    **options: Unpack[CallOptions],
) -> Operation[UploadCheckApprovalRequired200Response]:
    """Whether a chapter of this manga in this language would wait for a moderator.

    Raises:
        NotFound: no such manga.
    """
    return Operation(
        name="upload_check_approval_required",
        method="POST",
        path="/upload/check-approval-required",
        repeat=Repeat.READ,
        read=having(UploadCheckApprovalRequired200Response, "requiresApproval"),
        options=Options.of(options),
        body=model_body(
            UploadCheckApprovalRequiredRequest,
            "upload_check_approval_required_request",
            upload_check_approval_required_request,
        ),
        pacing="upload_check_approval_required",
    )


def _ids(request_body: list[str]) -> list[str]:
    if not isinstance(request_body, list) or not all(isinstance(item, str) for item in request_body):
        raise InvalidRequest("request_body", "give a list of file ids")
    if len(request_body) > MAX_IDS:
        raise InvalidRequest("request_body", f"has {len(request_body)} ids; one request takes up to {MAX_IDS}")
    return request_body
