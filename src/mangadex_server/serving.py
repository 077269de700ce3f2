"""Running the application under granian, in a data folder that is ours alone."""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.types import ASGIApp

from mangadex_server.app import create_app
from mangadex_server.migrate import migrate
from mangadex_server.settings import Settings

RESOLVED = "MANGADEX_SERVER_RESOLVED_SETTINGS"
PARENT = "MANGADEX_SERVER_PARENT"
HEADER_TIMEOUT_MS = 10_000
STOP_WITHIN_S = 60  # longer than a body may stall (engines.md 5)
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


class DataFolderInUseError(Exception):
    """Another program serves this data folder."""


@contextmanager
def locked(data_dir: Path) -> Iterator[None]:
    """Make the data folder, and keep others out while the block runs.

    Raises:
        DataFolderInUseError: somebody else is in it.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (data_dir / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataFolderInUseError(
                f"Another mangadex-server is running on {data_dir}. Stop it, or choose another --data-dir."
            ) from None
        yield


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    with locked(settings.data_dir):
        migrate(settings.database)
        os.environ[RESOLVED] = settings.model_dump_json()
        os.environ[PARENT] = str(os.getpid())
        Granian(
            f"{__name__}:application",
            factory=True,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            loop=Loops.uvloop,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS),
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_WITHIN_S,
            log_level=LogLevels.warning,
        ).serve()


def application() -> ASGIApp:
    """The application of a worker process, which ends when its parent does."""
    _end_with_the_parent(int(os.environ[PARENT]))
    settings = Settings.model_validate_json(os.environ[RESOLVED])
    return create_app(settings, lambda: _say_ready(settings))


def _say_ready(settings: Settings) -> None:
    print(f"mangadex-server is ready at http://{settings.host}:{settings.port}", flush=True)  # noqa: T201 - the promise


def _end_with_the_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)
