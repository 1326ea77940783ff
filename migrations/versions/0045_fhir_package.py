"""Installed FHIR packages and their definitions: of no organisation; the owner writes, the application reads."""

import sqlalchemy as sa
from alembic import op

from migrations.tenant import share

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fhir_package",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("installed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_fhir_package")),
    )
    op.create_table(
        "fhir_definition",
        sa.Column("package_name", sa.Text(), nullable=False),
        sa.Column("package_version", sa.Text(), nullable=False),
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["package_name", "package_version"],
            ["fhir_package.name", "fhir_package.version"],
            name="fk_fhir_definition_package",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("package_name", "package_version", "type_name", "id", name=op.f("pk_fhir_definition")),
    )
    op.create_index("ix_fhir_definition_url", "fhir_definition", ["type_name", "url"])
    for table in ("fhir_package", "fhir_definition"):
        share(op, table, "SELECT")


def downgrade() -> None:
    op.drop_table("fhir_definition")
    op.drop_table("fhir_package")
