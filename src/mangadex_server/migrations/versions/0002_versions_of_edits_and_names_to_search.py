"""Versions of edits, and names to search"""

from typing import Any

from alembic import op
import sqlalchemy as sa


revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NAMED = (("manga", "title", "altTitles"), ("scanlation_groups", "name", "altNames"))


def upgrade() -> None:
    with op.batch_alter_table("upload_sessions") as batch_op:
        batch_op.add_column(sa.Column("chapter_version", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE upload_sessions SET chapter_version ="
        " (SELECT version FROM chapters WHERE chapters.id = upload_sessions.chapter_id)"
        " WHERE is_edit AND state = 'open'"
    )
    op.create_index("ix_chapters_latest", "chapters", ["manga_id", "created_at"])
    for name, column, others in NAMED:
        with op.batch_alter_table(name) as batch_op:
            batch_op.add_column(sa.Column("names", sa.Text(), nullable=False, server_default=""))
        _fill_names(name, column, others)


def downgrade() -> None:
    op.drop_index("ix_chapters_latest", "chapters")
    for name, _column, _others in NAMED:
        with op.batch_alter_table(name) as batch_op:
            batch_op.drop_column("names")
    with op.batch_alter_table("upload_sessions") as batch_op:
        batch_op.drop_column("chapter_version")


def _fill_names(name: str, column: str, others: str) -> None:
    table = sa.table(
        name, sa.column("id"), sa.column(column), sa.column("attributes", sa.JSON), sa.column("names", sa.Text)
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(table)).mappings().all():
        all_names = [row[column], *_texts(row["attributes"].get(others))]
        folded = "\n".join(text.casefold() for text in all_names)
        connection.execute(sa.update(table).where(table.c.id == row["id"]).values(names=folded))


def _texts(given: Any) -> list[str]:
    """The alternative names, plain or by language."""
    texts = []
    for item in given if isinstance(given, list) else []:
        texts += [item] if isinstance(item, str) else list(item.values())
    return [text for text in texts if isinstance(text, str)]
