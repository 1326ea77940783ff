"""Meals."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dossier.create(
        op,
        "meal",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("type_code", sa.Text(), nullable=False),
        sa.Column("present", sa.Boolean(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
    )
    op.create_index("ix_meal_organisation_id_occurred_at_id", "meal", ["organisation_id", "occurred_at", "id"])
    op.create_index("ix_meal_of_structure", "meal", ["organisation_id", "structure_id", "occurred_at", "id"])


def downgrade() -> None:
    op.drop_table("meal")
