"""What the installation of a test stands on.

That is its data folder alone, or, with `pytest --engines=big`, also a database, a prefix in the store of pages and a
number in the store of counters. The same data folder leads to the same ones.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import valkey
from sqlalchemy import Connection, NullPool, create_engine

from mangadex_server import parts
from mangadex_server.migrate import synchronous
from mangadex_server.settings import POSTGRESQL, SQLITE, Settings
from mangadex_server.stores import Blobs

DATABASES, STORE, COUNTERS = "BIG_ENGINES_DATABASES", "BIG_ENGINES_STORE", "BIG_ENGINES_COUNTERS"
"""Variables with the addresses of the engines of a run; they are there with `--engines=big` only."""

TEMPLATE, EMPTY = "migrated", "template0"
BUSY_S = 30.0

_made: dict[Path, str] = {}


def are_big() -> bool:
    """Whether this run is on PostgreSQL, an S3 store and Valkey."""
    return DATABASES in os.environ


def database_url(folder: Path, name: str = "database.sqlite3", *, empty: bool = False) -> str:
    """The database of this name in a folder. On PostgreSQL it has the tables already, unless it shall be empty."""
    if not are_big():
        return f"{SQLITE}:///{folder / name}"
    path = folder / name
    if path not in _made:
        _made[path] = f"of_{_hash(path)}"
        with administration() as connection, contextlib.suppress(psycopg.errors.DuplicateDatabase):
            template = EMPTY if empty else TEMPLATE
            connection.execute(f"CREATE DATABASE {_made[path]} TEMPLATE {template} STRATEGY file_copy")
    return f"{os.environ[DATABASES]}/{_made[path]}"


def drop_databases(folder: Path) -> None:
    """Drop those of a folder and what is in it: hundreds would fill a disk."""
    gone = [path for path in _made if path.is_relative_to(folder)]
    if gone:
        with administration() as connection:
            for path in gone:
                connection.execute(f"DROP DATABASE {_made.pop(path)} WITH (FORCE)")


@contextlib.contextmanager
def administration() -> Iterator[psycopg.Connection]:
    """A connection to PostgreSQL itself."""
    url = os.environ[DATABASES].replace(f"{POSTGRESQL}:", "postgresql:")
    with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
        yield connection


def settings_of(data_dir: Path, **given: Any) -> Settings:
    """Settings of a data folder."""
    return Settings.model_validate({"data_dir": data_dir} | _share(data_dir) | given)


def environment(data_dir: Path) -> dict[str, str]:
    """What a process needs to know about the installation of a data folder."""
    return {f"MANGADEX_SERVER_{name.upper()}": value for name, value in _share(data_dir).items()}


def environment_for(arguments: Sequence[str | Path]) -> dict[str, str]:
    """`environment` for a command line, which may name no data folder."""
    if "--data-dir" not in arguments:
        return {}
    return environment(Path(arguments[list(arguments).index("--data-dir") + 1]))


def blobs_of(data_dir: Path) -> Blobs:
    """The store of pages of an installation."""
    blobs = parts.blobs_of(settings_of(data_dir, durability="normal"))
    blobs.make_folders()
    return blobs


@contextlib.contextmanager
def peek(data_dir: Path) -> Iterator[Connection]:
    """A connection to the database behind the service's back; what is changed holds at once."""
    given = {} if are_big() else {"timeout": BUSY_S}
    url = synchronous(database_url(data_dir))
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=given)
    with engine.connect() as connection:
        yield connection


def _share(data_dir: Path) -> dict[str, str]:
    if not are_big():
        return {}
    return {
        "database_url": database_url(data_dir),
        "blobs_url": f"{os.environ[STORE]}/{_hash(data_dir)}",
        "limits_url": f"{os.environ[COUNTERS]}/{_number(data_dir)}",
    }


@cache
def _number(_data_dir: Path) -> int:
    """The next one of Valkey's databases, which begin anew when all were had."""
    with valkey.Valkey.from_url(os.environ[COUNTERS]) as counters:
        given_out: Any = counters.incr("numbers that were given out")
        there_are: Any = counters.config_get("databases")
    number = 1 + int(given_out) % (int(there_are["databases"]) - 1)
    with valkey.Valkey.from_url(f"{os.environ[COUNTERS]}/{number}") as own:
        own.flushdb()
    return number


def _hash(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:32]
