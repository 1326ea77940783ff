"""The facts the policy reasons on, joined at each request: ending one acts in its own transaction, on every path.

Periods are `[starts, ends)`, `None`: still running.
"""

from datetime import date, datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKeyConstraint, Index, Uuid, column, table, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DirectoryEntry, DossierEntry, entry_args
from app.access.permissions import Category, Kind
from app.kernel.db import Base

# Tables of rooms above this floor, by the columns the policy joins.
STAY = table(
    "stay",
    column("organisation_id", Uuid()),
    column("usager_id", Uuid()),
    column("structure_id", Uuid()),
    column("unit_id", Uuid()),
    column("starts", Date()),
    column("ends", Date()),
    column("held"),
    column("deleted_at"),
)


class Professional(DirectoryEntry):
    """Someone who works in the organisation; `account_id` is set once they may log in."""

    __tablename__ = "professional"
    KIND: ClassVar = Kind.PROFESSIONAL

    account_id: Mapped[UUID | None]
    family_name: Mapped[str]
    given_name: Mapped[str]
    rpps: Mapped[str | None]
    profession: Mapped[str | None]  # code of JDV_J01, kept as `system|code`


class Membership(DirectoryEntry):
    """One role over one or several structures; a session names one, and shows only it."""

    __tablename__ = "membership"
    KIND: ClassVar = Kind.MEMBERSHIP
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
        ),
        Index(None, "organisation_id", "professional_id"),
    )

    professional_id: Mapped[UUID]
    role: Mapped[str]
    starts: Mapped[date]
    ends: Mapped[date | None]


class MembershipStructure(Base):
    __tablename__ = "membership_structure"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "membership_id"], ["membership.organisation_id", "membership.id"]),
        ForeignKeyConstraint(["organisation_id", "structure_id"], ["structure.organisation_id", "structure.id"]),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    membership_id: Mapped[UUID] = mapped_column(primary_key=True)
    structure_id: Mapped[UUID] = mapped_column(primary_key=True)


class UnitTeam(DirectoryEntry):
    """A team by rule: who works in a unit accompanies its open stays. `kind`: rule, or on_duty (≤ 24 h, told to the chief)."""

    __tablename__ = "unit_team"
    KIND: ClassVar = Kind.UNIT_TEAM
    __table_args__ = (
        ForeignKeyConstraint(
            ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
        ),
        ForeignKeyConstraint(["organisation_id", "unit_id"], ["unit.organisation_id", "unit.id"]),
        Index(None, "organisation_id", "professional_id"),
    )

    professional_id: Mapped[UUID]
    unit_id: Mapped[UUID]
    kind: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]


class TeamMember(DossierEntry):
    """A professional accompanies this usager, by name."""

    __tablename__ = "team_member"
    KIND: ClassVar = Kind.TEAM_MEMBER
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    professional_id: Mapped[UUID]
    referent: Mapped[bool] = mapped_column(default=False)
    starts: Mapped[date]
    ends: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
            ),
            Index(None, "organisation_id", "professional_id", "usager_id"),
        )


class SharingConsent(DossierEntry):
    """A question put to the person and where the answers to it stand. `kind` partage may open categories to one partner;
    image and autre open nothing. The signature of a project is another thing (agreement).

    Who said what, and on which wording, is in `consent_answer`: one parent may not read the other's.
    """

    __tablename__ = "sharing_consent"
    KIND: ClassVar = Kind.SHARING_CONSENT
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    kind: Mapped[str]  # partage · image · autre
    about: Mapped[str | None]  # evaluation: a yes to it, and to no other, lets an evaluator read
    partner_id: Mapped[UUID | None]
    question: Mapped[str]
    if_yes: Mapped[str]
    if_no: Mapped[str]
    wording_sha256: Mapped[str | None]  # of the three sentences above, as they were shown
    answer: Mapped[str] = mapped_column(default="asked")  # asked · yes · no · talk · disagreement (between parents)
    answered_at: Mapped[datetime | None]
    answered_by_kind: Mapped[str | None]  # usager · representative · professional (noted for them) · ase · house
    noted_by: Mapped[UUID | None]  # the professional who noted it
    assisted_by: Mapped[str | None]  # « avec l'assistance de … »: a second signature, never an answer
    confirmed_at: Mapped[datetime | None]  # the person said that what was noted is right
    act: Mapped[str] = mapped_column(default="usuel")  # usuel · non_usuel · gardien: who answers for a minor
    lapses_on: Mapped[date | None]  # the day the minor comes of age: what was allowed is asked of them again
    cannot_express_on: Mapped[date | None]  # « la personne ne peut pas exprimer sa volonté », for this question
    cannot_express_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    categories: Mapped[list[str]]
    kinds: Mapped[list[str] | None]  # None: every kind of these categories
    data_from: Mapped[date | None]
    data_until: Mapped[date | None]
    starts: Mapped[date]
    ends: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
            CheckConstraint("data_from < data_until", name="period"),
            CheckConstraint("act IN ('usuel', 'non_usuel', 'gardien')", name="act"),
            CheckConstraint("about IS NULL OR (about = 'evaluation' AND kind = 'autre')", name="about"),
            Index(None, "organisation_id", "partner_id", "usager_id"),
        )


