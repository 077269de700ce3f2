"""A JSON body as a model of the documentation, or the refusal that names the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from mangadex_openapi.exceptions import InvalidRequest
from mangadex_openapi.models._base import RequestModel
from mangadex_server.errors import Invalid

Model = TypeVar("Model", bound=RequestModel)


def read_model(kind: type[Model], given: Mapping[str, Any], *required: str) -> Model:
    """The body, checked.

    Raises:
        Invalid: a required field is missing or null, or a value does not fit its field.
    """
    for name in required:
        if given.get(name) is None:
            raise Invalid(f"Error validating /{name}: is required. Add it to the body.")
    if "version" in required and not _is_whole(given["version"]):  # the models would take "1" and true for it
        raise Invalid("Error validating /version: is no whole number. Send the present version as a JSON integer.")
    try:
        return kind.from_dict(given)
    except InvalidRequest as refusal:
        pointer = refusal.field.replace(".", "/")
        raise Invalid(f"Error validating /{pointer}: {refusal.problem}") from None


def _is_whole(value: object) -> bool:
    """As JSON Schema has it: 1.0 is a whole number too."""
    return type(value) is int or (type(value) is float and value.is_integer())
