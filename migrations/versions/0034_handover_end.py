"""Until when a partner reads what was handed over to it, and who stopped it before."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None
COLUMNS = ("ends_at", "stopped_at", "stopped_by")


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    for name, kind in zip(COLUMNS, (moment, moment, sa.Uuid()), strict=True):
        op.add_column("handover", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("handover", name)
