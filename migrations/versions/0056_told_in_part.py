"""A date told in part is searched by all that it covers. `dui exchange remap` reads those already here."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

TABLES = (
    "death", "mobility", "school_period", "life_project", "orientation_request", "orientation_decision", "usager",
)  # fmt: skip


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("told_in_part", JSONB(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "told_in_part")
