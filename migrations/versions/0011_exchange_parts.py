"""The journal tells the rows that came with an entry's own; erasing a person erases who was attached to them."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BEFORE = """
    CREATE OR REPLACE FUNCTION forget_exchanges() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE exchange e SET body = NULL, body_key = NULL
        WHERE e.organisation_id = OLD.organisation_id AND e.body IS NOT NULL AND e.id IN (
            SELECT r.exchange_id FROM exchange_row r
            WHERE r.organisation_id = OLD.organisation_id AND r.usager_id = OLD.usager_id);
        {more}
        DELETE FROM external_id x WHERE x.organisation_id = OLD.organisation_id AND x.usager_id = OLD.usager_id;
        RETURN OLD;
    END $$
"""
# Whom a bundle brought in as someone new and the secretary attached to this person: the same human.
ATTACHED = """DELETE FROM usager_key k WHERE k.organisation_id = OLD.organisation_id AND k.usager_id IN (
            SELECT r.row_id FROM exchange_row r
            WHERE r.organisation_id = OLD.organisation_id AND r.usager_id = OLD.usager_id);"""


def upgrade() -> None:
    op.add_column("exchange_row", sa.Column("part", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.execute(BEFORE.format(more=ATTACHED))


def downgrade() -> None:
    op.execute(BEFORE.format(more=""))
    op.drop_column("exchange_row", "part")
