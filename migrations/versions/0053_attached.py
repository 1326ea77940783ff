"""How a partner names a person is looked for beside each row it sent: not among the names of all their rows."""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None
NAME = "ix_external_id_of_usagers"


def upgrade() -> None:
    op.create_index(NAME, "external_id", ["organisation_id", "usager_id"], postgresql_where=sa.text("kind = 'usager'"))


def downgrade() -> None:
    op.drop_index(NAME, table_name="external_id")
