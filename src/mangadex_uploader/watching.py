"""What in a watched folder is to be uploaded now: what has not changed for a while, once in each state. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Seen:
    signature: str
    since: float


class Watching:
    """Is told what is in the folder at each look.

    Args:
        settle_s: so long has something to be unchanged.
        retry_s: after so long is tried again what stopped for a cause that may pass.
    """

    def __init__(self, settle_s: float, retry_s: float) -> None:
        self._settle_s = settle_s
        self._retry_s = retry_s
        self._handled: dict[Path, str] = {}
        self._later: dict[Path, float] = {}
        self._seen: dict[Path, _Seen] = {}

    def ready(self, found: Mapping[Path, str], now: float) -> list[Path]:
        """Those to upload now, in the order of `found`: signature by path. `now` is in seconds of any clock."""
        self._seen = {path: self._still(path, signature, now) for path, signature in found.items()}
        return [path for path, seen in self._seen.items() if self._is_ready(path, seen, now)]

    def handled(self, paths: Iterable[Path]) -> None:
        """These were uploaded or failed in the state in which they were ready; only another state counts again."""
        for path in paths:
            self._handled[path] = self._seen[path].signature
            self._later.pop(path, None)

    def postpone(self, paths: Iterable[Path], now: float) -> None:
        """These are to be tried again later."""
        for path in paths:
            self._later[path] = now + self._retry_s

    def _still(self, path: Path, signature: str, now: float) -> _Seen:
        before = self._seen.get(path)
        return before if before is not None and before.signature == signature else _Seen(signature, now)

    def _is_ready(self, path: Path, seen: _Seen, now: float) -> bool:
        if self._handled.get(path) == seen.signature or now < self._later.get(path, now):
            return False
        return now - seen.since >= self._settle_s
