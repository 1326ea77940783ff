"""The first answer to a bundle is given again to the instant, of what stood before it came too."""

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_row", sa.Column("stood_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("exchange_row", "stood_at")
