"""The API classes, one module each."""

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
