"""The second factor of an account, its recovery codes, and how each session was proved."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

KINDS = "kind IN ('password', 'totp', 'totp_pending') OR kind ~ '^recovery_[0-9]$'"
FACTORS_OF = """CREATE FUNCTION factors_of(asked uuid) RETURNS TABLE (kind text, secret text, sealed bytea, spent bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT c.kind, c.secret, c.sealed, c.spent FROM account_credential c
        WHERE c.account_id = asked AND c.kind <> 'password' ORDER BY c.kind
    $$"""


def upgrade() -> None:
    op.add_column("session", sa.Column("amr", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False))
    op.add_column("account_credential", sa.Column("sealed", sa.LargeBinary(), nullable=True))
    op.add_column("account_credential", sa.Column("spent", sa.BigInteger(), nullable=True))
    op.alter_column("account_credential", "secret", nullable=True)
    op.drop_constraint("ck_account_credential_kind", "account_credential")
    op.create_check_constraint(op.f("ck_account_credential_kind"), "account_credential", KINDS)
    op.create_check_constraint(
        op.f("ck_account_credential_one_secret"), "account_credential", "num_nonnulls(secret, sealed) = 1"
    )
    op.execute(f"GRANT SELECT (spent), UPDATE (sealed, spent), DELETE ON account_credential TO {APP}")
    op.execute(FACTORS_OF)
    op.execute("REVOKE ALL ON FUNCTION factors_of(uuid) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION factors_of(uuid) TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION factors_of(uuid)")
    op.execute(f"REVOKE DELETE ON account_credential FROM {APP}")
    op.execute("DELETE FROM account_credential WHERE kind <> 'password'")
    op.drop_constraint("ck_account_credential_one_secret", "account_credential")
    op.drop_constraint("ck_account_credential_kind", "account_credential")
    op.create_check_constraint(op.f("ck_account_credential_kind"), "account_credential", "kind = 'password'")
    op.alter_column("account_credential", "secret", nullable=False)
    op.drop_column("account_credential", "spent")
    op.drop_column("account_credential", "sealed")
    op.drop_column("session", "amr")
