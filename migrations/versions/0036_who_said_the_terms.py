"""Who said the terms of a decision, and of its consigne, as they stand: another confirms them."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None
TABLES = ("judicial_decision", "consigne")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("entered_by", sa.Uuid(), nullable=True))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "entered_by")
