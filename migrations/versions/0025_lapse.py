"""The day a minor comes of age, what parents allowed lapses: its own column, so that the person may answer it again."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sharing_consent", sa.Column("lapses_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("sharing_consent", "lapses_on")
