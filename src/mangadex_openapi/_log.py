"""The package's logger, and how a request and its answer are told without their secrets."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import httpx2

from mangadex_openapi._operations import Operation

logger = logging.getLogger("mangadex_openapi")
logger.addHandler(logging.NullHandler())
logging.getLogger("hpack").setLevel(logging.INFO)  # on DEBUG the HTTP/2 library writes every header out, tokens too

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-captcha-result"})
_SHOWN = 2_000


def _redacted(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers, with secret values replaced."""
    return {name: "(hidden)" if name.lower() in _SECRET_HEADERS else value for name, value in headers.items()}


def log_exchange(operation: Operation[Any], request: httpx2.Request, outcome: httpx2.Response | Exception) -> None:
    """Tell of one attempt, with headers and bodies where the logger is set to DEBUG."""
    if not isinstance(outcome, httpx2.Response):
        logger.info("%s had no answer: %s", operation.name, type(outcome).__name__)
    elif logger.isEnabledFor(logging.DEBUG):
        sent = "pages" if operation.multipart else (operation.body or b"").decode()[:_SHOWN]
        logger.debug("%s: %s %s %s %s", operation.name, request.method, request.url, _redacted(request.headers), sent)
        body = outcome.content.decode("utf-8", "replace")[:_SHOWN] if outcome.is_stream_consumed else "(unread)"
        logger.debug("%s: %d %s %s", operation.name, outcome.status_code, _redacted(outcome.headers), body)


def show_debug_log() -> None:
    """Send everything that the package logs to standard error, unless the program has handlers of its own."""
    logger.setLevel(logging.DEBUG)
    if (
        not any(not isinstance(handler, logging.NullHandler) for handler in logger.handlers)
        and not logging.root.handlers
    ):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
        logger.addHandler(handler)
