"""The wire models: what is sent and what comes back. Needs pydantic, and no HTTP library."""

from mangadex_openapi.models.begin_edit_session import BeginEditSession as BeginEditSession
from mangadex_openapi.models.begin_upload_session import BeginUploadSession as BeginUploadSession
from mangadex_openapi.models.chapter import Chapter as Chapter
from mangadex_openapi.models.chapter_attributes import ChapterAttributes as ChapterAttributes
from mangadex_openapi.models.chapter_draft import ChapterDraft as ChapterDraft
from mangadex_openapi.models.chapter_edit import ChapterEdit as ChapterEdit
from mangadex_openapi.models.chapter_list import ChapterList as ChapterList
from mangadex_openapi.models.chapter_response import ChapterResponse as ChapterResponse
from mangadex_openapi.models.check_response import CheckResponse as CheckResponse
from mangadex_openapi.models.commit_upload_session import CommitUploadSession as CommitUploadSession
from mangadex_openapi.models.error import Error as Error
from mangadex_openapi.models.error_response import ErrorResponse as ErrorResponse
from mangadex_openapi.models.get_at_home_server_chapter_id200_response import (
    GetAtHomeServerChapterId200Response as GetAtHomeServerChapterId200Response,
)
from mangadex_openapi.models.get_at_home_server_chapter_id200_response_chapter import (
    GetAtHomeServerChapterId200ResponseChapter as GetAtHomeServerChapterId200ResponseChapter,
)
from mangadex_openapi.models.manga import Manga as Manga
from mangadex_openapi.models.manga_attributes import MangaAttributes as MangaAttributes
from mangadex_openapi.models.manga_list import MangaList as MangaList
from mangadex_openapi.models.manga_response import MangaResponse as MangaResponse
from mangadex_openapi.models.put_upload_session_file200_response import (
    PutUploadSessionFile200Response as PutUploadSessionFile200Response,
)
from mangadex_openapi.models.relationship import Relationship as Relationship
from mangadex_openapi.models.response import Response as Response
from mangadex_openapi.models.scanlation_group import ScanlationGroup as ScanlationGroup
from mangadex_openapi.models.scanlation_group_attributes import ScanlationGroupAttributes as ScanlationGroupAttributes
from mangadex_openapi.models.scanlation_group_list import ScanlationGroupList as ScanlationGroupList
from mangadex_openapi.models.scanlation_group_response import ScanlationGroupResponse as ScanlationGroupResponse
from mangadex_openapi.models.upload_check_approval_required200_response import (
    UploadCheckApprovalRequired200Response as UploadCheckApprovalRequired200Response,
)
from mangadex_openapi.models.upload_check_approval_required_request import (
    UploadCheckApprovalRequiredRequest as UploadCheckApprovalRequiredRequest,
)
from mangadex_openapi.models.upload_session import UploadSession as UploadSession
from mangadex_openapi.models.upload_session_attributes import UploadSessionAttributes as UploadSessionAttributes
from mangadex_openapi.models.upload_session_file import UploadSessionFile as UploadSessionFile
from mangadex_openapi.models.upload_session_file_attributes import (
    UploadSessionFileAttributes as UploadSessionFileAttributes,
)
from mangadex_openapi.models.user import User as User
from mangadex_openapi.models.user_attributes import UserAttributes as UserAttributes
from mangadex_openapi.models.user_response import UserResponse as UserResponse

__all__ = [
    "BeginEditSession",
    "BeginUploadSession",
    "Chapter",
    "ChapterAttributes",
    "ChapterDraft",
    "ChapterEdit",
    "ChapterList",
    "ChapterResponse",
    "CheckResponse",
    "CommitUploadSession",
    "Error",
    "ErrorResponse",
    "GetAtHomeServerChapterId200Response",
    "GetAtHomeServerChapterId200ResponseChapter",
    "Manga",
    "MangaAttributes",
    "MangaList",
    "MangaResponse",
    "PutUploadSessionFile200Response",
    "Relationship",
    "Response",
    "ScanlationGroup",
    "ScanlationGroupAttributes",
    "ScanlationGroupList",
    "ScanlationGroupResponse",
    "UploadCheckApprovalRequired200Response",
    "UploadCheckApprovalRequiredRequest",
    "UploadSession",
    "UploadSessionAttributes",
    "UploadSessionFile",
    "UploadSessionFileAttributes",
    "User",
    "UserAttributes",
    "UserResponse",
]
