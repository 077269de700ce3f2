"""The base of all wire models: names, conversion, and errors that are ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pprint import pformat
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from mangadex_openapi.exceptions import InvalidRequest


def _refusal(error: ValidationError) -> InvalidRequest:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or error.title
    if first["type"] == "extra_forbidden":
        return InvalidRequest(field, "there is no such field, or it was given in both spellings")
    return InvalidRequest(field, first["msg"].removeprefix("Value error, "))


class WireModel(BaseModel):
    """What the service sends: snake_case in Python, camelCase on the wire, unknown fields kept.

    Every field may be missing: what the service leaves out is None.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        validate_assignment=True,
        coerce_numbers_to_str=True,
        extra="allow",
        defer_build=True,
        protected_namespaces=(),
    )

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _refusal(error) from None

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # nested values skip this wrapper

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError as error:
            raise _refusal(error) from None

    @model_validator(mode="before")
    @classmethod
    def _empty_map(cls, value: object) -> object:
        return {} if value == [] else value  # an empty PHP map arrives as a list (contract 9.1)

    @classmethod
    def from_dict(cls, obj: Mapping[str, Any]) -> Self:
        """Read a wire object (either spelling of its names).

        Raises:
            InvalidRequest: a value does not fit its field.
        """
        try:
            return cls.model_validate(obj)
        except ValidationError as error:
            raise _refusal(error) from None

    @classmethod
    def from_json(cls, json_str: str | bytes) -> Self:
        """Read a wire object from JSON text.

        Raises:
            InvalidRequest: not JSON, or a value does not fit its field.
        """
        try:
            obj = json.loads(json_str)
        except (ValueError, RecursionError) as error:
            raise InvalidRequest(cls.__name__, f"not JSON ({error})") from None
        return cls.from_dict(obj)

    def to_dict(self) -> dict[str, Any]:
        """The wire object: camelCase names, without the fields that were never given."""
        return self.model_dump(by_alias=True, exclude_unset=True)

    def to_json(self) -> str:
        """The wire object as JSON text."""
        return json.dumps(self.to_dict())

    def to_str(self) -> str:
        """The wire object, laid out for people."""
        return pformat(self.to_dict())


class RequestModel(WireModel):
    """What we send: given values are checked, missing ones left to the service, unknown names refused.

    None means "not given", except for the fields in `nullable`, which then go out as null.
    Those in `always_sent` are null even when not given.
    """

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=False)

    nullable: ClassVar[frozenset[str]] = frozenset()
    always_sent: ClassVar[frozenset[str]] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """The request's body: camelCase names."""
        body: dict[str, Any] = {}
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            null_is_meant = name in self.always_sent or (name in self.nullable and name in self.model_fields_set)
            if value is not None or null_is_meant:
                body[field.alias or name] = value.to_dict() if isinstance(value, RequestModel) else value
        return body
