"""A row found by the name that whichever partner gave it, for the team who asks by that name."""

from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None
NAME = "ix_external_id_organisation_id_fingerprint"


def upgrade() -> None:
    op.create_index(op.f(NAME), "external_id", ["organisation_id", "fingerprint"])


def downgrade() -> None:
    op.drop_index(op.f(NAME), table_name="external_id")
