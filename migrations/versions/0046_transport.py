"""Transports: of a person, or of a professional who comes to them."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None
WORDS = (
    "professional_kind", "professional_name", "mode_code", "engine_code", "nature_code", "carrier_name", "distance_unit",
    "duration_unit", "budget_planned_currency", "budget_actual_currency", "description", "status_author_kind",
)  # fmt: skip
IDS = ("professional_id", "event_id", "carrier_id", "status_author_id")
NUMBERS = ("distance", "duration", "budget_planned", "budget_actual")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    dossier.create(
        op,
        "transport",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("traveller", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("place_protected", sa.Boolean(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in WORDS),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in IDS),
        *(sa.Column(name, sa.Float(), nullable=True) for name in NUMBERS),
        *(sa.Column(name, sa.Boolean(), nullable=True) for name in ("accompanied", "asepsis")),
        *(sa.Column(name, instant, nullable=True) for name in ("starts_at", "ends_at", "status_changed_at")),
        sa.CheckConstraint("ends_at >= starts_at", name=op.f("ck_transport_order")),
    )
    there = {"postgresql_where": sa.text("event_id IS NOT NULL")}
    op.create_index("ix_transport_organisation_id_event_id", "transport", ["organisation_id", "event_id"], **there)
    op.create_index(
        "ix_transport_organisation_id_occurred_at_id", "transport", ["organisation_id", "occurred_at", "id"]
    )
    op.create_index("ix_transport_of_structure", "transport", ["organisation_id", "structure_id", "occurred_at", "id"])


def downgrade() -> None:
    op.drop_table("transport")
