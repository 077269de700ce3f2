"""Who may do what in the data folder, among processes. A lock ends with the process that has it, also by a kill."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEAD_WITHIN_S = 1.0
"""For so long a server that was killed may still seem to be there."""

POLL_S = 0.02

RESTORING = "restoring"
"""A file that is there while a restore fills the folder."""


class DataFolderInUseError(Exception):
    """Another program serves this data folder."""


class HalfRestoredError(Exception):
    """The folder has a part of a backup; the message says what to do."""


@contextmanager
def locked(data_dir: Path, within_s: float = DEAD_WITHIN_S) -> Iterator[None]:
    """Make the data folder, and keep other servers out while the block runs.

    Raises:
        DataFolderInUseError: somebody else is in it, and stays.
        HalfRestoredError: a restore to it did not end.
    """
    make(data_dir)
    with (data_dir / "lock").open("a") as file:
        until = time.monotonic() + within_s
        while not _try(file.fileno()):
            if time.monotonic() > until:
                raise DataFolderInUseError(
                    f"Another mangadex-server is running on {data_dir}. Stop it, or choose another --data-dir."
                )
            time.sleep(POLL_S)
        yield


@contextmanager
def no_sweep(data_dir: Path) -> Iterator[None]:
    """No blob is removed while the block runs. Waits for what a sweep is just removing."""
    with (data_dir / "sweep.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def sweeping(data_dir: Path) -> Iterator[bool]:
    """Whether blobs may be removed in the block."""
    with (data_dir / "sweep.lock").open("a") as file:
        yield _try(file.fileno())


def make(data_dir: Path) -> None:
    """Make the folder where there is none, for its owner only.

    Raises:
        HalfRestoredError: a restore to it did not end.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (data_dir / RESTORING).exists():
        raise HalfRestoredError(
            f"A restore to {data_dir} did not come to its end. Delete the folder, and restore again."
        )


@contextmanager
def restoring(data_dir: Path) -> Iterator[None]:
    """Nothing else is done with the data folder until the block has ended well, also after a kill in it."""
    mark = data_dir / RESTORING
    mark.touch()
    sync(data_dir)
    yield
    mark.unlink()
    sync(data_dir)


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, safe."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
