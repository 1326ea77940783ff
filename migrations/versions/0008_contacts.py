"""Who is around the person, in the order of calls; who entered a mandate, and the person's yes to who assists."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contact",
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("relation", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("address_protected", sa.Boolean(), nullable=False),
        sa.Column("call_order", sa.Integer(), nullable=False),
        sa.Column("trusted_person", sa.Text(), nullable=True),
        sa.Column("trusted_on", sa.Date(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
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
            name=op.f("fk_contact_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_contact_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_contact")),
    )
    op.create_index(
        "ix_contact_of_partner",
        "contact",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_contact_of_usager",
        "contact",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_contact_organisation_id_usager_id_call_order_id"),
        "contact",
        ["organisation_id", "usager_id", "call_order", "id"],
        unique=False,
    )
    op.create_index(
        "uq_contact_trusted_person",
        "contact",
        ["organisation_id", "usager_id"],
        unique=True,
        postgresql_where=sa.text("trusted_person = 'designated' AND deleted_at IS NULL"),
    )
    op.add_column("mandate", sa.Column("person_agreed", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("mandate", "person_agreed", server_default=None)
    op.add_column("mandate", sa.Column("entered_by", sa.Uuid(), nullable=True))
    secure(op, "contact")


def downgrade() -> None:
    op.drop_column("mandate", "entered_by")
    op.drop_column("mandate", "person_agreed")
    op.drop_index(
        "uq_contact_trusted_person",
        table_name="contact",
        postgresql_where=sa.text("trusted_person = 'designated' AND deleted_at IS NULL"),
    )
    op.drop_index(op.f("ix_contact_organisation_id_usager_id_call_order_id"), table_name="contact")
    op.drop_index("ix_contact_of_usager", table_name="contact")
    op.drop_index(
        "ix_contact_of_partner", table_name="contact", postgresql_where=sa.text("origin_partner_id IS NOT NULL")
    )
    op.drop_table("contact")
