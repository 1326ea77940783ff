"""Numbers of a usager, names as they are searched; a unit in its structure, one stay at a time in each."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


# uuid beside a range needs btree_gist, which a database's owner may add since Postgres 13. Where a server does not ship
# it, overlaps are not refused: `dui doctor` has to say so.
ONE_AT_A_TIME = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'btree_gist') THEN
        CREATE EXTENSION IF NOT EXISTS btree_gist;
        ALTER TABLE stay ADD CONSTRAINT ex_stay_one_at_a_time EXCLUDE USING gist (
            organisation_id WITH =, usager_id WITH =, structure_id WITH =, daterange(starts, ends) WITH &&
        ) WHERE (deleted_at IS NULL AND origin_partner_id IS NULL);
    END IF;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "usager_identifier",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("type_code", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_usager_identifier_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_usager_identifier_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_usager_identifier")),
    )
    op.create_index(
        "ix_usager_identifier_of_partner",
        "usager_identifier",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_usager_identifier_of_usager",
        "usager_identifier",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_usager_identifier_organisation_id_blind"),
        "usager_identifier",
        ["organisation_id", "blind"],
        unique=False,
    )
    op.create_index(
        "uq_usager_identifier_ours",
        "usager_identifier",
        ["organisation_id", "usager_id", "system"],
        unique=True,
        postgresql_where=sa.text("origin_partner_id IS NULL AND deleted_at IS NULL"),
    )
    op.add_column("stay", sa.Column("comment", sa.Text(), nullable=True))
    op.add_column("stay", sa.Column("place_protected", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("stay", "place_protected", server_default=None)
    op.create_check_constraint(op.f("ck_stay_period"), "stay", "ends >= starts")
    op.create_unique_constraint("uq_unit_of_structure", "unit", ["organisation_id", "structure_id", "id"])
    op.drop_constraint(op.f("fk_stay_organisation_id_unit_id"), "stay", type_="foreignkey")
    op.create_foreign_key(
        op.f("fk_stay_organisation_id_structure_id_unit_id"),
        "stay",
        "unit",
        ["organisation_id", "structure_id", "unit_id"],
        ["organisation_id", "structure_id", "id"],
    )
    op.drop_index(op.f("ix_unit_organisation_id_structure_id"), table_name="unit")
    op.alter_column("usager", "name_key", type_=sa.Text(collation="C"), existing_nullable=False)
    op.add_column("usager", sa.Column("identity_checked_by", sa.Uuid(), nullable=True))
    op.add_column("usager", sa.Column("used_name_key", sa.Text(collation="C"), nullable=True))
    op.add_column("usager", sa.Column("postal_code", sa.Text(), nullable=True))
    op.add_column("usager", sa.Column("city", sa.Text(), nullable=True))
    op.add_column("usager", sa.Column("country", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_usager_organisation_id_birth_date"), "usager", ["organisation_id", "birth_date"], unique=False
    )
    op.create_index(
        op.f("ix_usager_organisation_id_used_name_key_id"),
        "usager",
        ["organisation_id", "used_name_key", "id"],
        unique=False,
        postgresql_where=sa.text("used_name_key IS NOT NULL"),
    )
    op.create_foreign_key(
        op.f("fk_usager_organisation_id_merged_into_id"),
        "usager",
        "usager",
        ["organisation_id", "merged_into_id"],
        ["organisation_id", "id"],
    )
    op.execute(ONE_AT_A_TIME)
    secure(op, "usager_identifier")


def downgrade() -> None:
    op.execute("ALTER TABLE stay DROP CONSTRAINT IF EXISTS ex_stay_one_at_a_time")
    op.drop_constraint(op.f("ck_stay_period"), "stay", type_="check")
    op.drop_constraint(op.f("fk_usager_organisation_id_merged_into_id"), "usager", type_="foreignkey")
    op.drop_index(
        op.f("ix_usager_organisation_id_used_name_key_id"),
        table_name="usager",
        postgresql_where=sa.text("used_name_key IS NOT NULL"),
    )
    op.drop_index(op.f("ix_usager_organisation_id_birth_date"), table_name="usager")
    op.drop_column("usager", "country")
    op.drop_column("usager", "city")
    op.drop_column("usager", "postal_code")
    op.drop_column("usager", "used_name_key")
    op.drop_column("usager", "identity_checked_by")
    op.alter_column("usager", "name_key", type_=sa.Text(), existing_nullable=False)
    op.create_index(
        op.f("ix_unit_organisation_id_structure_id"), "unit", ["organisation_id", "structure_id"], unique=False
    )
    op.drop_constraint(op.f("fk_stay_organisation_id_structure_id_unit_id"), "stay", type_="foreignkey")
    op.drop_constraint("uq_unit_of_structure", "unit", type_="unique")
    op.create_foreign_key(
        op.f("fk_stay_organisation_id_unit_id"),
        "stay",
        "unit",
        ["organisation_id", "unit_id"],
        ["organisation_id", "id"],
    )
    op.drop_column("stay", "place_protected")
    op.drop_column("stay", "comment")
    op.drop_index(
        "uq_usager_identifier_ours",
        table_name="usager_identifier",
        postgresql_where=sa.text("origin_partner_id IS NULL AND deleted_at IS NULL"),
    )
    op.drop_index(op.f("ix_usager_identifier_organisation_id_blind"), table_name="usager_identifier")
    op.drop_index("ix_usager_identifier_of_usager", table_name="usager_identifier")
    op.drop_index(
        "ix_usager_identifier_of_partner",
        table_name="usager_identifier",
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.drop_table("usager_identifier")
