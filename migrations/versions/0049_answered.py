"""What each entry of a bundle was answered: null of those before, which were all 201, and of what we sent."""

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exchange_row", sa.Column("answered", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("exchange_row", "answered")
