"""What the document says of each operation, by its name: its body, its answer, and how it may refuse."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

JSON = "application/json"
HTML = "text/html"


class SignIn(Enum):
    """Whether an operation wants an access token."""

    NEEDED = "needed"
    OPTIONAL = "optional"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body."""

    schema: str
    limit: str
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `refuses` are the statuses beside those that any request can meet."""

    summary: str
    answer: str = "Response"
    refuses: tuple[int, ...] = ()
    sign_in: SignIn = SignIn.NEEDED
    body: Body | None = None
    media_type: str = JSON
    refuses_with: str = "ErrorResponse"


READS_BODY = (400, 408, 413)
KIB_1, KIB_4, KIB_20 = (f"At most {number} KB of 1024 bytes." for number in (1, 4, 20))


def _page(summary: str) -> Operation:
    return Operation(summary, "", (404, 416), SignIn.IGNORED, media_type="image/*")


OPERATIONS: dict[str, Operation] = {
    "get_upload_session": Operation("Get the current User upload session", "UploadSessionResponse", (400, 401, 404)),
    "begin_upload_session": Operation(
        "Start an upload session",
        "UploadSessionResponse",
        (*READS_BODY, 401, 404, 409, 507),
        body=Body("BeginUploadSession", KIB_4),
    ),
    "begin_edit_session": Operation(
        "Start an edit chapter session",
        "UploadSessionResponse",
        (*READS_BODY, 401, 404, 409, 507),
        body=Body("BeginEditSession", KIB_1),
    ),
    "put_upload_session_file": Operation(
        "Upload images to the upload session",
        "PutUploadSessionFile200Response",
        (*READS_BODY, 401, 404, 507),
        body=Body("UploadSessionFiles", "At most 10 files of 20 MB each.", "multipart/form-data"),
    ),
    "commit_upload_session": Operation(
        "Commit the upload session and specify chapter data",
        "CommittedChapterResponse",
        (*READS_BODY, 401, 404, 409),
        body=Body("CommitUploadSession", "At most 4 KB of 1024 bytes, and 20 KB more for pageOrder."),
    ),
    "abandon_upload_session": Operation("Abandon upload session", refuses=(401, 404)),
    "delete_uploaded_session_file": Operation("Delete an uploaded image from the Upload Session", refuses=(401, 404)),
    "delete_uploaded_session_files": Operation(
        "Delete a set of uploaded images from the Upload Session",
        refuses=(*READS_BODY, 401, 404),
        body=Body("UploadSessionFileIds", KIB_20),
    ),
    "upload_check_approval_required": Operation(
        "Check if a given manga / locale for a User needs moderation approval",
        "UploadCheckApprovalRequired200Response",
        (*READS_BODY, 401, 404),
        body=Body("UploadCheckApprovalRequiredRequest", KIB_4),
    ),
    "get_search_manga": Operation("Manga list", "MangaList", (400,), SignIn.IGNORED),
    "get_manga_id": Operation("Get Manga", "MangaResponse", (404,), SignIn.IGNORED),
    "get_manga_id_feed": Operation("Manga feed", "ChapterList", (400, 401, 404), SignIn.OPTIONAL),
    "get_manga_aggregate": Operation(
        "Get Manga volumes & chapters", "ChapterAggregate", (400, 401, 404), SignIn.OPTIONAL
    ),
    "get_search_group": Operation("Scanlation Group list", "ScanlationGroupList", (400,), SignIn.IGNORED),
    "get_group_id": Operation("Get Scanlation Group", "ScanlationGroupResponse", (404,), SignIn.IGNORED),
    "get_chapter": Operation("Chapter list", "ChapterList", (400, 401), SignIn.OPTIONAL),
    "get_chapter_id": Operation("Get Chapter", "ChapterResponse", (400, 401, 404), SignIn.OPTIONAL),
    "put_chapter_id": Operation(
        "Update Chapter",
        "ChapterResponse",
        (*READS_BODY, 401, 404, 409),
        body=Body("ChapterEdit", KIB_4),
    ),
    "delete_chapter_id": Operation("Delete Chapter", refuses=(401, 404)),
    "get_at_home_server_chapter_id": Operation(
        "Get the addresses of a chapter's pages",
        "GetAtHomeServerChapterId200Response",
        (400, 401, 404),
        SignIn.OPTIONAL,
    ),
    "get_page": _page("Get a page"),
    "get_small_page": _page("Get a page in its smaller variant"),
    "read_chapter": Operation("Look at a chapter", "", (404,), SignIn.IGNORED, media_type=HTML),
    "token": Operation(
        "Sign in, or renew a sign-in",
        "TokenResponse",
        (*READS_BODY, 401),
        SignIn.IGNORED,
        Body("TokenRequest", "At most 16 KB of 1024 bytes.", "application/x-www-form-urlencoded"),
        refuses_with="TokenError",
    ),
    "get_auth_check": Operation("Check the token", "CheckResponse", (), SignIn.OPTIONAL),
    "get_user_me": Operation("Get the signed-in User", "UserResponse", (401,)),
    "healthz": Operation("Whether the service is well", sign_in=SignIn.IGNORED),
    "metrics": Operation("Figures for Prometheus", "", (), SignIn.IGNORED, media_type="text/plain"),
}
