"""The words in which the document's schemas are written."""

from __future__ import annotations

from mangadex_server.shapes import Json

UUID: Json = {"type": "string", "format": "uuid", "minLength": 36, "maxLength": 36}
TEXT: Json = {"type": "string"}
COUNT: Json = {"type": "integer", "minimum": 0}
VERSION: Json = {"type": "integer", "minimum": 1}
SWITCH: Json = {"type": "boolean"}
TEXTS: Json = {"type": "array", "items": TEXT}
LOCALIZED: Json = {"type": "object", "additionalProperties": TEXT}
LANGUAGE: Json = {"type": "string", "pattern": "^[a-z]{2}(-[a-z]{2})?$"}
NUMBER: Json = {
    "type": ["string", "null"],
    "maxLength": 8,
    "pattern": r"^((0|[1-9][0-9]*)(\.[0-9]+)?[a-z]?)?$",
}
TITLE: Json = {"type": ["string", "null"], "maxLength": 255}
MOMENT_SENT: Json = {"type": "string", "pattern": r"^[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}\+00:00$"}
SHA256: Json = {"type": "string", "pattern": "^([0-9a-f]{64})?$"}


def ref(name: str) -> Json:
    """Another schema of this module."""
    return {"$ref": f"#/components/schemas/{name}"}


def listed(item: Json, **limits: int) -> Json:
    """A list."""
    return {"type": "array", "items": item, **limits}


def nullable(schema: Json) -> Json:
    """Null, or this."""
    return {**schema, "type": [schema["type"], "null"]}


def constant(word: str) -> Json:
    """One word and no other."""
    return {"type": "string", "const": word}
