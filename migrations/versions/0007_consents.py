"""Consents: answers are rows of their own, kept as proof; what a question and an opposition remember of them."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OF_CONSENT = (
    ("wording_sha256", sa.Text()),
    ("noted_by", sa.Uuid()),
    ("assisted_by", sa.Text()),
    ("cannot_express_on", sa.Date()),
    ("cannot_express_by", sa.Uuid()),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    for name, kind in OF_CONSENT:
        op.add_column("sharing_consent", sa.Column(name, kind, nullable=True))
    op.add_column("sharing_consent", sa.Column("both_parents", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.alter_column("sharing_consent", "both_parents", server_default=None)
    _link("sharing_consent", "partner_id", "partner")
    op.create_check_constraint(op.f("ck_sharing_consent_period"), "sharing_consent", "data_from < data_until")
    op.add_column("opposition", sa.Column("consent_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_opposition_organisation_id_consent_id",
        "opposition",
        ["organisation_id", "consent_id"],
        postgresql_where=sa.text("consent_id IS NOT NULL"),
    )
    _link("opposition", "consent_id", "sharing_consent")
    _link("opposition", "professional_id", "professional")
    _link("opposition", "partner_id", "partner")
    op.create_check_constraint(
        op.f("ck_opposition_against_one"), "opposition", "num_nonnulls(partner_id, professional_id) = 1"
    )
    _answers()
    secure(op, "consent_answer", "SELECT, INSERT")  # a proof: the application neither changes nor deletes it


def downgrade() -> None:
    op.drop_table("consent_answer")
    op.drop_constraint(op.f("ck_opposition_against_one"), "opposition", type_="check")
    for column in ("partner_id", "professional_id", "consent_id"):
        op.drop_constraint(f"fk_opposition_organisation_id_{column}", "opposition", type_="foreignkey")
    op.drop_column("opposition", "consent_id")
    op.drop_constraint(op.f("ck_sharing_consent_period"), "sharing_consent", type_="check")
    op.drop_constraint("fk_sharing_consent_organisation_id_partner_id", "sharing_consent", type_="foreignkey")
    for name in ("both_parents", *(name for name, _ in reversed(OF_CONSENT))):
        op.drop_column("sharing_consent", name)


def _link(table: str, column: str, to: str) -> None:
    name = op.f(f"fk_{table}_organisation_id_{column}")
    op.create_foreign_key(name, table, to, ["organisation_id", column], ["organisation_id", "id"])


def _answers() -> None:
    op.create_table(
        "consent_answer",
        sa.Column("consent_id", sa.Uuid(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Uuid(), nullable=False),
        sa.Column("given_by_kind", sa.Text(), nullable=False),
        sa.Column("noted_by", sa.Uuid(), nullable=True),
        sa.Column("assisted_by", sa.Text(), nullable=True),
        sa.Column("wording_sha256", sa.Text(), nullable=True),
        sa.Column("consent_version", sa.Integer(), nullable=False),
        *_common(),
        _key("consent_id", "sharing_consent"),
        _key("structure_id", "structure"),
        _key("usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_consent_answer")),
    )
    op.create_index(
        "ix_consent_answer_of_usager",
        "consent_answer",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
    )
    op.create_index(
        "ix_consent_answer_of_partner",
        "consent_answer",
        ["organisation_id", "origin_partner_id", "id"],
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_consent_answer_organisation_id_consent_id_given_by",
        "consent_answer",
        ["organisation_id", "consent_id", "given_by"],
    )


def _key(column: str, to: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_consent_answer_organisation_id_{column}")
    return sa.ForeignKeyConstraint(["organisation_id", column], [f"{to}.organisation_id", f"{to}.id"], name=name)


def _common() -> tuple[sa.Column[object], ...]:
    """What every dossier row has."""
    now = sa.DateTime(timezone=True)
    return (
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", now, nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", now, nullable=False),
        sa.Column("updated_at", now, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", now, nullable=True),
    )
