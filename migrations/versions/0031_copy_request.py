"""Copies of a dossier that were asked for; and each as it was made."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier
from migrations.tenant import secure

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None
WAITS = sa.text("answer IS NULL AND deleted_at IS NULL")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    dossier.create(
        op,
        "copy_request",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("not_before", instant, nullable=True),
        sa.Column("old_before", sa.Date(), nullable=True),
        sa.Column("care_signed_by", sa.Uuid(), nullable=True),
        sa.Column("care_signed_at", instant, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", instant, nullable=True),
        sa.CheckConstraint("part IN ('care', 'old_care', 'rest')", name=op.f("ck_copy_request_part")),
        sa.CheckConstraint("answer IN ('ready', 'by_hand', 'refused')", name=op.f("ck_copy_request_answer")),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_copy_request_answered")),
    )
    once = ["organisation_id", "usager_id", "author_id", "part"]
    op.create_index("uq_copy_request_waiting", "copy_request", once, unique=True, postgresql_where=WAITS)
    op.create_index("ix_copy_request_due", "copy_request", ["organisation_id", "due_on", "id"], postgresql_where=WAITS)
    op.create_table(
        "copy_file",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in ("organisation_id", "request_id", "usager_id")),
        *(sa.Column(name, sa.LargeBinary(), nullable=False) for name in ("page", "data")),
        sa.Column("made_at", instant, nullable=False),
        dossier.link("copy_file", "request_id", "copy_request"),
        sa.PrimaryKeyConstraint("organisation_id", "request_id", name=op.f("pk_copy_file")),
    )
    secure(op, "copy_file", "SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("copy_file")
    op.drop_table("copy_request")
