"""Personne de confiance: the two signatures that designate, and where the paper is (CSP L1111-6)."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
COLUMNS = ("trusted_signed_on", "trusted_accepted_on", "trusted_document")


def upgrade() -> None:
    for name, kind in zip(COLUMNS, (sa.Date(), sa.Date(), sa.Text()), strict=True):
        op.add_column("contact", sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("contact", name)
