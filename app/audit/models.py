"""The trail: append-only, outlives what it talks about (no foreign key, no cascade), partitioned by month."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Index, PrimaryKeyConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.db import Base, Xid8


class AuditEntry(Base):
    """Who did what, to which rows of which usager, under which ground. Never any content."""

    __tablename__ = "audit_entry"
    __table_args__ = (
        PrimaryKeyConstraint("organisation_id", "at", "id"),  # by moment: an id is random, and would scatter the lines
        Index(None, "organisation_id", "usager_id", "at"),
        Index(None, "organisation_id", "xid"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    organisation_id: Mapped[UUID]
    id: Mapped[UUID] = mapped_column(server_default=text("gen_random_uuid()"))
    at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    epoch: Mapped[int] = mapped_column(server_default=text("1"))  # moved on when the base finds itself in a new cluster
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    principal_kind: Mapped[str]  # app.security.principal.Caller, or "unknown"
    principal_id: Mapped[UUID | None]
    role: Mapped[str | None]
    on_behalf_of: Mapped[UUID | None]  # the usager whom a representative stands for
    action: Mapped[str]
    kind: Mapped[str]
    usager_id: Mapped[UUID | None]
    entry_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    ground: Mapped[str | None]  # accord, equipe, echange, loi, vital; urgence for an emergency access
    outcome: Mapped[str]
    door: Mapped[str]
    address: Mapped[str | None]
    request_id: Mapped[str]


class AuditSeal(Base):
    """One link of an organisation's chain: the traces of the transactions `[from_xid, to_xid)`, and the link before.

    After a restore transaction numbers start again: a new epoch opens, whose first link hashes the old head.
    """

    __tablename__ = "audit_seal"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    cluster: Mapped[str]  # Postgres's system identifier
    epoch: Mapped[int]
    from_xid: Mapped[int] = mapped_column(BigInteger)
    to_xid: Mapped[int] = mapped_column(BigInteger)
    entries: Mapped[int]
    hash: Mapped[bytes]
    sealed_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class ClusterEpoch(Base):
    """The Postgres clusters this base has lived in, in order: known by their system identifier."""

    __tablename__ = "cluster_epoch"

    epoch: Mapped[int] = mapped_column(primary_key=True)
    cluster: Mapped[str]
    opened_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))


class TrailRelease(Base):
    """A line held back from the person's page, that the DPO let be shown there (field.md §6)."""

    __tablename__ = "trail_release"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(primary_key=True)  # of the line
    line_id: Mapped[UUID] = mapped_column(primary_key=True)
    usager_id: Mapped[UUID]
    released_by: Mapped[UUID]
    released_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
