"""What opens a dossier for a time beyond one's team and place: stated purposes, shared teams, being on call."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations import dossier
from migrations.tenant import secure

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    now, by = sa.DateTime(timezone=True), "organisation_id"
    dossier.create(
        op,
        "stated_purpose",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("consent_id", sa.Uuid(), nullable=True),
        sa.Column("starts_at", now, nullable=False),
        sa.Column("ends_at", now, nullable=False),
        sa.Column("closed_at", now, nullable=True),
        dossier.link("stated_purpose", "professional_id", "professional"),
        dossier.link("stated_purpose", "consent_id", "sharing_consent"),
        sa.CheckConstraint(
            "(purpose = 'evaluation') = (consent_id IS NOT NULL)", name=op.f("ck_stated_purpose_agreed")
        ),
    )
    op.create_index(
        op.f("ix_stated_purpose_organisation_id_professional_id_usager_id"),
        "stated_purpose",
        [by, "professional_id", "usager_id"],
    )
    dossier.create(
        op,
        "shared_team",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("structure_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("person_told_on", sa.Date(), nullable=False),
        sa.Column("opposed_at", now, nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.CheckConstraint("cardinality(structure_ids) > 1", name=op.f("ck_shared_team_several")),
    )
    op.create_table(
        "on_call",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("structure_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("starts_at", now, nullable=False),
        sa.Column("ends_at", now, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", now, nullable=False),
        sa.Column("updated_at", now, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", now, nullable=True),
        dossier.link("on_call", "professional_id", "professional"),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_on_call_period")),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_on_call")),
    )
    op.create_index(op.f("ix_on_call_organisation_id_professional_id"), "on_call", [by, "professional_id"])
    secure(op, "on_call")


def downgrade() -> None:
    for table in ("on_call", "shared_team", "stated_purpose"):
        op.drop_table(table)
