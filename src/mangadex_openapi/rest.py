"""Answers whose body is not read yet, and ApiException, which callers import from here."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import httpx2

from mangadex_openapi._calls import connection_failure, foreign_failure
from mangadex_openapi.exceptions import ApiException, InvalidRequest, OpenApiException

__all__ = ["ApiException", "AsyncRESTResponse", "RESTResponse"]


class _StatusLine:
    def __init__(self, operation: str, response: httpx2.Response) -> None:
        self._operation = operation
        self._response = response
        self.status = response.status_code
        self.reason = response.reason_phrase
        self.headers: Mapping[str, str] = response.headers

    def getheader(self, name: str, default: str | None = None) -> str | None:
        """One header, in any case of its name."""
        return self.headers.get(name, default)

    def getheaders(self) -> Mapping[str, str]:
        """All headers."""
        return self.headers

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._operation} {self.status}>"

    @staticmethod
    def _checked(chunk_size: int | None) -> int | None:
        if chunk_size is not None and chunk_size < 1:
            raise InvalidRequest("chunk_size", "must be above 0")
        return chunk_size

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except httpx2.RequestError as error:
            raise connection_failure(self._operation, error) from error
        except httpx2.StreamError as error:
            raise OpenApiException(f"{self._operation}: the answer is closed, or was read already") from error
        except (ssl.SSLError, ConnectionError) as error:
            raise connection_failure(self._operation, foreign_failure(error, self._response.request)) from error


class RESTResponse(_StatusLine):
    """An answer of any status. Close it, use it in `with`, or read it to the end: it holds a connection till then.

    Raises (while reading):
        ConnectionFailed: the answer broke off.
    """

    def read(self) -> bytes:
        """The whole body."""
        with self._reading():
            return self._response.read()

    @property
    def data(self) -> bytes:
        """The whole body."""
        return self.read()

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """The body, piece by piece."""
        with self._reading():
            yield from self._response.iter_bytes(self._checked(chunk_size))

    def close(self) -> None:
        """Give the connection back."""
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _: BaseException | None, _tb: TracebackType | None) -> None:
        self.close()


class AsyncRESTResponse(_StatusLine):
    """The asynchronous twin of RESTResponse."""

    async def read(self) -> bytes:
        """The whole body."""
        with self._reading():
            return await self._response.aread()

    async def iter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """The body, piece by piece."""
        with self._reading():
            async for chunk in self._response.aiter_bytes(self._checked(chunk_size)):
                yield chunk

    async def close(self) -> None:
        """Give the connection back."""
        await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _: BaseException | None, _tb: TracebackType | None
    ) -> None:
        await self.close()
