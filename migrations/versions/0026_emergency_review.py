"""What was thought of an emergency access once it was over."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None
COLUMNS = ("reviewed_at", "reviewed_by", "review")


def upgrade() -> None:
    for name, kind in zip(COLUMNS, (sa.DateTime(timezone=True), sa.Uuid(), sa.Text()), strict=True):
        op.add_column("emergency_access", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("emergency_access", name)
