"""Fills a migrated PostgreSQL database as years of uploads would, for `scale.py` and for the test of query plans.

Ids and hashes are those of a counter, so they are spread as real ones are, and every row can be named from outside.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import LiteralString
from uuid import UUID

import psycopg
from psycopg import sql

MANGA, GROUPS = 1_000, 500
UPLOADERS = 16
"""Users without a session, `uploader-1` and so on; those after them have one each."""

HEAVY = ("upload_session_files", "upload_sessions", "chapters", "pages")
"""Random keys take long to be put into an index one by one, so these get theirs afterwards."""

FUNCTIONS: LiteralString = """
CREATE FUNCTION pg_temp.id(text, bigint) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT md5($1 || '-' || $2::text)::uuid::text $$;
CREATE FUNCTION pg_temp.blob(text, bigint) RETURNS text IMMUTABLE LANGUAGE sql
    AS $$ SELECT encode(sha256(($1 || '-' || $2::text)::bytea), 'hex') $$;
CREATE FUNCTION pg_temp.lately() RETURNS double precision LANGUAGE sql  -- within the week that an open session lives
    AS $$ SELECT extract(epoch FROM now())::double precision - random() * 500000 $$;
"""

ROWS: tuple[LiteralString, ...] = (
    """
    INSERT INTO manga (id, title, attributes, created_at, updated_at)
    SELECT pg_temp.id('manga', n), 'Manga ' || n, '{{}}', pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {manga}) n
    """,
    """
    INSERT INTO scanlation_groups (id, name, attributes, created_at, updated_at)
    SELECT pg_temp.id('group', n), 'Group ' || n, '{{}}', pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {groups}) n
    """,
    """
    INSERT INTO users (id, username, password_hash, roles, created_at, updated_at)
    SELECT pg_temp.id('user', n), 'uploader-' || n, 'none', '["ROLE_MEMBER"]', pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {users}) n
    """,
    """
    INSERT INTO clients (id, user_id, secret_hash, created_at, updated_at)
    SELECT 'personal-client-' || n, pg_temp.id('user', n), 'none', pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {users}) n
    """,
    """
    INSERT INTO refresh_tokens (id, family, user_id, client_id, expires_at)
    SELECT pg_temp.id('token', n), pg_temp.id('family', n), pg_temp.id('user', n), 'personal-client-' || n,
        extract(epoch FROM now()) + 2000000 * random()
    FROM generate_series(1, {users}) n
    """,
    """
    INSERT INTO chapters (id, manga_id, uploader_id, chapter, language, readable_at, approved, broken_reason,
        page_count, hash, created_at, updated_at)
    SELECT pg_temp.id('chapter', n), pg_temp.id('manga', 1 + n % {manga}), pg_temp.id('user', 1 + n % {users}),
        (n / {manga})::text, CASE n % 3 WHEN 0 THEN 'en' WHEN 1 THEN 'fr' ELSE 'pt-br' END, pg_temp.lately(),
        n % 2000 <> 0, CASE n % 3000 WHEN 0 THEN 'page 1: it cannot be decoded' END, {pages_each},
        md5('hash-' || n), pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {chapters}) n
    """,
    """
    INSERT INTO chapter_groups (chapter_id, position, group_id)
    SELECT pg_temp.id('chapter', n), 0, pg_temp.id('group', 1 + n % {groups}) FROM generate_series(1, {chapters}) n
    """,
    """
    INSERT INTO pages (chapter_id, position, original_file_name, blob, size_bytes, mime_type, width, height, saver_blob)
    SELECT pg_temp.id('chapter', 1 + (n - 1) / {pages_each}), (n - 1) % {pages_each}, n || '.png',
        pg_temp.blob('page', n), 800000, 'image/png', 1400, 2000, pg_temp.blob('saver', n)
    FROM generate_series(1, {pages_each}::bigint * {chapters}) n
    """,
    """
    INSERT INTO upload_sessions (id, user_id, manga_id, chapter_id, state, created_at, updated_at)
    SELECT pg_temp.id('ended', n), pg_temp.id('user', 1 + n % {users}), pg_temp.id('manga', 1 + n % {manga}),
        CASE WHEN n <= {chapters} THEN pg_temp.id('chapter', n) END,
        CASE WHEN n <= {chapters} THEN 'processed' ELSE 'deleted' END, pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {ended}) n
    """,
    """
    INSERT INTO upload_sessions (id, user_id, manga_id, state, file_count, byte_count, created_at, updated_at)
    SELECT pg_temp.id('open', n), pg_temp.id('user', {uploaders} + n), pg_temp.id('manga', 1 + n % {manga}), 'open',
        {files_each}, {files_each} * 800000, pg_temp.lately(), pg_temp.lately()
    FROM generate_series(1, {open}) n
    """,
    """
    INSERT INTO upload_session_groups (session_id, position, group_id)
    SELECT pg_temp.id('open', n), 0, pg_temp.id('group', 1 + n % {groups}) FROM generate_series(1, {open}) n
    """,
    """
    INSERT INTO upload_session_files (id, session_id, sequence, original_file_name, source, blob, size_bytes, mime_type,
        width, height)
    SELECT pg_temp.id('file', n), pg_temp.id('open', 1 + (n - 1) / {files_each}), 1 + (n - 1) % {files_each},
        n || '.png', 'local', pg_temp.blob('file', n), 800000, 'image/png', 1400, 2000
    FROM generate_series(1, {files_each}::bigint * {open}) n
    """,
    """
    INSERT INTO jobs (id, kind, chapter_id, session_id, due_at)
    SELECT pg_temp.id('job', n), 'process_chapter', pg_temp.id('chapter', n), pg_temp.id('ended', n), pg_temp.lately()
    FROM generate_series(1, {jobs}) n
    """,
)


@dataclass(frozen=True, slots=True)
class Size:
    """How many rows. A fifth of the sessions is open and has all the files; the others were committed or given up."""

    sessions: int
    files: int
    chapters: int
    pages: int
    jobs: int = 0

    @property
    def open_sessions(self) -> int:
        """Each of a user of its own."""
        return self.sessions // 5


def row_id(kind: str, number: int) -> str:
    """Of a `user`, `manga`, `group`, `open` or `ended` session, `chapter`, `file`, `token` or `job`, from 1 on."""
    return str(UUID(hashlib.md5(f"{kind}-{number}".encode()).hexdigest()))


def blob(kind: str, number: int) -> str:
    """The digest of a `file`, a `page` or its `saver`, from 1 on."""
    return hashlib.sha256(f"{kind}-{number}".encode()).hexdigest()


def fill(url: str, size: Size) -> None:
    """Fill the empty tables, then make indexes and statistics; `url` is libpq's, of a user who may do everything."""
    numbers = {
        "manga": MANGA,
        "groups": GROUPS,
        "uploaders": UPLOADERS,
        "users": size.open_sessions + UPLOADERS,
        "chapters": size.chapters,
        "pages_each": size.pages // size.chapters,
        "ended": size.sessions - size.open_sessions,
        "open": size.open_sessions,
        "files_each": size.files // size.open_sessions,
        "jobs": size.jobs,
    }
    with psycopg.connect(url, autocommit=True) as on:
        on.execute("SET session_replication_role = replica")  # no foreign keys: what the rows refer to is there
        on.execute("SET synchronous_commit = off")
        on.execute("SET maintenance_work_mem = '1GB'")
        on.execute(FUNCTIONS)
        indexes = _drop_indexes(on)
        for statement in ROWS:
            on.execute(sql.SQL(statement).format(**numbers))
        for index in indexes:
            on.execute(index)
        on.execute("VACUUM (ANALYZE)")


def _drop_indexes(on: psycopg.Connection) -> list[sql.SQL]:
    """Returns the statements that make them again."""
    keys = on.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'p' AND conrelid::regclass::text = 'upload_session_files'"
    )
    again = []
    for table, name, definition in keys.fetchall():
        on.execute(_as_it_is(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
        again.append(_as_it_is(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}"))
    others = on.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT LIKE 'pk_%%'",
        [list(HEAVY)],
    )
    for name, definition in others.fetchall():
        on.execute(_as_it_is(f"DROP INDEX {name}"))
        again.append(_as_it_is(definition))
    return again


def _as_it_is(statement: str) -> sql.SQL:
    return sql.SQL(statement)  # of names of our own schema, from the catalog
