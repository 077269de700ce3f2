"""The tables. Times are unix seconds as floats; ids are lower-case UUID text, blobs SHA-256 in hexadecimal."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[str]:
    return Column("id", String(36), primary_key=True)


def _times() -> tuple[Column[float], Column[float]]:
    return Column("created_at", Double, nullable=False), Column("updated_at", Double, nullable=False)


def _version() -> Column[int]:
    return Column("version", Integer, nullable=False, server_default="1")


users = Table(
    "users",
    metadata,
    _id(),
    Column("username", String(64), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("roles", JSON, nullable=False),  # a list of role names
    _version(),
    *_times(),
)

clients = Table(
    "clients",
    metadata,
    Column("id", String(80), primary_key=True),  # personal-client-...
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("secret_hash", Text, nullable=False),
    *_times(),
)

refresh_tokens = Table(
    "refresh_tokens",
    metadata,
    _id(),  # the token's jti
    Column("family", String(36), nullable=False, index=True),  # the sign-in that it descends from
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("client_id", ForeignKey("clients.id", ondelete="CASCADE"), nullable=False),
    Column("expires_at", Double, nullable=False, index=True),
    Column("used_at", Double),  # rotated away then
)

manga = Table(
    "manga",
    metadata,
    _id(),
    Column("title", Text, nullable=False),  # the main title
    Column("names", Text, nullable=False, server_default=""),  # all titles, case folded, one a line: for searching
    Column("state", String(16), nullable=False, server_default="published"),
    Column("content_rating", String(16), nullable=False, server_default="safe"),
    Column("attributes", JSON, nullable=False),  # the rest of the wire's attributes
    _version(),
    *_times(),
)

groups = Table(
    "scanlation_groups",
    metadata,
    _id(),
    Column("name", Text, nullable=False),
    Column("names", Text, nullable=False, server_default=""),  # as those of a manga
    Column("locked", Boolean, nullable=False, server_default=text("false")),
    Column("attributes", JSON, nullable=False),
    _version(),
    *_times(),
)

group_members = Table(
    "group_members",
    metadata,
    Column("group_id", ForeignKey("scanlation_groups.id", ondelete="CASCADE"), primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True),
)

sessions = Table(
    "upload_sessions",
    metadata,
    _id(),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("manga_id", ForeignKey("manga.id"), nullable=False),
    Column("chapter_id", ForeignKey("chapters.id", ondelete="CASCADE"), index=True),  # of an edit, or after a commit
    Column("is_edit", Boolean, nullable=False, server_default=text("false")),
    Column("chapter_version", Integer),  # of an edit: what the chapter was at when it began
    Column("state", String(16), nullable=False),  # states.State
    Column("file_count", Integer, nullable=False, server_default="0"),
    Column("byte_count", Integer, nullable=False, server_default="0"),
    _version(),
    *_times(),
    Index(
        "uq_upload_sessions_one_open_per_user",
        "user_id",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_upload_sessions_open_updated_at",
        "updated_at",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)

session_groups = Table(
    "upload_session_groups",
    metadata,
    Column("session_id", ForeignKey("upload_sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("group_id", ForeignKey("scanlation_groups.id"), nullable=False),
)


def _image_columns() -> tuple[Column[str], Column[int], Column[str], Column[int], Column[int]]:
    return (
        Column("blob", String(64), nullable=False, index=True),
        Column("size_bytes", Integer, nullable=False),
        Column("mime_type", String(16), nullable=False),
        Column("width", Integer, nullable=False),
        Column("height", Integer, nullable=False),
    )


files = Table(
    "upload_session_files",
    metadata,
    _id(),
    Column("session_id", ForeignKey("upload_sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("sequence", Integer, nullable=False),  # in the order of arrival
    Column("original_file_name", Text, nullable=False),
    Column("source", String(8), nullable=False),  # local or remote
    *_image_columns(),
)

chapters = Table(
    "chapters",
    metadata,
    _id(),
    Column("manga_id", ForeignKey("manga.id"), nullable=False),
    Column("uploader_id", ForeignKey("users.id"), nullable=False, index=True),
    Column("volume", String(8)),
    Column("chapter", String(8)),
    Column("title", Text),
    Column("language", String(5), nullable=False),
    Column("external_url", Text),
    Column("publish_at", Double),
    Column("readable_at", Double),  # None until the pages are processed
    Column("approved", Boolean, nullable=False),
    Column("broken_reason", Text),  # why processing or a moderator refused its pages
    Column("edit_broken_reason", Text),  # why processing refused new_pages
    Column("page_count", Integer, nullable=False, server_default="0"),  # of processed pages
    Column("hash", String(32), nullable=False),  # the folder of its page addresses
    _version(),
    *_times(),
    Index("ix_chapters_duplicates", "manga_id", "language", "chapter"),
    Index("ix_chapters_created_at", "created_at"),
    Index("ix_chapters_latest", "manga_id", "created_at"),
    Index(  # the lists of moderators
        "ix_chapters_waiting",
        "created_at",
        sqlite_where=text("approved IS false AND broken_reason IS NULL"),
        postgresql_where=text("approved IS false AND broken_reason IS NULL"),
    ),
    Index(
        "ix_chapters_refused",
        "created_at",
        sqlite_where=text("broken_reason IS NOT NULL OR edit_broken_reason IS NOT NULL"),
        postgresql_where=text("broken_reason IS NOT NULL OR edit_broken_reason IS NOT NULL"),
    ),
)

chapter_groups = Table(
    "chapter_groups",
    metadata,
    Column("chapter_id", ForeignKey("chapters.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("group_id", ForeignKey("scanlation_groups.id"), nullable=False, index=True),
)

pages = Table(
    "pages",
    metadata,
    Column("chapter_id", ForeignKey("chapters.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # from 0, in reading order
    Column("original_file_name", Text, nullable=False),
    *_image_columns(),
    Column("saver_blob", String(64), index=True),  # the data-saver variant, once processed
)

new_pages = Table(  # of a chapter that is read, until they are processed
    "new_pages",
    metadata,
    Column("chapter_id", ForeignKey("chapters.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("original_file_name", Text, nullable=False),
    *_image_columns(),
)

jobs = Table(
    "jobs",
    metadata,
    _id(),
    Column("kind", String(32), nullable=False),
    Column("chapter_id", ForeignKey("chapters.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("session_id", ForeignKey("upload_sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("due_at", Double, nullable=False),
    Column("lease_until", Double, nullable=False, server_default="0"),
    Column("owner", String(36)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("failed_reason", Text),  # given up: not claimed any more
    Index(
        "ix_jobs_due_at",
        "due_at",
        sqlite_where=text("failed_reason IS NULL"),
        postgresql_where=text("failed_reason IS NULL"),
    ),
    Index(  # those whose workers were lost
        "ix_jobs_attempts",
        "attempts",
        sqlite_where=text("failed_reason IS NULL"),
        postgresql_where=text("failed_reason IS NULL"),
    ),
)

failed_sign_ins = Table(
    "failed_sign_ins",
    metadata,
    Column("key", String(64), primary_key=True),  # a hash of the name or address
    Column("failures", Integer, nullable=False),
    Column("last_at", Double, nullable=False, index=True),
)

removals = Table(  # of blobs that the sweep takes away, or has lately taken
    "blob_removals",
    metadata,
    Column("blob", String(64), primary_key=True),
    Column("is_done", Boolean, nullable=False, server_default=text("false")),
    Column("marked_at", Double, nullable=False),
)

upkeep = Table(  # what one node does for all of them, now and then
    "upkeep",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("due_at", Double, nullable=False),
)

signing_keys = Table(  # one row, where the nodes of an installation have no folder together
    "signing_keys",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("key", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False),
)
