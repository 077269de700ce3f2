"""Running the application under granian, in a data folder that is ours alone."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops, SSLProtocols
from granian.http import HTTP1Settings
from granian.log import LogLevels
from starlette.types import ASGIApp

from mangadex_server.app import create_app
from mangadex_server.data_folder import POLL_S, locked
from mangadex_server.engine_checks import check_engines
from mangadex_server.listening import check_address, check_certificate
from mangadex_server.migrate import migrate
from mangadex_server.settings import Settings
from mangadex_server.signing_keys import signing_key

RESOLVED = "MANGADEX_SERVER_RESOLVED_SETTINGS"
PARENT = "MANGADEX_SERVER_PARENT"
HEADER_TIMEOUT_MS = 10_000
READ_BYTES = 1 << 20
"""At most, of a body at a time: each piece costs four switches of threads, and granian's own 400 KB give more."""
STOP_WITHIN_S = 60  # longer than a body may stall (engines.md 5)
ARENAS = 2
_ARENA_MAX = -8  # M_ARENA_MAX
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. What would end its worker at once is found before there is one.

    Raises:
        CannotServeError: the address is not free, or the certificate does not do.
        DataFolderInUseError: another one serves the folder.
        KeyFileError: the signing key is damaged.
        EngineError: the database or the store of pages cannot be used.
    """
    with locked(settings.data_dir):
        check_certificate(settings)
        check_address(settings)
        if settings.is_embedded:
            migrate(settings.database)
        check_engines(settings)
        signing_key(settings)
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
            ssl_cert=settings.tls_certificate,
            ssl_key=settings.tls_key,
            ssl_protocol_min=SSLProtocols.tls12,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_TIMEOUT_MS, max_buffer_size=READ_BYTES),
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_WITHIN_S,
            log_level=LogLevels.warning,
        ).serve()


def application() -> ASGIApp:
    """The application of a worker process, which ends when its parent does."""
    _end_with_the_parent(int(os.environ[PARENT]))
    _share_memory_between_threads()
    settings = Settings.model_validate_json(os.environ[RESOLVED])
    announcing: list[asyncio.Task[None]] = []  # the loop itself forgets a task
    return create_app(settings, lambda: announcing.append(asyncio.create_task(_say_ready(settings))))


async def _say_ready(settings: Settings) -> None:
    while not await _listens(settings):  # noqa: ASYNC110 - granian tells nobody; it listens after the application starts
        await asyncio.sleep(POLL_S)
    print(f"mangadex-server is ready at {settings.own_url}", flush=True)  # noqa: T201 - the promise


async def _listens(settings: Settings) -> bool:
    try:
        _, writer = await asyncio.open_connection(settings.host, settings.port)
    except OSError:
        return False
    writer.close()
    return True


def _share_memory_between_threads() -> None:
    """Of glibc's allocator, each thread would keep what it has had; the store's library alone has several."""
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if set_option is not None:  # not every Linux has glibc
        set_option(_ARENA_MAX, ARENAS)


def _end_with_the_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before we asked
        os._exit(1)
