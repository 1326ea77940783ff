"""Who stands in a bundle is searched by what they are: names, role, places. `dui exchange remap` reads those already here."""

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

COLUMNS = {
    "name": sa.Text(),
    "family": sa.Text(),
    "given": sa.Text(),
    "active": sa.Boolean(),
    "codes": sa.ARRAY(sa.Text()),
    "labels": sa.Text(),
    "starts": sa.DateTime(timezone=True),
    "ends": sa.DateTime(timezone=True),
    "organization_id": sa.Uuid(),
    "organization_said": sa.Boolean(),
    "practitioner_id": sa.Uuid(),
    "practitioner_said": sa.Boolean(),
}


def upgrade() -> None:
    for name, kind in COLUMNS.items():
        op.add_column("outside_party", sa.Column(name, kind, nullable=True))
    for name in ("organization_id", "practitioner_id"):
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_outside_party_{name[:-3]}", "outside_party", ["organisation_id", name], postgresql_where=there
        )


def downgrade() -> None:
    for name in ("organization_id", "practitioner_id"):
        op.drop_index(f"ix_outside_party_{name[:-3]}", table_name="outside_party")
    for name in reversed(COLUMNS):
        op.drop_column("outside_party", name)
