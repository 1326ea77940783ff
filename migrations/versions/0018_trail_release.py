"""The DPO lets the person be shown a line of the trail that was held back."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import secure

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "trail_release",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("released_by", sa.Uuid(), nullable=False),
        sa.Column(
            "released_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("organisation_id", "at", "line_id", name=op.f("pk_trail_release")),
    )
    secure(op, "trail_release", "SELECT, INSERT (organisation_id, at, line_id, usager_id, released_by)")


def downgrade() -> None:
    op.drop_table("trail_release")
