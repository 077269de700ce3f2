"""The service's OpenAPI document: FastAPI's paths and parameters, and what `openapi_operations` says of them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from mangadex_server.openapi_answers import ANSWERS
from mangadex_server.openapi_bodies import BODIES
from mangadex_server.openapi_operations import JSON, OPERATIONS, Body, Operation, SignIn
from mangadex_server.openapi_schemas import COUNT, UUID, ref
from mangadex_server.queries import LAST_RESULT
from mangadex_server.rate_limits import endpoint
from mangadex_server.shapes import Json

TITLE = "MangaDex Upload API, served by mangadex-server"
API_VERSION = "5.10.2"
"""Of the documentation that the operations follow."""

ANY_REQUEST = (403, 429, 500, 503)
"""Statuses that any request can meet: a strict service, too many requests, and what must not happen."""

BINARY: Json = {"type": "string", "format": "binary"}

BEARER = "Bearer"
PERSONAL_CLIENT = "PersonalClient"


def document_of(app: FastAPI, token_path: str) -> Callable[[], Json]:
    """What to set as `app.openapi`: makes the document once.

    Raises:
        KeyError: a route is not in the table of operations.
    """
    made: list[Json] = []

    def document() -> Json:
        if not made:
            made.append(_document(app, token_path))
        return made[0]

    return document


def _document(app: FastAPI, token_path: str) -> Json:
    document = get_openapi(title=TITLE, version=API_VERSION, routes=app.routes)
    for path, methods in document["paths"].items():
        for method, found in methods.items():
            _describe(found, OPERATIONS[found["operationId"]], is_limited=endpoint(method.upper(), path) is not None)
    document["components"] = {
        "schemas": {**BODIES, **ANSWERS},
        "securitySchemes": {
            BEARER: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            PERSONAL_CLIENT: {
                "type": "oauth2",
                "flows": {"password": {"tokenUrl": token_path, "refreshUrl": token_path, "scopes": {}}},
            },
        },
        "headers": {
            "X-Request-ID": {"required": True, "schema": UUID, "description": "The id of this request."},
            "X-RateLimit-Limit": {"schema": COUNT, "description": "Requests in the present period."},
            "X-RateLimit-Remaining": {"schema": COUNT, "description": "How many of them are left."},
            "X-RateLimit-Retry-After": {"schema": COUNT, "description": "When the period ends, as unix seconds."},
        },
    }
    return document


def _describe(found: Json, said: Operation, *, is_limited: bool) -> None:
    found["summary"] = said.summary
    for parameter in found.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"].lower().endswith("id"):
            parameter["schema"] = UUID
        elif parameter["name"] == "offset":
            parameter["description"] = f"offset and limit together are at most {LAST_RESULT}."
    if said.body is not None:
        found["requestBody"] = _body(said.body)
    if said.sign_in is not SignIn.IGNORED:
        schemes: list[Json] = [{BEARER: []}, {PERSONAL_CLIENT: []}]
        found["security"] = schemes if said.sign_in is SignIn.NEEDED else [{}, *schemes]
    found["responses"] = _responses(said, is_limited=is_limited)


def _body(body: Body) -> Json:
    return {
        "required": True,
        "description": body.limit,
        "content": {body.media_type: {"schema": ref(body.schema)}},
    }


def _responses(said: Operation, *, is_limited: bool) -> Json:
    is_page = said.media_type.startswith("image/")
    schema = ref(said.answer) if said.answer else BINARY if is_page else {"type": "string"}
    content = {said.media_type: {"schema": schema}}
    responses: Json = {"200": {"description": "OK", "content": content}}
    if is_page:
        responses["206"] = {"description": "The range that was asked for", "content": content}
        responses["304"] = {"description": "The caller has it"}
    for status in sorted({*said.refuses, *ANY_REQUEST}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": _refusal(said, status)}
    for response in responses.values():
        response["headers"] = _headers(is_limited=is_limited)
    return responses


def _refusal(said: Operation, status: int) -> Json:
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return {}
    ours, theirs = ref("ErrorResponse"), ref(said.refuses_with)
    if status in said.refuses or ours == theirs:
        return {JSON: {"schema": theirs}}
    return {JSON: {"schema": {"anyOf": [ours, theirs]}}}


def _headers(*, is_limited: bool) -> Json:
    names = ["X-Request-ID"]
    if is_limited:
        names += [f"X-RateLimit-{name}" for name in ("Limit", "Remaining", "Retry-After")]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
