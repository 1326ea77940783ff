"""A cell of the matrix is narrowed once in a house. Of two rows that said it, the narrower stays: it was the one obeyed."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None
COLUMNS = ["organisation_id", "structure_id", "role", "category", "of_kind"]
AGAIN = """UPDATE narrowing n SET deleted_at = now(), updated_at = now(), version = n.version + 1
    FROM (SELECT organisation_id, id, row_number() OVER (
            PARTITION BY organisation_id, structure_id, role, category, of_kind ORDER BY "to" = 'none' DESC, id) AS nth
        FROM narrowing WHERE deleted_at IS NULL) told
    WHERE told.organisation_id = n.organisation_id AND told.id = n.id AND told.nth > 1"""


def upgrade() -> None:
    op.execute(AGAIN)
    op.create_index(
        "uq_narrowing_cell",
        "narrowing",
        COLUMNS,
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
        postgresql_nulls_not_distinct=True,
    )


def downgrade() -> None:
    op.drop_index("uq_narrowing_cell", table_name="narrowing")
