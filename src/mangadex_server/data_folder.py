"""Who may do what in the data folder, among processes. A lock ends with the process that has it, also by a kill."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DEAD_WITHIN_S = 1.0
"""For so long a server that was killed may still seem to be there."""

POLL_S = 0.02


class DataFolderInUseError(Exception):
    """Another program serves this data folder."""


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Make the data folder, and keep other servers out while the block runs.

    Raises:
        DataFolderInUseError: somebody else is in it.
    """
    make(data_dir)
    with (data_dir / "lock").open("a") as file:
        until = time.monotonic() + DEAD_WITHIN_S
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
    """Make the folder where there is none, for its owner only."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


def _try(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
