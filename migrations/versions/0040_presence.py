"""Presences and absences, and what gathers those of one person in one house."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None
OURS = sa.text("origin_partner_id IS NULL AND deleted_at IS NULL")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    dossier.create(op, "presence_schedule", sa.Column("withheld_until", sa.Date(), nullable=True))
    once = ["organisation_id", "usager_id", "structure_id"]
    op.create_index("uq_presence_schedule_once", "presence_schedule", once, unique=True, postgresql_where=OURS)
    dossier.create(
        op,
        "presence",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("schedule_id", sa.Uuid(), nullable=True),
        sa.Column("ends_at", instant, nullable=False),
        sa.Column("absent", sa.Boolean(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=True),
        sa.Column("planned", sa.Boolean(), nullable=True),
        sa.Column("billed", sa.Boolean(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", instant, nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.CheckConstraint("ends_at >= occurred_at", name=op.f("ck_presence_order")),
    )
    indexes = {"schedule_id": ["schedule_id"], "occurred_at_id": ["occurred_at", "id"]}
    for name, columns in indexes.items():
        op.create_index(f"ix_presence_organisation_id_{name}", "presence", ["organisation_id", *columns])
    op.create_index("ix_presence_of_structure", "presence", ["organisation_id", "structure_id", "occurred_at", "id"])


def downgrade() -> None:
    op.drop_table("presence")
    op.drop_table("presence_schedule")
