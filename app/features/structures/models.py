"""The organisation (tenant, FINESS EJ), its structures (FINESS ET) and their units."""

from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.access.entry import DirectoryEntry
from app.access.permissions import Kind
from app.kernel.db import Base


class Organisation(Base):
    """Organisme gestionnaire: the tenant itself. Nothing joins two of them."""

    __tablename__ = "organisation"

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    finess: Mapped[str | None]


class Structure(DirectoryEntry):
    """An ESSMS: one place, one FINESS ET, one kind of house."""

    __tablename__ = "structure"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id"], ["organisation.organisation_id"]),
        Index("uq_structure_finess", "organisation_id", "finess", unique=True),
    )
    KIND: ClassVar = Kind.STRUCTURE

    name: Mapped[str]
    model: Mapped[str]  # ehpad · mas_fam · ime · savs · mecs · domicile: the model its settings start from
    finess: Mapped[str | None]
    phone: Mapped[str | None]
    human: Mapped[str | None]  # the person to ask for, shown at the foot of the usager's page


class Unit(DirectoryEntry):
    """A part of a structure where people live or come: its staff accompanies its open stays."""

    __tablename__ = "unit"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
        UniqueConstraint("organisation_id", "structure_id", "id", name="uq_unit_of_structure"),  # a stay points to both
    )
    KIND: ClassVar = Kind.UNIT

    structure_id: Mapped[UUID]
    name: Mapped[str]
    kind: Mapped[str]  # unit · service
