"""What a house tunes, at three layers; the server's own answers under the nil organisation."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "setting",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_setting")),
    )
    op.create_index(
        "uq_setting_key",
        "setting",
        ["organisation_id", "scope", "key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    secure(op, "setting")


def downgrade() -> None:
    op.drop_index("uq_setting_key", table_name="setting", postgresql_where=sa.text("deleted_at IS NULL"))
    op.drop_table("setting")
