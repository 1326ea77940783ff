"""The day on which the notice d'information was read, by card; and the right to note it."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("personal_access", sa.Column("notice_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"GRANT UPDATE (notice_at) ON personal_access TO {APP}")


def downgrade() -> None:
    op.drop_column("personal_access", "notice_at")
