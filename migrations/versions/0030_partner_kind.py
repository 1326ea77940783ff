"""What kind of house a partner is, where the law says it apart: the MDPH reads nothing without the person's agreement."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("partner", sa.Column("kind", sa.Text(), server_default="other", nullable=False))
    op.execute("UPDATE partner SET kind = 'mdph' WHERE name ~* '\\mmdph\\M' OR client_id ~* '\\mmdph\\M'")
    op.alter_column("partner", "kind", server_default=None)
    op.create_check_constraint(op.f("ck_partner_kind"), "partner", "kind IN ('mdph', 'other')")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_partner_kind"), "partner", type_="check")
    op.drop_column("partner", "kind")
