"""Indexes that only large tables need: for cascades, lost jobs, signing out, and the lists of moderators"""

from alembic import op
import sqlalchemy as sa


revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PARTS = (
    ("ix_jobs_attempts", "jobs", "attempts", "failed_reason IS NULL"),
    ("ix_chapters_waiting", "chapters", "created_at", "approved IS false AND broken_reason IS NULL"),
    ("ix_chapters_refused", "chapters", "created_at", "broken_reason IS NOT NULL OR edit_broken_reason IS NOT NULL"),
)
WHOLE = (
    ("ix_upload_sessions_chapter_id", "upload_sessions", "chapter_id"),
    ("ix_jobs_chapter_id", "jobs", "chapter_id"),
    ("ix_jobs_session_id", "jobs", "session_id"),
    ("ix_refresh_tokens_user_id", "refresh_tokens", "user_id"),
)


def upgrade() -> None:
    for name, table, column in WHOLE:
        op.create_index(name, table, [column])
    for name, table, column, part in PARTS:
        op.create_index(name, table, [column], sqlite_where=sa.text(part), postgresql_where=sa.text(part))


def downgrade() -> None:
    for name, table, *_ in (*PARTS, *WHOLE):
        op.drop_index(name, table)
