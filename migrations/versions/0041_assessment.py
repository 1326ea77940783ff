"""Assessments: the answers to a grid, as JSON of one shape."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None
WHO = ("assessor", "responsible", "recorder")


def upgrade() -> None:
    instant = sa.DateTime(timezone=True)
    people = [
        sa.Column(f"{who}_{part}", kind, nullable=True)
        for who in WHO
        for part, kind in (("id", sa.Uuid()), ("kind", sa.Text()), ("name", sa.Text()))
    ]
    dossier.create(
        op,
        "assessment",
        sa.Column("withheld_until", sa.Date(), nullable=True),
        sa.Column("questionnaire", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_changed_at", instant, nullable=True),
        sa.Column("status_author_id", sa.Uuid(), nullable=True),
        sa.Column("status_author_kind", sa.Text(), nullable=True),
        sa.Column("assessed_at", instant, nullable=True),
        *people,
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("event_id", sa.Uuid(), nullable=True),
        sa.Column("method", sa.Text(), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("attachment_ids", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("items", sa.Text(), nullable=False),
        sa.CheckConstraint("jsonb_typeof(items::jsonb) = 'array'", name=op.f("ck_assessment_items")),
    )
    op.create_index(
        "ix_assessment_organisation_id_occurred_at_id", "assessment", ["organisation_id", "occurred_at", "id"]
    )


def downgrade() -> None:
    op.drop_table("assessment")
