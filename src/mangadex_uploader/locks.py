"""One process at a time: locks of the operating system, which end with their process, however that ends."""

from __future__ import annotations

import hashlib
from pathlib import Path

import filelock


def account_lock(folder: Path, host: str, account: str) -> filelock.BaseFileLock:
    """That of all who publish for this account; not acquired yet."""
    name = hashlib.sha256(f"{host} {account}".encode()).hexdigest()[:32]
    return filelock.FileLock(folder / f"{name}.lock", thread_local=False)


def is_locked(folder: Path, host: str, account: str) -> bool:
    """Whether somebody publishes for this account now."""
    lock = account_lock(folder, host, account)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        return True
    lock.release()
    return False
