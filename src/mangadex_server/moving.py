"""Taking an installation to other engines: the pages, then the rows in one transaction, everything compared.

A move that was cut off is begun again with the same command: pages that arrived are not sent twice, and rows are there
as a whole or not at all. The old installation is only read.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, func, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from mangadex_server.data_folder import locked
from mangadex_server.migrate import is_current, synchronous
from mangadex_server.settings import Settings
from mangadex_server.settings_report import without_secrets
from mangadex_server.signing_keys import put_signing_key, signing_key
from mangadex_server.stores import Blobs
from mangadex_server.tables import (
    failed_sign_ins,
    files,
    metadata,
    new_pages,
    pages,
    removals,
    signing_keys,
    upkeep,
    users,
)

AT_ONCE = 8
"""Pages on their way."""

ROWS = 1_000
STAYS = {failed_sign_ins.name, removals.name, signing_keys.name, upkeep.name}
"""Tables that are about an installation itself."""

SAVER_TYPE = "image/jpeg"

Tell = Callable[[str], None]


class MoveError(Exception):
    """Nothing was moved; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What came over. `lost` are digests of pages of which the old installation has no good bytes."""

    rows: int
    blobs: int
    sent: int
    lost: list[str]


def move(source: Settings, target: Settings, blobs_of: Callable[[Settings], Blobs], tell: Tell) -> Moved:
    """Copy an installation with SQLite into an empty one; no server or worker may be running on either. Blocks.

    Raises:
        MoveError: the target has something, or what arrived there is not what was sent.
        DataFolderInUseError: a server runs on the old one.
    """
    if not source.is_embedded or target.is_embedded:
        raise MoveError("A move is from a data folder to PostgreSQL. Name it as database_url in the file of --to.")
    if not (make_url(source.database).database and Path(str(make_url(source.database).database)).exists()):
        raise MoveError(f"There is no installation in {source.data_dir}. Name its folder with --data-dir.")
    old, new = _read_only(source.database), create_engine(synchronous(target.database))
    try:
        if not is_current(source.database):
            where = source.data_dir
            raise MoveError(f"The database in {where} is not of this version. Run `mangadex-server migrate` on it.")
        with locked(source.data_dir):
            key = signing_key(source)
            _refuse_unless_empty(new)
            with old.connect() as read:
                version = _data_version(read)
                blobs, sent, lost = asyncio.run(_move_blobs(read, blobs_of(source), blobs_of(target), tell))
                with new.begin() as written:
                    rows = _move_rows(read, written, tell)
                    put_signing_key(written, key)
                    if _data_version(read) != version:
                        raise MoveError("The old installation was changed meanwhile. Stop its workers, and move again.")
    finally:
        old.dispose()
        new.dispose()
    return Moved(rows, blobs, sent, lost)


def _read_only(url: str) -> Engine:
    return create_engine(synchronous(url), connect_args={"timeout": 60})


def _data_version(connection: Connection) -> int:
    """Changes when another connection has changed the database."""
    version: int = connection.execute(text("PRAGMA data_version")).scalar_one()
    return version


def _refuse_unless_empty(engine: Engine) -> None:
    with engine.connect() as connection:
        if connection.execute(select(func.count()).select_from(users)).scalar_one():
            where = without_secrets(engine.url.render_as_string(hide_password=False))
            raise MoveError(f"The database {where} has accounts already. Move into an empty one.")


def _move_rows(old: Connection, new: Connection, tell: Tell) -> int:
    total = 0
    for table in metadata.sorted_tables:
        if table.name in STAYS:
            continue
        sent = hashlib.sha256()
        count = 0
        for rows in _batches(old, table):
            try:
                new.execute(insert(table), rows)
            except DBAPIError as error:
                reason = str(error.orig).strip().partition("\n")[0].rstrip(".")
                raise MoveError(f"A row of {table.name} is not taken: {reason}. Mend it, and move again.") from error
            count += len(rows)
            _add(sent, rows)
        arrived = hashlib.sha256()
        for rows in _batches(new, table):
            _add(arrived, rows)
        if arrived.digest() != sent.digest():
            raise MoveError(f"The rows of {table.name} did not arrive as they were sent. Nothing was kept; move again.")
        tell(f"{table.name}: {count} rows, compared")
        total += count
    return total


def _batches(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """In the order of the key's characters, which does not depend on a language."""
    in_order = select(table).order_by(*table.primary_key.columns)
    found = connection.execute(in_order, execution_options={"yield_per": ROWS})
    for rows in found.mappings().partitions():
        yield [dict(row) for row in rows]


def _add(digest: hashlib._Hash, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        digest.update(json.dumps(row, sort_keys=True, ensure_ascii=False).encode())


async def _move_blobs(connection: Connection, old: Blobs, new: Blobs, tell: Tell) -> tuple[int, int, list[str]]:
    await asyncio.to_thread(new.prepare)
    present = {blob.digest for blob in await asyncio.to_thread(lambda: list(new.all()))}
    done, sent, lost = 0, 0, list[str]()
    async for digest, outcome in _each(connection, lambda blob, kind: _move_blob(old, new, blob, kind, present)):
        done += outcome != "lost"
        sent += outcome == "sent"
        if outcome == "lost":
            lost.append(digest)
        if (done + len(lost)) % ROWS == 0:
            tell(f"{done} pages compared, {sent} of them sent now")
    return done, sent, lost


async def _each(connection: Connection, move_blob: Callable[[str, str], Any]) -> AsyncIterator[tuple[str, str]]:
    """Some at a time."""
    waiting: dict[asyncio.Task[str], str] = {}
    for digest, mime_type in _digests(connection):
        waiting[asyncio.create_task(move_blob(digest, mime_type))] = digest
        if len(waiting) == AT_ONCE:
            for task in (await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED))[0]:
                yield waiting.pop(task), task.result()
    for task, digest in waiting.items():
        yield digest, await task


async def _move_blob(old: Blobs, new: Blobs, digest: str, mime_type: str, present: set[str]) -> str:
    if digest in present and _digest_of(await new.read(digest)) == digest:
        return "there"
    try:
        data = await old.read(digest)
    except FileNotFoundError:
        return "lost"
    if _digest_of(data) != digest:
        return "lost"
    await new.write(data, mime_type)
    if _digest_of(await new.read(digest)) != digest:
        raise MoveError(f"The page {digest} did not arrive as it was sent. Look at the store, and move again.")
    return "sent"


def _digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digests(connection: Connection) -> Iterator[tuple[str, str]]:
    """Every page that a row names, with its type."""
    uses = [select(table.c.blob, table.c.mime_type) for table in (files, new_pages, pages)]
    savers = select(pages.c.saver_blob, text(f"'{SAVER_TYPE}'")).where(pages.c.saver_blob.is_not(None))
    rows = connection.execute(uses[0].union(*uses[1:], savers)).all()
    yield from dict(tuple(row) for row in rows).items()
