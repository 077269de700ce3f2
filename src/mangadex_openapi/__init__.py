"""The Python client of MangaDex's Upload API, synchronous and asynchronous.

Names are loaded when they are first used, so that `mangadex_openapi.models` alone does not load an HTTP library.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mangadex_openapi._version import __version__ as __version__

if TYPE_CHECKING:
    from mangadex_openapi._pacing import Pacer as Pacer
    from mangadex_openapi._pages import FileArgument as FileArgument
    from mangadex_openapi._retry import RetryPolicy as RetryPolicy
    from mangadex_openapi.api.at_home_api import AsyncAtHomeApi as AsyncAtHomeApi
    from mangadex_openapi.api.at_home_api import AtHomeApi as AtHomeApi
    from mangadex_openapi.api.authentication_api import AsyncAuthenticationApi as AsyncAuthenticationApi
    from mangadex_openapi.api.authentication_api import AuthenticationApi as AuthenticationApi
    from mangadex_openapi.api.chapter_api import AsyncChapterApi as AsyncChapterApi
    from mangadex_openapi.api.chapter_api import ChapterApi as ChapterApi
    from mangadex_openapi.api.manga_api import AsyncMangaApi as AsyncMangaApi
    from mangadex_openapi.api.manga_api import MangaApi as MangaApi
    from mangadex_openapi.api.scanlation_group_api import AsyncScanlationGroupApi as AsyncScanlationGroupApi
    from mangadex_openapi.api.scanlation_group_api import ScanlationGroupApi as ScanlationGroupApi
    from mangadex_openapi.api.upload_api import AsyncUploadApi as AsyncUploadApi
    from mangadex_openapi.api.upload_api import UploadApi as UploadApi
    from mangadex_openapi.api.user_api import AsyncUserApi as AsyncUserApi
    from mangadex_openapi.api.user_api import UserApi as UserApi
    from mangadex_openapi.api_client import ApiClient as ApiClient
    from mangadex_openapi.api_client import AsyncApiClient as AsyncApiClient
    from mangadex_openapi.api_response import ApiResponse as ApiResponse
    from mangadex_openapi.auth import MemoryTokenStore as MemoryTokenStore
    from mangadex_openapi.auth import PersonalClient as PersonalClient
    from mangadex_openapi.auth import TokenKey as TokenKey
    from mangadex_openapi.auth import Tokens as Tokens
    from mangadex_openapi.auth import TokenStore as TokenStore
    from mangadex_openapi.configuration import Configuration as Configuration
    from mangadex_openapi.configuration import Timeouts as Timeouts
    from mangadex_openapi.exceptions import ApiException as ApiException
    from mangadex_openapi.exceptions import BadRequest as BadRequest
    from mangadex_openapi.exceptions import Conflict as Conflict
    from mangadex_openapi.exceptions import ConnectionFailed as ConnectionFailed
    from mangadex_openapi.exceptions import Forbidden as Forbidden
    from mangadex_openapi.exceptions import InvalidRequest as InvalidRequest
    from mangadex_openapi.exceptions import LoginFailed as LoginFailed
    from mangadex_openapi.exceptions import LoginRefused as LoginRefused
    from mangadex_openapi.exceptions import LoginUnavailable as LoginUnavailable
    from mangadex_openapi.exceptions import NotFound as NotFound
    from mangadex_openapi.exceptions import OpenApiException as OpenApiException
    from mangadex_openapi.exceptions import PayloadTooLarge as PayloadTooLarge
    from mangadex_openapi.exceptions import RateLimited as RateLimited
    from mangadex_openapi.exceptions import Service as Service
    from mangadex_openapi.exceptions import TimedOut as TimedOut
    from mangadex_openapi.exceptions import Unauthorized as Unauthorized
    from mangadex_openapi.exceptions import UnexpectedAnswer as UnexpectedAnswer
    from mangadex_openapi.exceptions import UnprocessableEntity as UnprocessableEntity
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
    from mangadex_openapi.models.scanlation_group_attributes import (
        ScanlationGroupAttributes as ScanlationGroupAttributes,
    )
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
    from mangadex_openapi.rest import AsyncRESTResponse as AsyncRESTResponse
    from mangadex_openapi.rest import RESTResponse as RESTResponse

_MODULES = {
    "ApiClient": "api_client",
    "ApiException": "exceptions",
    "ApiResponse": "api_response",
    "AsyncApiClient": "api_client",
    "AsyncAtHomeApi": "api.at_home_api",
    "AsyncAuthenticationApi": "api.authentication_api",
    "AsyncChapterApi": "api.chapter_api",
    "AsyncMangaApi": "api.manga_api",
    "AsyncRESTResponse": "rest",
    "AsyncScanlationGroupApi": "api.scanlation_group_api",
    "AsyncUploadApi": "api.upload_api",
    "AsyncUserApi": "api.user_api",
    "AtHomeApi": "api.at_home_api",
    "AuthenticationApi": "api.authentication_api",
    "BadRequest": "exceptions",
    "BeginEditSession": "models.begin_edit_session",
    "BeginUploadSession": "models.begin_upload_session",
    "Chapter": "models.chapter",
    "ChapterApi": "api.chapter_api",
    "ChapterAttributes": "models.chapter_attributes",
    "ChapterDraft": "models.chapter_draft",
    "ChapterEdit": "models.chapter_edit",
    "ChapterList": "models.chapter_list",
    "ChapterResponse": "models.chapter_response",
    "CheckResponse": "models.check_response",
    "CommitUploadSession": "models.commit_upload_session",
    "Configuration": "configuration",
    "Conflict": "exceptions",
    "ConnectionFailed": "exceptions",
    "Error": "models.error",
    "ErrorResponse": "models.error_response",
    "FileArgument": "_pages",
    "Forbidden": "exceptions",
    "GetAtHomeServerChapterId200Response": "models.get_at_home_server_chapter_id200_response",
    "GetAtHomeServerChapterId200ResponseChapter": "models.get_at_home_server_chapter_id200_response_chapter",
    "InvalidRequest": "exceptions",
    "LoginFailed": "exceptions",
    "LoginRefused": "exceptions",
    "LoginUnavailable": "exceptions",
    "Manga": "models.manga",
    "MangaApi": "api.manga_api",
    "MangaAttributes": "models.manga_attributes",
    "MangaList": "models.manga_list",
    "MangaResponse": "models.manga_response",
    "MemoryTokenStore": "auth",
    "NotFound": "exceptions",
    "OpenApiException": "exceptions",
    "Pacer": "_pacing",
    "PayloadTooLarge": "exceptions",
    "PersonalClient": "auth",
    "PutUploadSessionFile200Response": "models.put_upload_session_file200_response",
    "RESTResponse": "rest",
    "RateLimited": "exceptions",
    "Relationship": "models.relationship",
    "Response": "models.response",
    "RetryPolicy": "_retry",
    "ScanlationGroup": "models.scanlation_group",
    "ScanlationGroupApi": "api.scanlation_group_api",
    "ScanlationGroupAttributes": "models.scanlation_group_attributes",
    "ScanlationGroupList": "models.scanlation_group_list",
    "ScanlationGroupResponse": "models.scanlation_group_response",
    "Service": "exceptions",
    "TimedOut": "exceptions",
    "Timeouts": "configuration",
    "TokenKey": "auth",
    "TokenStore": "auth",
    "Tokens": "auth",
    "Unauthorized": "exceptions",
    "UnexpectedAnswer": "exceptions",
    "UnprocessableEntity": "exceptions",
    "UploadApi": "api.upload_api",
    "UploadCheckApprovalRequired200Response": "models.upload_check_approval_required200_response",
    "UploadCheckApprovalRequiredRequest": "models.upload_check_approval_required_request",
    "UploadSession": "models.upload_session",
    "UploadSessionAttributes": "models.upload_session_attributes",
    "UploadSessionFile": "models.upload_session_file",
    "UploadSessionFileAttributes": "models.upload_session_file_attributes",
    "User": "models.user",
    "UserApi": "api.user_api",
    "UserAttributes": "models.user_attributes",
    "UserResponse": "models.user_response",
}

_SUBMODULES = frozenset({"api", "api_client", "api_response", "auth", "configuration", "exceptions", "models", "rest"})

__all__ = ["__version__", *sorted(_MODULES)]  # noqa: PLE0604 - names, all of them


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
