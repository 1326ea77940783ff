"""What a house narrows of the matrix."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations import dossier
from migrations.tenant import secure

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    now = sa.DateTime(timezone=True)
    op.create_table(
        "narrowing",
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("of_kind", sa.Text(), nullable=True),
        sa.Column("to", sa.Text(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", now, nullable=False),
        sa.Column("updated_at", now, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", now, nullable=True),
        dossier.link("narrowing", "structure_id", "structure"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_narrowing")),
    )
    columns = ["organisation_id", "role", "structure_id"]
    op.create_index(op.f("ix_narrowing_organisation_id_role_structure_id"), "narrowing", columns)
    secure(op, "narrowing")


def downgrade() -> None:
    op.drop_table("narrowing")
