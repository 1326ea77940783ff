"""What opens a dossier beyond one's team and one's place, for a time: a purpose the direction states, a team shared by
several structures, being on call; and what a house closes. Each is a dated row that the policy joins; ending one acts in its own transaction.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKeyConstraint, Index, Uuid, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DirectoryEntry, DossierEntry, entry_args
from app.access.permissions import Category, Kind


class Purpose(StrEnum):
    """Motif: why the direction reads the support of someone; the last two are for who evaluates or inspects."""

    RECLAMATION = "reclamation"
    EVENEMENT_GRAVE = "evenement_grave"
    VALIDATION = "validation"
    CONTROLE = "controle"
    COMMUNICATION = "dossier_a_communiquer"
    EVALUATION = "evaluation"  # with the person's yes
    INSPECTION = "inspection"  # on mission letter


class StatedPurpose(DossierEntry):
    """`professional_id` reads one dossier for this purpose. An evaluation rests on a consent, and ends with it."""

    __tablename__ = "stated_purpose"
    KIND: ClassVar = Kind.STATED_PURPOSE
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    professional_id: Mapped[UUID]
    purpose: Mapped[str]
    consent_id: Mapped[UUID | None]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
            ),
            ForeignKeyConstraint(
                ["organisation_id", "consent_id"], ["sharing_consent.organisation_id", "sharing_consent.id"]
            ),
            CheckConstraint("(purpose = 'evaluation') = (consent_id IS NOT NULL)", name="agreed"),
            Index(None, "organisation_id", "professional_id", "usager_id"),
        )


class SharedTeam(DossierEntry):
    """Équipe commune: several structures follow one person together, who was told of it and does not oppose it."""

    __tablename__ = "shared_team"
    KIND: ClassVar = Kind.SHARED_TEAM
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    name: Mapped[str]
    structure_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    person_told_on: Mapped[date]
    opposed_at: Mapped[datetime | None]
    starts: Mapped[date]
    ends: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls, CheckConstraint("cardinality(structure_ids) > 1", name="several"))


class OnCall(DirectoryEntry):
    """Astreinte: someone named for a period reads what a night may ask, of everyone in these structures."""

    __tablename__ = "on_call"
    KIND: ClassVar = Kind.ON_CALL
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
        ),
        CheckConstraint("ends_at > starts_at", name="period"),
        Index(None, "organisation_id", "professional_id"),
    )

    professional_id: Mapped[UUID]
    structure_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class Narrowed(StrEnum):
    """How far a role goes in a house, when it goes less far than the law allows."""

    NONE = "none"
    TEAM = "team"  # of a role that reads everyone of the structure: those it accompanies only


class Narrowing(DirectoryEntry):
    """In this structure a role does less than the matrix allows, for a category, or one kind of it. It never does more."""

    __tablename__ = "narrowing"
    KIND: ClassVar = Kind.NARROWING
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
        Index(None, "organisation_id", "role", "structure_id"),
        Index(
            "uq_narrowing_cell",
            *("organisation_id", "structure_id", "role", "category", "of_kind"),
            unique=True,
            postgresql_where=text("deleted_at IS NULL"),
            postgresql_nulls_not_distinct=True,
        ),
    )

    structure_id: Mapped[UUID]
    role: Mapped[str]
    category: Mapped[str]
    of_kind: Mapped[str | None]  # None: every kind
    to: Mapped[str]
