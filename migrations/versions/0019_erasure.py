"""Whom a house erases: proposed, signed, erased, with the certificate that stays."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import secure

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "erasure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("copy", sa.Text(), nullable=True),
        sa.Column("signed_by", sa.Uuid(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.Date(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why_stopped", sa.Text(), nullable=True),
        sa.Column("certificate", sa.Text(), nullable=True),
        sa.CheckConstraint("copy IN ('given', 'refused', 'unreachable')", name=op.f("ck_erasure_copy")),
        sa.CheckConstraint(
            "state <> 'erased' OR (certificate IS NOT NULL AND signed_by IS NOT NULL)", name=op.f("ck_erasure_proven")
        ),
        sa.CheckConstraint("state IN ('proposed', 'signed', 'stopped', 'erased')", name=op.f("ck_erasure_state")),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_erasure")),
    )
    op.create_index(
        "uq_erasure_open",
        "erasure",
        ["organisation_id", "usager_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('proposed', 'signed')"),
    )
    secure(op, "erasure", "SELECT")


def downgrade() -> None:
    op.drop_table("erasure")
