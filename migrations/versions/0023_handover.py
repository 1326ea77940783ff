"""What was sent of a dossier to a partner, under a ground; and the rows that left, each at its version."""

import sqlalchemy as sa
from alembic import op

from migrations import dossier
from migrations.tenant import secure

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    dossier.create(
        op,
        "handover",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=False),
        sa.Column("article", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("person_informed", sa.Boolean(), nullable=False),
        dossier.link("handover", "partner_id", "partner"),
        sa.CheckConstraint("ground <> 'loi' OR article IS NOT NULL", name=op.f("ck_handover_article_of_law")),
    )
    of = ["organisation_id", "handover_id"]
    op.create_table(
        "handover_row",
        *(sa.Column(name, sa.Uuid(), nullable=False) for name in (*of, "entry_id", "partner_id", "usager_id")),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        dossier.link("handover_row", "handover_id", "handover"),
        sa.PrimaryKeyConstraint(*of, "entry_id", name=op.f("pk_handover_row")),
    )
    found_by = ["organisation_id", "partner_id", "entry_id"]
    op.create_index(op.f("ix_handover_row_organisation_id_partner_id_entry_id"), "handover_row", found_by)
    secure(op, "handover_row", "SELECT, INSERT")


def downgrade() -> None:
    op.drop_table("handover_row")
    op.drop_table("handover")