class Opposition(DossierEntry):
    """The person refuses that a partner or a professional reads; it always wins over a consent or a team."""

    __tablename__ = "opposition"
    KIND: ClassVar = Kind.OPPOSITION
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    partner_id: Mapped[UUID | None]
    professional_id: Mapped[UUID | None]
    consent_id: Mapped[UUID | None]  # the question to which the person's « non » made it; their « oui » ends it
    starts: Mapped[date]
    ends: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
            ForeignKeyConstraint(
                ["organisation_id", "professional_id"], ["professional.organisation_id", "professional.id"]
            ),
            ForeignKeyConstraint(
                ["organisation_id", "consent_id"], ["sharing_consent.organisation_id", "sharing_consent.id"]
            ),
            CheckConstraint("num_nonnulls(partner_id, professional_id) = 1", name="against_one"),
            Index(None, "organisation_id", "partner_id", "usager_id"),
            Index(None, "organisation_id", "professional_id", "usager_id"),
            Index(None, "organisation_id", "consent_id", postgresql_where=text("consent_id IS NOT NULL")),
        )


class Mandate(DossierEntry):
    """Who stands for the person: kind, scope, effect and dates of the decision (field.md §5).

    `opens` are the categories their own access reads; entered by the secretariat, nothing before `confirmed_at`.
    """

    __tablename__ = "mandate"
    KIND: ClassVar = Kind.MANDATE
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    contact_id: Mapped[UUID]
    kind: Mapped[str]
    scope: Mapped[str]  # personne · biens · both
    effect: Mapped[str]  # assistance · representation
    acts: Mapped[str | None]
    opens: Mapped[list[str]]
    starts: Mapped[date]
    ends: Mapped[date | None]
    copy_seen_on: Mapped[date | None]
    person_agreed: Mapped[bool] = mapped_column(default=False)  # who only assists reads nothing without it
    entered_by: Mapped[UUID | None]  # who said the terms as they stand: another confirms them
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[UUID | None]
    person_told: Mapped[bool] = mapped_column(default=False)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls, Index(None, "organisation_id", "contact_id", "usager_id"))


class Consigne(DossierEntry):
    """What a decision of justice asks of whoever meets the person, never its text: who may fetch, call, visit, sign.

    It stands beside its decision and may close the access of the contact it concerns, until it ends or is lifted.
    """

    __tablename__ = "consigne"
    KIND: ClassVar = Kind.CONSIGNE
    CATEGORY: ClassVar = Category.SUPPORT

    decision_id: Mapped[UUID]
    fetch: Mapped[str | None]
    call: Mapped[str | None]
    visit: Mapped[str | None]
    sign: Mapped[str | None]
    in_doubt: Mapped[str]  # whom to call
    contact_id: Mapped[UUID | None]  # whom it restricts
    closes_access: Mapped[bool] = mapped_column(default=False)
    starts: Mapped[date]
    ends: Mapped[date | None]
    entered_by: Mapped[UUID | None]  # who said its terms as they stand: another confirms them
    confirmed_at: Mapped[datetime | None]  # told at once, « à confirmer » until then
    lifted_at: Mapped[datetime | None]
    lifted_by: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "decision_id"], ["judicial_decision.organisation_id", "judicial_decision.id"]
            ),
            CheckConstraint("NOT closes_access OR contact_id IS NOT NULL", name="closes_whom"),
            Index(None, "organisation_id", "decision_id"),
            Index(None, "organisation_id", "contact_id", postgresql_where=text("contact_id IS NOT NULL")),
        )


class EmergencyAccess(DossierEntry):
    """Someone on duty opened a dossier that nothing else opened to them, for a few hours, saying why."""

    __tablename__ = "emergency_access"
    KIND: ClassVar = Kind.EMERGENCY_ACCESS
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    professional_id: Mapped[UUID]
    reason: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[UUID | None]
    review: Mapped[str | None]  # justified · unjustified · to_discuss

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(cls, Index(None, "organisation_id", "professional_id", "usager_id"))


class Handover(DossierEntry):
    """What a professional sent of a dossier to a partner they named, under a ground (field.md §4; CSP L1110-4, L1110-12)."""

    __tablename__ = "handover"
    KIND: ClassVar = Kind.HANDOVER
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    partner_id: Mapped[UUID]
    ground: Mapped[str]  # accord · equipe · echange · loi · vital
    article: Mapped[str | None]  # of the law that asks for it
    reason: Mapped[str | None]
    person_informed: Mapped[bool] = mapped_column(default=False)
    ends_at: Mapped[
        datetime | None
    ]  # our door closes; what the partner kept stays theirs. None: sent before that was said
    stopped_at: Mapped[datetime | None]
    stopped_by: Mapped[UUID | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(["organisation_id", "partner_id"], ["partner.organisation_id", "partner.id"]),
            CheckConstraint("ground <> 'loi' OR article IS NOT NULL", name="article_of_law"),
        )


class HandoverRow(Base):
    """One row that left, at the version it had: its recipient reads that one, never what came later."""

    __tablename__ = "handover_row"
    __table_args__ = (
        ForeignKeyConstraint(["organisation_id", "handover_id"], ["handover.organisation_id", "handover.id"]),
        Index(None, "organisation_id", "partner_id", "entry_id"),
    )

    organisation_id: Mapped[UUID] = mapped_column(primary_key=True)
    handover_id: Mapped[UUID] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    partner_id: Mapped[UUID]
    usager_id: Mapped[UUID]
    kind: Mapped[str]
    version: Mapped[int]
