"""Who may knock: accounts, sessions, what limits guessing; partners and personal accesses; the questions asked
before a tenant is known, each a function of the owner that answers one row and no more."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.tenant import APP, secure, share

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

AS_OWNER = "LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp"
QUESTIONS = {  # what is asked: what is answered, and how
    "credential_of(asked text)": (
        "account_id uuid, secret text",
        """
        SELECT a.id, c.secret FROM account a JOIN account_credential c ON c.account_id = a.id
        WHERE lower(a.login) = lower(asked) AND c.kind = 'password' AND a.disabled_at IS NULL
        """,
    ),
    "places_of(asked uuid)": (
        "organisation_id uuid, professional_id uuid, membership_id uuid, role text",
        """
        SELECT m.organisation_id, m.professional_id, m.id, m.role
        FROM professional p
        JOIN account a ON a.id = p.account_id
        JOIN membership m ON m.organisation_id = p.organisation_id AND m.professional_id = p.id,
        LATERAL (SELECT (now() AT TIME ZONE 'Europe/Paris')::date AS day) today
        WHERE p.account_id = asked AND a.disabled_at IS NULL
          AND p.deleted_at IS NULL AND m.deleted_at IS NULL
          AND m.starts <= today.day AND (m.ends > today.day OR m.ends IS NULL)
        ORDER BY m.id
        """,
    ),
    "client_of(asked text)": (
        """organisation_id uuid, partner_id uuid, jwks jsonb, scopes text[], default_structure_id uuid,
        structure_ids uuid[]""",
        """
        SELECT p.organisation_id, p.id, p.jwks, p.scopes, p.default_structure_id,
               ARRAY(SELECT s.structure_id FROM partner_structure s
                     WHERE s.organisation_id = p.organisation_id AND s.partner_id = p.id)
        FROM partner p WHERE p.client_id = asked AND p.disabled_at IS NULL
        """,
    ),
    "access_of(asked bytea)": (
        """organisation_id uuid, access_id uuid, usager_id uuid, contact_id uuid, code_hash bytea, own_device boolean,
        ends timestamptz""",
        """
        SELECT a.organisation_id, a.id, a.usager_id, a.contact_id, a.code_hash, a.own_device, a.ends
        FROM personal_access a
        WHERE a.token_hash = asked AND a.revoked_at IS NULL
          AND a.starts <= now() AND (a.ends > now() OR a.ends IS NULL)
        """,
    ),
}


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_index("uq_account_login", "account", [sa.literal_column("lower(login)")], unique=True)
    op.create_table(
        "code_attempt",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("window_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_code_attempt")),
    )
    op.create_index("ix_code_attempt_window", "code_attempt", ["window_start"], unique=False)
    op.create_table(
        "jti_seen",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("jti_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "jti_hash", name=op.f("pk_jti_seen")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("access_id", sa.Uuid(), nullable=True),
        sa.Column("opaque_hash", sa.LargeBinary(), nullable=True),
        sa.Column("family_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("door IN ('api', 'me', 'page', 'fhir')", name=op.f("ck_session_door")),
        sa.CheckConstraint("kind IN ('staff', 'usager', 'representative', 'partner')", name=op.f("ck_session_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("opaque_hash", name=op.f("uq_session_opaque_hash")),
    )
    op.create_index("ix_session_access", "session", ["access_id"], unique=False)
    op.create_index("ix_session_account", "session", ["account_id"], unique=False)
    op.create_index("ix_session_expires", "session", ["expires_at"], unique=False)
    op.create_index("ix_session_subject", "session", ["organisation_id", "subject_id"], unique=False)
    op.create_table(
        "account_credential",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind = 'password'", name=op.f("ck_account_credential_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_credential_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", name=op.f("pk_account_credential")),
    )
    op.create_table(
        "refresh_family",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("current_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_hashes", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_refresh_family_session_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refresh_family")),
        sa.UniqueConstraint("session_id", name=op.f("uq_refresh_family_session_id")),
    )
    op.create_table(
        "partner",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("jwks", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("default_structure_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "default_structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_partner_organisation_id_default_structure_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_partner")),
        sa.UniqueConstraint("client_id", name=op.f("uq_partner_client_id")),
    )
    op.create_table(
        "partner_structure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "partner_id"],
            ["partner.organisation_id", "partner.id"],
            name=op.f("fk_partner_structure_organisation_id_partner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_partner_structure_organisation_id_structure_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "partner_id", "structure_id", name=op.f("pk_partner_structure")),
    )
    op.create_table(
        "personal_access",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("own_device", sa.Boolean(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=True),
        sa.Column("starts", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_personal_access_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_personal_access")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_personal_access_token_hash")),
    )
    op.create_index("ix_personal_access_usager", "personal_access", ["organisation_id", "usager_id"], unique=False)
    share(op, "account", "SELECT, INSERT, UPDATE (login, name, disabled_at)")
    share(op, "account_credential", "SELECT (account_id, kind), INSERT, UPDATE (secret, changed_at)")
    share(op, "session", "SELECT, INSERT, UPDATE (expires_at, revoked_at), DELETE")
    share(op, "refresh_family", "SELECT, INSERT, UPDATE (current_hash, used_hashes, revoked_at), DELETE")
    share(op, "jti_seen", "SELECT, INSERT, DELETE")
    share(op, "code_attempt", "SELECT, INSERT, UPDATE (window_start, count), DELETE")
    secure(op, "partner", "SELECT, INSERT, UPDATE (name, jwks, scopes, default_structure_id, disabled_at)")
    secure(op, "partner_structure", "SELECT, INSERT, DELETE")
    secure(op, "personal_access", "SELECT, INSERT, UPDATE (ends, own_device, revoked_at)")
    for name, (answer, body) in QUESTIONS.items():
        op.execute(f"CREATE FUNCTION {name} RETURNS TABLE ({answer}) {AS_OWNER} AS $${body}$$")
        op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO {APP}")


def downgrade() -> None:
    for name in QUESTIONS:
        op.execute(f"DROP FUNCTION {name}")
    op.drop_index("ix_personal_access_usager", table_name="personal_access")
    op.drop_table("personal_access")
    op.drop_table("partner_structure")
    op.drop_table("partner")
    op.drop_table("refresh_family")
    op.drop_table("account_credential")
    op.drop_index("ix_session_subject", table_name="session")
    op.drop_index("ix_session_expires", table_name="session")
    op.drop_index("ix_session_account", table_name="session")
    op.drop_index("ix_session_access", table_name="session")
    op.drop_table("session")
    op.drop_table("jti_seen")
    op.drop_index("ix_code_attempt_window", table_name="code_attempt")
    op.drop_table("code_attempt")
    op.drop_index("uq_account_login", table_name="account")
    op.drop_table("account")
