"""How far a chapter is, and how fast. Bytes that were there before this run count as done, and not as sent. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from mangadex_uploader.output import size


@dataclass(slots=True)
class Meter:
    """Page bytes of one chapter; times are seconds of any clock."""

    total_bytes: int
    kept_bytes: int = 0
    sent_bytes: int = 0
    started_at: float = 0.0
    last_at: float = 0.0

    def start(self, kept_bytes: int, now: float) -> None:
        """Sending begins; so much is there already."""
        self.kept_bytes, self.sent_bytes, self.started_at, self.last_at = kept_bytes, 0, now, now

    def add(self, size_bytes: int, now: float) -> None:
        """So much was acknowledged."""
        self.sent_bytes += size_bytes
        self.last_at = now

    @property
    def done_bytes(self) -> int:
        """All that the service has, at most the total."""
        return min(self.kept_bytes + self.sent_bytes, self.total_bytes)

    @property
    def percent(self) -> int:
        """Whole ones, rounded down."""
        return 100 * self.done_bytes // self.total_bytes if self.total_bytes else 100

    @property
    def bytes_per_s(self) -> float | None:
        """Of this run, up to the last acknowledgement; None before it."""
        seconds = self.last_at - self.started_at
        return self.sent_bytes / seconds if seconds > 0 else None

    def left_s(self, now: float) -> float | None:
        """Until all is sent, at this speed."""
        speed = self.bytes_per_s
        if not speed:
            return None
        return max((self.total_bytes - self.done_bytes) / speed - (now - self.last_at), 0.0)

    def text(self, now: float) -> str:
        """For people: how much, how fast, how long still."""
        parts = [f"{self.done_bytes / 1_000_000:.1f} of {size(self.total_bytes)}"]
        speed, left_s = self.bytes_per_s, self.left_s(now)
        if speed:
            parts.append(f"{speed / 1_000_000:.1f} MB/s")
        if left_s is not None and self.done_bytes < self.total_bytes:
            parts.append(f"{_span(left_s)} left")
        return ", ".join(parts)


def _span(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"
