"""The key that signs the tokens of an installation: a file of its data folder, or a row that all nodes share."""

from __future__ import annotations

import os
import secrets
import stat
import time
from pathlib import Path

from sqlalchemy import Connection, create_engine, delete, insert, select
from sqlalchemy.exc import IntegrityError

from mangadex_server.data_folder import sync
from mangadex_server.migrate import synchronous
from mangadex_server.settings import Settings
from mangadex_server.tables import signing_keys

KEY_BYTES = 32
THE_KEY = 1


class KeyFileError(Exception):
    """The signing key cannot be used; the message says what to do."""


def signing_key(settings: Settings) -> bytes:
    """The key of an installation, made where there is none. Blocks.

    Raises:
        KeyFileError: it is damaged, or others can read it.
    """
    return _of_folder(settings.data_dir) if settings.is_embedded else _of_database(settings.database)


def put_signing_key(connection: Connection, key: bytes) -> None:
    """Make this the key of all nodes, in a transaction of the caller's."""
    connection.execute(delete(signing_keys))
    _insert_key(connection, key)


def rotate_signing_key(settings: Settings) -> None:
    """Another key: no token given so far is good any more. Blocks. Servers that run keep the old one."""
    if settings.is_embedded:
        path = settings.data_dir / "signing.key"
        path.unlink(missing_ok=True)
        _make_key(path)
    else:
        engine = create_engine(synchronous(settings.database))
        with engine.begin() as connection:
            put_signing_key(connection, secrets.token_bytes(KEY_BYTES))
        engine.dispose()


def _of_database(url: str) -> bytes:
    engine = create_engine(synchronous(url))
    query = select(signing_keys.c.key).where(signing_keys.c.id == THE_KEY)
    try:
        with engine.begin() as connection:
            key: bytes | None = connection.execute(query).scalar()
        if key is None:
            try:
                with engine.begin() as connection:
                    _insert_key(connection, secrets.token_bytes(KEY_BYTES))
            except IntegrityError:
                pass  # another node was first: its key is read next
            with engine.begin() as connection:
                key = connection.execute(query).scalar_one()
        return key
    finally:
        engine.dispose()


def _insert_key(connection: Connection, key: bytes) -> None:
    row = {"id": THE_KEY, "key": key, "created_at": time.time()}
    connection.execute(insert(signing_keys).values(row))


def _of_folder(data_dir: Path) -> bytes:
    path = data_dir / "signing.key"
    if not path.exists():
        _make_key(path)
    with path.open("rb") as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise KeyFileError(f"Others can use {path}. Run chmod 600 on it, or delete it to sign everybody out.")
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise KeyFileError(f"{path} is damaged. Restore it, or delete it to sign everybody out.")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    arriving = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(descriptor)
        path.hardlink_to(arriving)  # unlike a rename, loses against a key that another process has just made
    except FileExistsError:
        pass
    finally:
        arriving.unlink()
    sync(path.parent)
