"""The schemas of answers (contract 3, 4.4, 6, 8, 9), by the names that the document gives them."""

from __future__ import annotations

from mangadex_server.openapi_schemas import (
    COUNT,
    LANGUAGE,
    LOCALIZED,
    MOMENT_SENT,
    SHA256,
    SWITCH,
    TEXT,
    TEXTS,
    UUID,
    VERSION,
    constant,
    listed,
    nullable,
    ref,
)
from mangadex_server.shapes import Json


def answer(**properties: Json) -> Json:
    """What the service sends: all of this, and later perhaps more (contract 10)."""
    return {"type": "object", "required": list(properties), "properties": properties}


def entity_of(kind: str, attributes: str) -> Json:
    """The shape that all entities have."""
    related = listed(ref("Relationship"))
    return answer(id=UUID, type=constant(kind), attributes=ref(attributes), relationships=related)


def enveloped(name: str) -> Json:
    """One entity in its envelope."""
    return answer(result=constant("ok"), response=constant("entity"), data=ref(name))


def both_shapes(name: str) -> Json:
    """The envelope of the real service and the documented bare entity at once."""
    return {"allOf": [enveloped(name), ref(name)]}


def collected(name: str) -> Json:
    """A window of a list."""
    window = {"limit": COUNT, "offset": COUNT, "total": COUNT}
    return answer(result=constant("ok"), response=constant("collection"), data=listed(ref(name)), **window)


_VERSIONED: Json = {"version": VERSION, "createdAt": MOMENT_SENT, "updatedAt": MOMENT_SENT}

ANSWERS: Json = {
    "Error": answer(id=UUID, status={"type": "integer"}, title=TEXT, detail=nullable(TEXT), context={}),
    "ErrorResponse": answer(result=constant("error"), errors=listed(ref("Error"), minItems=1)),
    "Response": answer(result=constant("ok")),
    "Relationship": {
        "type": "object",
        "required": ["id", "type"],
        "properties": {"id": UUID, "type": TEXT, "attributes": {"type": "object"}},
        "description": "Has attributes where includes[] asked for its type; in the answer to a commit always.",
    },
    "UploadSessionAttributes": answer(isCommitted=SWITCH, isProcessed=SWITCH, isDeleted=SWITCH, **_VERSIONED),
    "UploadSession": entity_of("upload_session", "UploadSessionAttributes"),
    "UploadSessionResponse": both_shapes("UploadSession"),
    "UploadSessionFileAttributes": answer(
        originalFileName=TEXT,
        fileHash=SHA256,
        fileSize=COUNT,
        mimeType=TEXT,
        source={"type": "string", "enum": ["local", "remote"]},
        version=VERSION,
    ),
    "UploadSessionFile": entity_of("upload_session_file", "UploadSessionFileAttributes"),
    "PutUploadSessionFile200Response": answer(
        result=constant("ok"), errors=listed(ref("Error")), data=listed(ref("UploadSessionFile"))
    ),
    "UploadCheckApprovalRequired200Response": answer(result=constant("ok"), requiresApproval=SWITCH),
    "ChapterAttributes": answer(
        volume=nullable(TEXT),
        chapter=nullable(TEXT),
        title=nullable(TEXT),
        translatedLanguage=LANGUAGE,
        externalUrl=nullable(TEXT),
        isUnavailable=SWITCH,
        publishAt=nullable(MOMENT_SENT),
        readableAt=nullable(MOMENT_SENT),
        pages=COUNT,
        **_VERSIONED,
    ),
    "Chapter": entity_of("chapter", "ChapterAttributes"),
    "CommittedChapterResponse": both_shapes("Chapter"),
    "ChapterResponse": enveloped("Chapter"),
    "ChapterList": collected("Chapter"),
    "MangaAttributes": answer(
        title=LOCALIZED,
        altTitles=listed(LOCALIZED),
        description=LOCALIZED,
        isLocked=SWITCH,
        originalLanguage=LANGUAGE,
        lastVolume=nullable(TEXT),
        lastChapter=nullable(TEXT),
        publicationDemographic=nullable(TEXT),
        status=TEXT,
        year=nullable({"type": "integer"}),
        contentRating=TEXT,
        availableTranslatedLanguages=TEXTS,
        state=TEXT,
        **_VERSIONED,
    ),
    "Manga": entity_of("manga", "MangaAttributes"),
    "MangaResponse": enveloped("Manga"),
    "MangaList": collected("Manga"),
    "ChapterAggregate": answer(result=constant("ok"), volumes={"type": "object"}),
    "ScanlationGroupAttributes": answer(
        name=TEXT,
        focusedLanguages=TEXTS,
        locked=SWITCH,
        publishDelay=nullable(TEXT),
        **_VERSIONED,
    ),
    "ScanlationGroup": entity_of("scanlation_group", "ScanlationGroupAttributes"),
    "ScanlationGroupResponse": enveloped("ScanlationGroup"),
    "ScanlationGroupList": collected("ScanlationGroup"),
    "GetAtHomeServerChapterId200Response": answer(
        result=constant("ok"), baseUrl=TEXT, chapter=answer(hash=TEXT, data=TEXTS, dataSaver=TEXTS)
    ),
    "UserAttributes": answer(username=TEXT, roles=TEXTS, version=VERSION),
    "User": entity_of("user", "UserAttributes"),
    "UserResponse": enveloped("User"),
    "CheckResponse": answer(result=constant("ok"), isAuthenticated=SWITCH, roles=TEXTS, permissions=TEXTS),
    "TokenResponse": answer(
        access_token=TEXT,
        expires_in=COUNT,
        refresh_token=TEXT,
        refresh_expires_in=COUNT,
        token_type=constant("Bearer"),
        session_state=TEXT,
        scope=TEXT,
    ),
    "TokenError": answer(error=TEXT, error_description=TEXT),
}
