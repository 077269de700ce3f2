"""Answers as they go out: the one way in which their shapes become bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from mangadex_server.errors import ON_THE_WIRE, ServiceError
from mangadex_server.shapes import error_entry

REFUSALS = "mangadex_server.refusals"
"""In the scope of an answered request: status and title of all that was refused in it."""


class WireResponse(Response):
    """JSON whose Content-Type is exactly application/json: Hondana compares it with == (contract 1.2)."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Compact UTF-8 JSON."""
        self._refusals = [(entry["status"], entry["title"]) for entry in content.get("errors", [])]
        if "error" in content:  # of the token endpoint
            self._refusals.append((self.status_code, content["error"]))
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Leave a note of what was refused."""
        scope[REFUSALS] = self._refusals
        await super().__call__(scope, receive, send)


def error_response(error: ServiceError, headers: Mapping[str, str] | None = None) -> WireResponse:
    """The answer to a refused request."""
    body, status = {"result": "error", "errors": [error_entry(error)]}, ON_THE_WIRE[type(error)].status
    challenge = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}  # RFC 9110 15.5.2
    return WireResponse(body, status, challenge | dict(headers or {}))


def all_refused(refusals: Sequence[ServiceError]) -> WireResponse:
    """The answer to a request of which no file was accepted, with the reason for each (contract 4.5)."""
    entries = [error_entry(refusal) for refusal in refusals]
    statuses = {entry["status"] for entry in entries}
    status = statuses.pop() if len(statuses) == 1 else HTTPStatus.BAD_REQUEST
    return WireResponse({"result": "error", "errors": entries}, status)
