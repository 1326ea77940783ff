"""A copy asked for aloud, by telephone or by letter: who wrote it down, how and when it was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None
TABLE, WHOLE = "copy_request", "num_nonnulls(entered_by, asked_how, asked_at) IN (0, 3)"


def upgrade() -> None:
    op.add_column(TABLE, sa.Column("entered_by", sa.Uuid(), nullable=True))
    op.add_column(TABLE, sa.Column("asked_how", sa.Text(), nullable=True))
    op.add_column(TABLE, sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(op.f("ck_copy_request_entered"), TABLE, WHOLE)
    op.create_check_constraint(
        op.f("ck_copy_request_asked_how"), TABLE, "asked_how IN ('oral', 'phone', 'letter', 'email')"
    )


def downgrade() -> None:
    for column in ("asked_at", "asked_how", "entered_by"):
        op.drop_column(TABLE, column)
