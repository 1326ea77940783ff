"""Where a partner publishes its keys, when they were read, and when the address was last asked."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ANSWER = """organisation_id uuid, partner_id uuid, jwks jsonb, {}scopes text[], default_structure_id uuid,
        structure_ids uuid[]"""
CLIENT_OF = """CREATE FUNCTION client_of(asked text) RETURNS TABLE ({})
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT p.organisation_id, p.id, p.jwks, {}p.scopes, p.default_structure_id,
               ARRAY(SELECT s.structure_id FROM partner_structure s
                     WHERE s.organisation_id = p.organisation_id AND s.partner_id = p.id)
        FROM partner p WHERE p.client_id = asked AND p.disabled_at IS NULL
    $$"""


def _answering(types: str, columns: str) -> None:
    op.execute("DROP FUNCTION client_of(text)")
    op.execute(CLIENT_OF.format(ANSWER.format(types), columns))
    op.execute("REVOKE ALL ON FUNCTION client_of(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION client_of(text) TO {APP}")


def upgrade() -> None:
    op.add_column("partner", sa.Column("jwks_url", sa.Text(), nullable=True))
    op.add_column("partner", sa.Column("jwks_read_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("partner", sa.Column("jwks_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(f"GRANT UPDATE (jwks_read_at, jwks_asked_at) ON partner TO {APP}")
    _answering("jwks_url text, jwks_read_at timestamptz, ", "p.jwks_url, p.jwks_read_at, ")


def downgrade() -> None:
    _answering("", "")
    for name in ("jwks_asked_at", "jwks_read_at", "jwks_url"):
        op.drop_column("partner", name)
