"""Alerts: texts sealed, read by who wrote them, the direction and those they name."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dossier.create(
        op,
        "alert",
        sa.Column("nature", sa.Text(), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("representatives_told_on", sa.Date(), nullable=True),
        sa.Column("representatives_not_told_why", sa.LargeBinary(), nullable=True),
        sa.Column("sent_to", sa.Text(), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "representatives_told_on IS NULL OR representatives_not_told_why IS NULL", name=op.f("ck_alert_told_or_not")
        ),
        sa.CheckConstraint("(sent_to IS NULL) = (sent_on IS NULL)", name=op.f("ck_alert_sent")),
    )


def downgrade() -> None:
    op.drop_table("alert")
