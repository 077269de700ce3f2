"""The schemas of requests' bodies (contract 2 and 9.3), by the names that the document gives them."""

from __future__ import annotations

from mangadex_server.openapi_schemas import LANGUAGE, NUMBER, TEXT, TITLE, UUID, VERSION, listed, nullable, ref
from mangadex_server.queries import MOMENT
from mangadex_server.shapes import Json


def body(*required: str, **properties: Json) -> Json:
    """What the service takes: no other keys."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


BODIES: Json = {
    "BeginUploadSession": body("manga", "groups", manga=UUID, groups=listed(UUID, maxItems=10)),
    "BeginEditSession": body(
        "version",
        version={**VERSION, "description": "The chapter's current version."},
        manga={"description": "Ignored."},
        groups={"description": "Ignored."},
    ),
    "ChapterDraft": body(
        "volume",
        "chapter",
        "title",
        "translatedLanguage",
        volume=NUMBER,
        chapter={**NUMBER, "description": "null for a oneshot"},
        title=TITLE,
        translatedLanguage=LANGUAGE,
        externalUrl={"type": ["string", "null"], "maxLength": 512, "pattern": "^https?://"},
        publishAt={"type": ["string", "null"], "pattern": f"^{MOMENT}$", "description": "UTC, without a zone."},
    ),
    "CommitUploadSession": body(
        "chapterDraft",
        chapterDraft=ref("ChapterDraft"),
        pageOrder={
            **nullable(listed(UUID, maxItems=500)),
            "description": "Ids of this session's files in reading order; the others are dropped. "
            "May be empty for a chapter with an externalUrl only.",
        },
        termsAccepted={"type": ["boolean", "null"], "enum": [True, None], "description": "A strict service asks it."},
    ),
    "UploadCheckApprovalRequiredRequest": body("manga", "locale", manga=UUID, locale=LANGUAGE),
    "UploadSessionFileIds": listed(UUID, minItems=1, maxItems=500),
    "UploadSessionFiles": {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}},
        "minProperties": 1,
        "maxProperties": 10,
        "description": "Pages are the parts with a filename, whatever their names, told by their content; "
        "other parts are ignored.",
    },
    "ChapterEdit": body(
        "version",
        title=TITLE,
        volume=NUMBER,
        chapter=NUMBER,
        translatedLanguage=nullable(LANGUAGE),
        groups=nullable(listed(UUID, maxItems=10)),
        version={**VERSION, "description": "The chapter's current version."},
    ),
    "TokenRequest": {
        "type": "object",
        "required": ["grant_type", "client_id", "client_secret"],
        "properties": {
            "grant_type": {"type": "string", "enum": ["password", "refresh_token"]},
            "client_id": TEXT,
            "client_secret": {"type": "string", "format": "password"},
            "username": {"type": "string", "description": "With the password grant."},
            "password": {"type": "string", "format": "password", "description": "With the password grant."},
            "refresh_token": {"type": "string", "description": "With the refresh_token grant."},
        },
    },
}
