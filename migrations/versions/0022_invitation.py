"""Invitations: a link, good once and a week, by which someone hired opens their own account."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import APP, secure

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INVITATION_OF = """CREATE FUNCTION invitation_of(asked bytea) RETURNS TABLE
        (organisation_id uuid, invitation_id uuid, professional_id uuid, invited_by uuid, name text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
        SELECT i.organisation_id, i.id, i.professional_id, i.invited_by, concat_ws(' ', p.given_name, p.family_name)
        FROM invitation i
        JOIN professional p ON p.organisation_id = i.organisation_id AND p.id = i.professional_id
        WHERE i.token_hash = asked AND i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
          AND p.deleted_at IS NULL AND p.account_id IS NULL
    $$"""


def upgrade() -> None:
    op.create_table(
        "invitation",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("invited_by", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "professional_id"],
            ["professional.organisation_id", "professional.id"],
            name=op.f("fk_invitation_organisation_id_professional_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitation_token_hash")),
    )
    op.create_index("ix_invitation_professional", "invitation", ["organisation_id", "professional_id"], unique=False)
    secure(op, "invitation", "SELECT, INSERT, UPDATE (used_at, revoked_at)")
    op.execute(INVITATION_OF)
    op.execute("REVOKE ALL ON FUNCTION invitation_of(bytea) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION invitation_of(bytea) TO {APP}")


def downgrade() -> None:
    op.execute("DROP FUNCTION invitation_of(bytea)")
    op.drop_table("invitation")
