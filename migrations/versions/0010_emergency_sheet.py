"""The emergency sheet: one a person, each short field with its day and its author."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = "emergency_sheet"
FIELDS = (
    "allergies",
    "conditions",
    "treatment",
    "treatment_signatory",
    "texture",
    "risks",
    "soothes",
    "communication",
    "mobility",
    "equipment",
    "advance_directives",
    "trusted_person",
    "call_in_order",
    "measure",
    "physician",
)


def upgrade() -> None:
    now = sa.DateTime(timezone=True)
    op.create_table(
        TABLE,
        *(column for name in FIELDS for column in _field(name)),
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
        _link("structure_id", "structure"),
        _link("usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f(f"pk_{TABLE}")),
    )
    last = (sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC"))
    op.create_index(f"ix_{TABLE}_of_usager", TABLE, ["organisation_id", "usager_id", *last])
    op.create_index(
        f"ix_{TABLE}_of_partner",
        TABLE,
        ["organisation_id", "origin_partner_id", "id"],
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "uq_emergency_sheet_one_a_person",
        TABLE,
        ["organisation_id", "usager_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND origin_partner_id IS NULL"),
    )
    secure(op, TABLE, "SELECT, INSERT, UPDATE")


def downgrade() -> None:
    op.drop_table(TABLE)


def _field(name: str) -> tuple[sa.Column[object], ...]:
    return (
        sa.Column(name, sa.Text(), nullable=True),
        sa.Column(f"{name}_on", sa.Date(), nullable=True),
        sa.Column(f"{name}_by", sa.Uuid(), nullable=True),
    )


def _link(column: str, to: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{TABLE}_organisation_id_{column}")
    return sa.ForeignKeyConstraint(["organisation_id", column], [f"{to}.organisation_id", f"{to}.id"], name=name)
