"""An answer with its status line and headers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ApiResponse(Generic[T]):
    """`data` is the answer as its model, `raw_data` its bytes; `headers` are found in any case of their names."""

    status_code: int
    headers: Mapping[str, str]
    data: T
    raw_data: bytes
