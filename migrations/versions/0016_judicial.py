"""Decisions of justice and papers, sealed; and the consigne that each decision yields."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    now = sa.DateTime(timezone=True)
    dossier.create(
        op,
        "judicial_decision",
        sa.Column("nature", sa.Text(), nullable=False),
        sa.Column("title", sa.LargeBinary(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("copy_seen_on", sa.Date(), nullable=True),
        sa.Column("confirmed_at", now, nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
    )
    dossier.create(
        op,
        "consigne",
        sa.Column("decision_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in ("fetch", "call", "visit", "sign")),
        sa.Column("in_doubt", sa.Text(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("closes_access", sa.Boolean(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("confirmed_at", now, nullable=True),
        sa.Column("lifted_at", now, nullable=True),
        sa.Column("lifted_by", sa.Uuid(), nullable=True),
        dossier.link("consigne", "decision_id", "judicial_decision"),
        sa.CheckConstraint("NOT closes_access OR contact_id IS NOT NULL", name=op.f("ck_consigne_closes_whom")),
    )
    table, by = "consigne", "organisation_id"
    op.create_index(op.f("ix_consigne_organisation_id_decision_id"), table, [by, "decision_id"])
    op.create_index(
        op.f("ix_consigne_organisation_id_contact_id"),
        table,
        [by, "contact_id"],
        postgresql_where=sa.text("contact_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("consigne")
    op.drop_table("judicial_decision")
