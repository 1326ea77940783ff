"""What is exchanged: the journal, the ids of others, kept resources, outside parties; a partner's automatic acceptance."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import secure

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_TABLES = ("exchange_row", "external_id", "kept_resource", "outside_party", "outside_party_mention")
# Erasing a person is deleting their key: the bundles that name them and the names partners gave them go with it.
FORGET = """
    CREATE FUNCTION forget_exchanges() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE exchange e SET body = NULL, body_key = NULL
        WHERE e.organisation_id = OLD.organisation_id AND e.body IS NOT NULL AND e.id IN (
            SELECT r.exchange_id FROM exchange_row r
            WHERE r.organisation_id = OLD.organisation_id AND r.usager_id = OLD.usager_id);
        DELETE FROM external_id x WHERE x.organisation_id = OLD.organisation_id AND x.usager_id = OLD.usager_id;
        RETURN OLD;
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "exchange",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("body_key", sa.LargeBinary(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "partner_id"],
            ["partner.organisation_id", "partner.id"],
            name=op.f("fk_exchange_organisation_id_partner_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_exchange_organisation_id_structure_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_exchange")),
    )
    op.create_index(
        op.f("ix_exchange_organisation_id_partner_id_sha256"),
        "exchange",
        ["organisation_id", "partner_id", "sha256"],
        unique=False,
    )
    op.create_index(
        op.f("ix_exchange_organisation_id_structure_id_id"),
        "exchange",
        ["organisation_id", "structure_id", "id"],
        unique=False,
    )
    op.create_table(
        "external_id",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "partner_id"],
            ["partner.organisation_id", "partner.id"],
            name=op.f("fk_external_id_organisation_id_partner_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "partner_id", "fingerprint", name=op.f("pk_external_id")),
    )
    op.create_index(
        op.f("ix_external_id_organisation_id_row_id"), "external_id", ["organisation_id", "row_id"], unique=False
    )
    op.create_index(
        op.f("ix_external_id_organisation_id_usager_id"),
        "external_id",
        ["organisation_id", "usager_id"],
        unique=False,
        postgresql_where=sa.text("usager_id IS NOT NULL"),
    )
    op.create_table(
        "kept_resource",
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("business_id", sa.LargeBinary(), nullable=True),
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
            name=op.f("fk_kept_resource_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_kept_resource_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_kept_resource")),
    )
    op.create_index(
        "ix_kept_resource_of_partner",
        "kept_resource",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_kept_resource_of_usager",
        "kept_resource",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_kept_resource_organisation_id_type_name_id"),
        "kept_resource",
        ["organisation_id", "type_name", "id"],
        unique=False,
    )
    op.create_table(
        "outside_party",
        sa.Column("origin_partner_id", sa.Uuid(), nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "origin_partner_id"],
            ["partner.organisation_id", "partner.id"],
            name=op.f("fk_outside_party_organisation_id_origin_partner_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_outside_party")),
    )
    op.create_index(
        op.f("ix_outside_party_organisation_id_origin_partner_id_id"),
        "outside_party",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
    )
    op.create_table(
        "exchange_row",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("exchange_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("type_name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("beside", sa.Boolean(), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "exchange_id"],
            ["exchange.organisation_id", "exchange.id"],
            name=op.f("fk_exchange_row_organisation_id_exchange_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "exchange_id", "position", name=op.f("pk_exchange_row")),
    )
    op.create_index(
        op.f("ix_exchange_row_organisation_id_usager_id"),
        "exchange_row",
        ["organisation_id", "usager_id"],
        unique=False,
        postgresql_where=sa.text("usager_id IS NOT NULL"),
    )
    op.create_table(
        "outside_party_mention",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("party_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "party_id"],
            ["outside_party.organisation_id", "outside_party.id"],
            name=op.f("fk_outside_party_mention_organisation_id_party_id"),
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "party_id", "kind", "entry_id", name=op.f("pk_outside_party_mention")
        ),
    )
    op.create_index(
        op.f("ix_outside_party_mention_organisation_id_entry_id"),
        "outside_party_mention",
        ["organisation_id", "entry_id"],
        unique=False,
    )
    op.add_column(
        "partner_structure", sa.Column("accepts", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    for table in TENANT_TABLES:
        secure(op, table)
    secure(op, "exchange", "SELECT, INSERT, UPDATE")
    op.execute(FORGET)
    op.execute(
        "CREATE TRIGGER forget_exchanges AFTER DELETE ON usager_key FOR EACH ROW EXECUTE FUNCTION forget_exchanges()"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER forget_exchanges ON usager_key")
    op.execute("DROP FUNCTION forget_exchanges()")
    op.drop_column("partner_structure", "accepts")
    op.drop_index(op.f("ix_outside_party_mention_organisation_id_entry_id"), table_name="outside_party_mention")
    op.drop_table("outside_party_mention")
    op.drop_index(
        op.f("ix_exchange_row_organisation_id_usager_id"),
        table_name="exchange_row",
        postgresql_where=sa.text("usager_id IS NOT NULL"),
    )
    op.drop_table("exchange_row")
    op.drop_index(op.f("ix_outside_party_organisation_id_origin_partner_id_id"), table_name="outside_party")
    op.drop_table("outside_party")
    op.drop_index(op.f("ix_kept_resource_organisation_id_type_name_id"), table_name="kept_resource")
    op.drop_index("ix_kept_resource_of_usager", table_name="kept_resource")
    op.drop_index(
        "ix_kept_resource_of_partner",
        table_name="kept_resource",
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.drop_table("kept_resource")
    op.drop_index(
        op.f("ix_external_id_organisation_id_usager_id"),
        table_name="external_id",
        postgresql_where=sa.text("usager_id IS NOT NULL"),
    )
    op.drop_index(op.f("ix_external_id_organisation_id_row_id"), table_name="external_id")
    op.drop_table("external_id")
    op.drop_index(op.f("ix_exchange_organisation_id_structure_id_id"), table_name="exchange")
    op.drop_index(op.f("ix_exchange_organisation_id_partner_id_sha256"), table_name="exchange")
    op.drop_table("exchange")
