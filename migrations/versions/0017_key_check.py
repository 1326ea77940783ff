"""What proves at each start that the key file is the one of this base."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP, share

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

WRAPPED = """CREATE FUNCTION a_wrapped_key() RETURNS TABLE (usager_id uuid, wrapped bytea)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT usager_id, wrapped FROM usager_key LIMIT 1
    $$"""


def upgrade() -> None:
    op.create_table(
        "key_check",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_key_check_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_check")),
    )
    share(op, "key_check", "SELECT, INSERT")
    op.execute(WRAPPED)
    op.execute("REVOKE ALL ON FUNCTION a_wrapped_key() FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION a_wrapped_key() TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION a_wrapped_key()")
    op.drop_table("key_check")
