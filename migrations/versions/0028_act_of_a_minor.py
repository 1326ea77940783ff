"""A question about a minor says which act it is: usuel (one parent), non usuel (both), gardien (who has their keeping)."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sharing_consent", sa.Column("act", sa.Text(), server_default="usuel", nullable=False))
    op.execute("UPDATE sharing_consent SET act = 'non_usuel' WHERE both_parents")
    op.alter_column("sharing_consent", "act", server_default=None)
    op.create_check_constraint(
        op.f("ck_sharing_consent_act"), "sharing_consent", "act IN ('usuel', 'non_usuel', 'gardien')"
    )
    op.drop_column("sharing_consent", "both_parents")


def downgrade() -> None:
    op.add_column("sharing_consent", sa.Column("both_parents", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE sharing_consent SET both_parents = true WHERE act <> 'usuel'")
    op.alter_column("sharing_consent", "both_parents", server_default=None)
    op.drop_constraint(op.f("ck_sharing_consent_act"), "sharing_consent", type_="check")
    op.drop_column("sharing_consent", "act")
