"""The record's first floor: tenant, directory, facts of access, usagers, transmissions, versions, the trail, its seals."""

import sqlalchemy as sa
from alembic import op

from app.kernel.db import Xid8
from migrations.tenant import APP, SEALER, secure

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TENANT_TABLES = (
    "professional",
    "usager_key",
    "membership",
    "structure",
    "membership_structure",
    "unit",
    "usager",
    "emergency_access",
    "mandate",
    "opposition",
    "sharing_consent",
    "stay",
    "team_member",
    "transmission",
    "unit_team",
)


def upgrade() -> None:
    op.create_table(
        "audit_entry",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("principal_kind", sa.Text(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=True),
        sa.Column("entry_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "id", "at", name=op.f("pk_audit_entry")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        op.f("ix_audit_entry_organisation_id_usager_id_at"),
        "audit_entry",
        ["organisation_id", "usager_id", "at"],
        unique=False,
    )
    op.create_index(op.f("ix_audit_entry_organisation_id_xid"), "audit_entry", ["organisation_id", "xid"], unique=False)
    op.create_table(
        "audit_seal",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("from_xid", sa.BigInteger(), nullable=False),
        sa.Column("to_xid", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "number", name=op.f("pk_audit_seal")),
    )
    op.create_table(
        "cluster_epoch",
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("epoch", name=op.f("pk_cluster_epoch")),
    )
    op.create_table(
        "entry_version",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "entry_id", "version", "at", name=op.f("pk_entry_version")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index(
        op.f("ix_entry_version_organisation_id_usager_id_at"),
        "entry_version",
        ["organisation_id", "usager_id", "at"],
        unique=False,
    )
    op.create_table(
        "idempotency",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("key_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("body_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "principal_id", "key_sha256", name=op.f("pk_idempotency")),
    )
    op.create_table(
        "organisation",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("finess", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisation")),
    )
    op.create_table(
        "professional",
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("rpps", sa.Text(), nullable=True),
        sa.Column("profession", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_professional")),
    )
    op.create_table(
        "usager_key",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("organisation_id", "usager_id", name=op.f("pk_usager_key")),
    )
    op.create_table(
        "membership",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "professional_id"],
            ["professional.organisation_id", "professional.id"],
            name=op.f("fk_membership_organisation_id_professional_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_membership")),
    )
    op.create_index(
        op.f("ix_membership_organisation_id_professional_id"),
        "membership",
        ["organisation_id", "professional_id"],
        unique=False,
    )
    op.create_table(
        "structure",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("finess", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("human", sa.Text(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.organisation_id"], name=op.f("fk_structure_organisation_id")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_structure")),
    )
    op.create_index("uq_structure_finess", "structure", ["organisation_id", "finess"], unique=True)
    op.create_table(
        "membership_structure",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id", "membership_id"],
            ["membership.organisation_id", "membership.id"],
            name=op.f("fk_membership_structure_organisation_id_membership_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_membership_structure_organisation_id_structure_id"),
        ),
        sa.PrimaryKeyConstraint(
            "organisation_id", "membership_id", "structure_id", name=op.f("pk_membership_structure")
        ),
    )
    op.create_table(
        "unit",
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
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
            name=op.f("fk_unit_organisation_id_structure_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_unit")),
    )
    op.create_index(
        op.f("ix_unit_organisation_id_structure_id"), "unit", ["organisation_id", "structure_id"], unique=False
    )
    op.create_table(
        "usager",
        sa.Column("birth_family_name", sa.Text(), nullable=False),
        sa.Column("birth_given_names", sa.Text(), nullable=False),
        sa.Column("used_family_name", sa.Text(), nullable=True),
        sa.Column("used_given_name", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("gender", sa.Text(), nullable=True),
        sa.Column("birth_place_code", sa.Text(), nullable=True),
        sa.Column("birth_place_name", sa.Text(), nullable=True),
        sa.Column("birth_order", sa.Integer(), nullable=True),
        sa.Column("identity_status", sa.Text(), nullable=False),
        sa.Column("identity_checked_on", sa.Date(), nullable=True),
        sa.Column("identity_document", sa.Text(), nullable=True),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("address_protected", sa.Boolean(), nullable=False),
        sa.Column("says_tu", sa.Boolean(), nullable=False),
        sa.Column("died_on", sa.Date(), nullable=True),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
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
            name=op.f("fk_usager_organisation_id_structure_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_usager")),
    )
    op.create_index(
        "ix_usager_of_partner",
        "usager",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_usager_of_usager",
        "usager",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_usager_organisation_id_name_key_id"), "usager", ["organisation_id", "name_key", "id"], unique=False
    )
    op.create_table(
        "emergency_access",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
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
            name=op.f("fk_emergency_access_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_emergency_access_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_emergency_access")),
    )
    op.create_index(
        "ix_emergency_access_of_partner",
        "emergency_access",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_emergency_access_of_usager",
        "emergency_access",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_emergency_access_organisation_id_professional_id_usager_id"),
        "emergency_access",
        ["organisation_id", "professional_id", "usager_id"],
        unique=False,
    )
    op.create_table(
        "mandate",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("acts", sa.Text(), nullable=True),
        sa.Column("opens", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("copy_seen_on", sa.Date(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.Uuid(), nullable=True),
        sa.Column("person_told", sa.Boolean(), nullable=False),
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
            name=op.f("fk_mandate_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_mandate_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_mandate")),
    )
    op.create_index(
        "ix_mandate_of_partner",
        "mandate",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_mandate_of_usager",
        "mandate",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_mandate_organisation_id_contact_id_usager_id"),
        "mandate",
        ["organisation_id", "contact_id", "usager_id"],
        unique=False,
    )
    op.create_table(
        "opposition",
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("professional_id", sa.Uuid(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
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
            name=op.f("fk_opposition_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_opposition_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_opposition")),
    )
    op.create_index(
        "ix_opposition_of_partner",
        "opposition",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_opposition_of_usager",
        "opposition",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_opposition_organisation_id_partner_id_usager_id"),
        "opposition",
        ["organisation_id", "partner_id", "usager_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_opposition_organisation_id_professional_id_usager_id"),
        "opposition",
        ["organisation_id", "professional_id", "usager_id"],
        unique=False,
    )
    op.create_table(
        "sharing_consent",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("partner_id", sa.Uuid(), nullable=True),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("if_yes", sa.Text(), nullable=False),
        sa.Column("if_no", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by_kind", sa.Text(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("kinds", sa.ARRAY(sa.Text()), nullable=True),
        sa.Column("data_from", sa.Date(), nullable=True),
        sa.Column("data_until", sa.Date(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
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
            name=op.f("fk_sharing_consent_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_sharing_consent_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_sharing_consent")),
    )
    op.create_index(
        "ix_sharing_consent_of_partner",
        "sharing_consent",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_sharing_consent_of_usager",
        "sharing_consent",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_sharing_consent_organisation_id_partner_id_usager_id"),
        "sharing_consent",
        ["organisation_id", "partner_id", "usager_id"],
        unique=False,
    )
    op.create_table(
        "stay",
        sa.Column("unit_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("admitted_on", sa.Date(), nullable=True),
        sa.Column("planned_start", sa.Date(), nullable=True),
        sa.Column("planned_end", sa.Date(), nullable=True),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.Column("modality", sa.Text(), nullable=True),
        sa.Column("entry_mode", sa.Text(), nullable=True),
        sa.Column("exit_mode", sa.Text(), nullable=True),
        sa.Column("comes_from", sa.Text(), nullable=True),
        sa.Column("file_number", sa.Text(), nullable=True),
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
            name=op.f("fk_stay_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "unit_id"],
            ["unit.organisation_id", "unit.id"],
            name=op.f("fk_stay_organisation_id_unit_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_stay_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_stay")),
    )
    op.create_index(
        "ix_stay_of_partner",
        "stay",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_stay_of_usager",
        "stay",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_stay_organisation_id_structure_id"), "stay", ["organisation_id", "structure_id"], unique=False
    )
    op.create_index(
        op.f("ix_stay_organisation_id_unit_id"),
        "stay",
        ["organisation_id", "unit_id"],
        unique=False,
        postgresql_where=sa.text("unit_id IS NOT NULL"),
    )
    op.create_table(
        "team_member",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("referent", sa.Boolean(), nullable=False),
        sa.Column("starts", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
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
            ["organisation_id", "professional_id"],
            ["professional.organisation_id", "professional.id"],
            name=op.f("fk_team_member_organisation_id_professional_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "structure_id"],
            ["structure.organisation_id", "structure.id"],
            name=op.f("fk_team_member_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_team_member_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_team_member")),
    )
    op.create_index(
        "ix_team_member_of_partner",
        "team_member",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_team_member_of_usager",
        "team_member",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_team_member_organisation_id_professional_id_usager_id"),
        "team_member",
        ["organisation_id", "professional_id", "usager_id"],
        unique=False,
    )
    op.create_table(
        "transmission",
        sa.Column("thread_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("important", sa.Boolean(), nullable=False),
        sa.Column("correction_reason", sa.Text(), nullable=True),
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
            name=op.f("fk_transmission_organisation_id_structure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "usager_id"],
            ["usager.organisation_id", "usager.id"],
            name=op.f("fk_transmission_organisation_id_usager_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_transmission")),
    )
    op.create_index(
        "ix_transmission_of_partner",
        "transmission",
        ["organisation_id", "origin_partner_id", "id"],
        unique=False,
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.create_index(
        "ix_transmission_of_usager",
        "transmission",
        ["organisation_id", "usager_id", sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        op.f("ix_transmission_organisation_id_thread_id"),
        "transmission",
        ["organisation_id", "thread_id"],
        unique=False,
    )
    op.create_table(
        "unit_team",
        sa.Column("professional_id", sa.Uuid(), nullable=False),
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id", "professional_id"],
            ["professional.organisation_id", "professional.id"],
            name=op.f("fk_unit_team_organisation_id_professional_id"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id", "unit_id"],
            ["unit.organisation_id", "unit.id"],
            name=op.f("fk_unit_team_organisation_id_unit_id"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f("pk_unit_team")),
    )
    op.create_index(
        op.f("ix_unit_team_organisation_id_professional_id"),
        "unit_team",
        ["organisation_id", "professional_id"],
        unique=False,
    )
    for parent in ("audit_entry", "entry_version"):
        op.execute(f"CREATE TABLE {parent}_default PARTITION OF {parent} DEFAULT")
        secure(op, f"{parent}_default", grants="")
    for table in TENANT_TABLES:
        secure(op, table)
    # Append-only: neither rewritten nor back-dated; the trace's own id, hour and transaction are Postgres's to say.
    said = (
        "organisation_id, principal_kind, principal_id, role, on_behalf_of, action, kind, usager_id, entry_ids, "
        "ground, outcome, door, address, request_id"
    )
    secure(op, "audit_entry", f"SELECT, INSERT ({said})", sealer="SELECT")
    secure(op, "audit_seal", "SELECT", sealer="SELECT, INSERT")
    secure(op, "entry_version", "SELECT, INSERT")
    secure(op, "organisation", "SELECT", sealer="SELECT")
    secure(op, "idempotency", "SELECT, INSERT, DELETE")
    op.execute(f"GRANT SELECT ON cluster_epoch TO {APP}, {SEALER}")
    op.execute("INSERT INTO cluster_epoch SELECT 1, system_identifier::text FROM pg_control_system()")
    op.execute("CREATE STATISTICS transmission_dossier ON organisation_id, usager_id FROM transmission")


def downgrade() -> None:
    op.drop_index(op.f("ix_unit_team_organisation_id_professional_id"), table_name="unit_team")
    op.drop_table("unit_team")
    op.drop_index(op.f("ix_transmission_organisation_id_thread_id"), table_name="transmission")
    op.drop_index("ix_transmission_of_usager", table_name="transmission")
    op.drop_index(
        "ix_transmission_of_partner",
        table_name="transmission",
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.drop_table("transmission")
    op.drop_index(op.f("ix_team_member_organisation_id_professional_id_usager_id"), table_name="team_member")
    op.drop_index("ix_team_member_of_usager", table_name="team_member")
    op.drop_index(
        "ix_team_member_of_partner", table_name="team_member", postgresql_where=sa.text("origin_partner_id IS NOT NULL")
    )
    op.drop_table("team_member")
    op.drop_index(
        op.f("ix_stay_organisation_id_unit_id"), table_name="stay", postgresql_where=sa.text("unit_id IS NOT NULL")
    )
    op.drop_index(op.f("ix_stay_organisation_id_structure_id"), table_name="stay")
    op.drop_index("ix_stay_of_usager", table_name="stay")
    op.drop_index("ix_stay_of_partner", table_name="stay", postgresql_where=sa.text("origin_partner_id IS NOT NULL"))
    op.drop_table("stay")
    op.drop_index(op.f("ix_sharing_consent_organisation_id_partner_id_usager_id"), table_name="sharing_consent")
    op.drop_index("ix_sharing_consent_of_usager", table_name="sharing_consent")
    op.drop_index(
        "ix_sharing_consent_of_partner",
        table_name="sharing_consent",
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.drop_table("sharing_consent")
    op.drop_index(op.f("ix_opposition_organisation_id_professional_id_usager_id"), table_name="opposition")
    op.drop_index(op.f("ix_opposition_organisation_id_partner_id_usager_id"), table_name="opposition")
    op.drop_index("ix_opposition_of_usager", table_name="opposition")
    op.drop_index(
        "ix_opposition_of_partner", table_name="opposition", postgresql_where=sa.text("origin_partner_id IS NOT NULL")
    )
    op.drop_table("opposition")
    op.drop_index(op.f("ix_mandate_organisation_id_contact_id_usager_id"), table_name="mandate")
    op.drop_index("ix_mandate_of_usager", table_name="mandate")
    op.drop_index(
        "ix_mandate_of_partner", table_name="mandate", postgresql_where=sa.text("origin_partner_id IS NOT NULL")
    )
    op.drop_table("mandate")
    op.drop_index(op.f("ix_emergency_access_organisation_id_professional_id_usager_id"), table_name="emergency_access")
    op.drop_index("ix_emergency_access_of_usager", table_name="emergency_access")
    op.drop_index(
        "ix_emergency_access_of_partner",
        table_name="emergency_access",
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    op.drop_table("emergency_access")
    op.drop_index(op.f("ix_usager_organisation_id_name_key_id"), table_name="usager")
    op.drop_index("ix_usager_of_usager", table_name="usager")
    op.drop_index(
        "ix_usager_of_partner", table_name="usager", postgresql_where=sa.text("origin_partner_id IS NOT NULL")
    )
    op.drop_table("usager")
    op.drop_index(op.f("ix_unit_organisation_id_structure_id"), table_name="unit")
    op.drop_table("unit")
    op.drop_table("membership_structure")
    op.drop_index("uq_structure_finess", table_name="structure")
    op.drop_table("structure")
    op.drop_index(op.f("ix_membership_organisation_id_professional_id"), table_name="membership")
    op.drop_table("membership")
    op.drop_table("usager_key")
    op.drop_table("professional")
    op.drop_table("organisation")
    op.drop_table("idempotency")
    op.drop_index(op.f("ix_entry_version_organisation_id_usager_id_at"), table_name="entry_version")
    op.drop_table("entry_version")
    op.drop_table("cluster_epoch")
    op.drop_table("audit_seal")
    op.drop_index(op.f("ix_audit_entry_organisation_id_xid"), table_name="audit_entry")
    op.drop_index(op.f("ix_audit_entry_organisation_id_usager_id_at"), table_name="audit_entry")
    op.drop_table("audit_entry")
