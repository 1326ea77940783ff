"""A table of the dossier, as 0013 and the migrations after it make one. Frozen: a later column is a migration's to add."""

import sqlalchemy as sa
from alembic.operations import Operations

from app.kernel.db import Xid8
from migrations.tenant import secure


def create(op: Operations, table: str, *more: sa.Column[object] | sa.Constraint) -> None:
    """The table with what it has of its own (`more`), its keys, its indexes and its row-level security."""
    now = sa.DateTime(timezone=True)
    op.create_table(
        table,
        *more,
        sa.Column("usager_id", sa.Uuid(), nullable=False),
        sa.Column("structure_id", sa.Uuid(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("visibility", sa.Text(), nullable=False),
        sa.Column("withheld_reason", sa.Text(), nullable=True),
        sa.Column("reserved_to", sa.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("author_kind", sa.Text(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", now, nullable=False),
        sa.Column("origin_exchange_id", sa.Uuid(), nullable=True),
        sa.Column("origin_partner_id", sa.Uuid(), nullable=True),
        sa.Column("origin_version", sa.Integer(), nullable=True),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("consigne", sa.Boolean(), nullable=False),
        sa.Column("minor_secret", sa.Boolean(), nullable=False),
        sa.Column("extra", sa.LargeBinary(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recorded_at", now, nullable=False),
        sa.Column("updated_at", now, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_xid", Xid8(), server_default=sa.text("pg_current_xact_id()"), nullable=False),
        sa.Column("deleted_at", now, nullable=True),
        link(table, "structure_id", "structure"),
        link(table, "usager_id", "usager"),
        sa.PrimaryKeyConstraint("organisation_id", "id", name=op.f(f"pk_{table}")),
    )
    last = (sa.literal_column("occurred_at DESC"), sa.literal_column("id DESC"))
    op.create_index(f"ix_{table}_of_usager", table, ["organisation_id", "usager_id", *last])
    op.create_index(
        f"ix_{table}_of_partner",
        table,
        ["organisation_id", "origin_partner_id", "id"],
        postgresql_where=sa.text("origin_partner_id IS NOT NULL"),
    )
    secure(op, table)


def link(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organisation_id", column],
        [f"{other}.organisation_id", f"{other}.id"],
        name=f"fk_{table}_organisation_id_{column}",
    )
