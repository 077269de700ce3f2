"""The client's tokens between runs, shared by all processes of this user without losing a renewed one."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict

import filelock

from mangadex_openapi import TokenKey, Tokens
from mangadex_uploader.credentials import TOKENS, Kept, folder_of

LOCK_WAIT_S = 60.0
"""Longer than a renewal takes with the client's timeouts (connecting 10 s, reading 30 s)."""


class TokenKeeper:
    """A `mangadex_openapi.TokenStore` on the secrets of a login.

    From loading to saving a lock is held, so that a refresh token is used by one process, and the others find the new
    one. It belongs to the thread, which the client makes for one renewal: a renewal that fails gives it back as well.
    """

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._of_thread = threading.local()

    def load(self, key: TokenKey) -> Tokens | None:
        """The tokens of this login."""
        if not self._is_ours(key):
            return None
        self._lock()
        return self._read()

    def save(self, key: TokenKey, tokens: Tokens | None) -> None:
        """Keep these tokens at once, or with None forget those that there are."""
        if not self._is_ours(key):
            return
        try:
            self._kept.write(TOKENS, None if tokens is None else as_text(tokens))
        finally:
            self._unlock()

    def _is_ours(self, key: TokenKey) -> bool:
        login = self._kept.login
        return key.host == login.host and key.username.lower() == login.username.lower()

    def _read(self) -> Tokens | None:
        text = self._kept.secrets.read(TOKENS)
        if text is None:
            return None
        try:
            return Tokens(**json.loads(text))
        except (ValueError, TypeError):  # of another version, so signed out
            return None

    def _lock(self) -> None:
        if getattr(self._of_thread, "lock", None) is None:
            lock = filelock.FileLock(folder_of(self._kept.login.host) / "renewal.lock", thread_local=False)
            lock.acquire(timeout=LOCK_WAIT_S)
            self._of_thread.lock = lock

    def _unlock(self) -> None:
        lock = getattr(self._of_thread, "lock", None)
        if lock is not None:
            lock.release()
            self._of_thread.lock = None


def as_text(tokens: Tokens) -> str:
    """Tokens as they are kept."""
    return json.dumps(asdict(tokens))
