"""New pages of chapters that are read"""

from alembic import op
import sqlalchemy as sa


revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "new_pages",
        sa.Column("chapter_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("original_file_name", sa.Text(), nullable=False),
        sa.Column("blob", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("mime_type", sa.String(length=16), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chapter_id"], ["chapters.id"], name=op.f("fk_new_pages_chapter_id_chapters"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("chapter_id", "position", name=op.f("pk_new_pages")),
    )
    op.create_index(op.f("ix_new_pages_blob"), "new_pages", ["blob"])
    op.add_column("chapters", sa.Column("edit_broken_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("chapters", "edit_broken_reason")
    op.drop_table("new_pages")
