"""Staff entering by an identity provider: whose identity it is, and which session of the provider opened ours."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

KINDS = "kind IN ('password', {}'totp', 'totp_pending') OR kind ~ '^recovery_[0-9]$'"
FACTORS_OF = """CREATE OR REPLACE FUNCTION factors_of(asked uuid)
    RETURNS TABLE (kind text, secret text, sealed bytea, spent bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT c.kind, c.secret, c.sealed, c.spent FROM account_credential c
        WHERE c.account_id = asked AND c.kind NOT IN ('password'{}) ORDER BY c.kind
    $$"""
ACCOUNT_OF = """CREATE FUNCTION account_of_identity(asked text) RETURNS TABLE (account_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT a.id FROM account_credential c JOIN account a ON a.id = c.account_id
        WHERE c.kind = 'oidc' AND c.secret = asked AND a.disabled_at IS NULL
    $$"""


def upgrade() -> None:
    op.drop_constraint("ck_account_credential_kind", "account_credential")
    op.create_check_constraint(op.f("ck_account_credential_kind"), "account_credential", KINDS.format("'oidc', "))
    op.create_index(
        "uq_account_credential_identity",
        "account_credential",
        ["secret"],
        unique=True,
        postgresql_where=sa.text("kind = 'oidc'"),
    )
    op.add_column("session", sa.Column("provider_session", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_session_provider",
        "session",
        ["provider_session"],
        postgresql_where=sa.text("provider_session IS NOT NULL"),
    )
    op.execute(FACTORS_OF.format(", 'oidc'"))
    op.execute(ACCOUNT_OF)
    op.execute("REVOKE ALL ON FUNCTION account_of_identity(text) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION account_of_identity(text) TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION account_of_identity(text)")
    op.execute(FACTORS_OF.format(""))
    op.drop_index("ix_session_provider", table_name="session")
    op.drop_column("session", "provider_session")
    op.execute("DELETE FROM account_credential WHERE kind = 'oidc'")
    op.drop_index("uq_account_credential_identity", table_name="account_credential")
    op.drop_constraint("ck_account_credential_kind", "account_credential")
    op.create_check_constraint(op.f("ck_account_credential_kind"), "account_credential", KINDS.format(""))
