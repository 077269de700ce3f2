"""The data of a scanlation group."""

from __future__ import annotations

from mangadex_openapi.models._base import WireModel
from mangadex_openapi.models._fields import LocalizedString


class ScanlationGroupAttributes(WireModel):
    """`locked` groups can be credited by their members only; `publish_delay` is an ISO 8601 duration (contract 9.2)."""

    name: str | None = None
    alt_names: list[LocalizedString] | None = None
    website: str | None = None
    irc_server: str | None = None
    irc_channel: str | None = None
    discord: str | None = None
    contact_email: str | None = None
    description: str | None = None
    twitter: str | None = None
    manga_updates: str | None = None
    focused_languages: list[str] | None = None
    locked: bool | None = None
    official: bool | None = None
    verified: bool | None = None
    inactive: bool | None = None
    ex_licensed: bool | None = None
    publish_delay: str | None = None
    version: int | None = None
    created_at: str | None = None
    updated_at: str | None = None
