"""Projet de vie: what a person wants of their life, in their words."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None
TABLE = "life_project"


def upgrade() -> None:
    dossier.create(
        op,
        TABLE,
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("aim", sa.Text(), nullable=True),
        sa.Column("aim_on", sa.Date(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=True),
        sa.Column("said_by_id", sa.Uuid(), nullable=True),
        sa.Column("said_by_kind", sa.Text(), nullable=True),
        sa.Column("said_by_name", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
    )
    op.create_index(op.f(f"ix_{TABLE}_organisation_id_occurred_at_id"), TABLE, ["organisation_id", "occurred_at", "id"])


def downgrade() -> None:
    op.drop_table(TABLE)
