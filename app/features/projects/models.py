"""Projet personnalisé: what the person wants, what they and the team decide together, and what becomes of it.

Law: CASF L311-3 7° (direct participation of the person); TDDUI, bloc « projet personnalisé ».
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-careplan-projet-personnalise
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKeyConstraint, Index, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.access.entry import DossierEntry, entry_args, leading
from app.access.permissions import Category, Kind
from app.features.projects.vocabulary import GoalKind, GoalStatus, ProjectStatus, TaskStatus


class Project(DossierEntry):
    """`number`: 1, 2, 3 for one person in one place; an amendment (avenant) has its own, and `replaces_id`."""

    __tablename__ = "project"
    KIND: ClassVar = Kind.PROJECT
    CATEGORY: ClassVar = Category.SUPPORT

    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=ProjectStatus.DRAFT.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    starts: Mapped[date | None]
    ends: Mapped[date | None]
    type_code: Mapped[str | None]  # JDV_J367, kept as `system|code`
    communication: Mapped[str | None]  # how the project was told to the person
    replaces_id: Mapped[UUID | None]
    next_review_on: Mapped[date | None]
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))  # what the project starts from

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            UniqueConstraint("organisation_id", "id", "usager_id"),  # a part is of the same person: `part_args`
            ForeignKeyConstraint(["organisation_id", "replaces_id"], ["project.organisation_id", "project.id"]),
            leading("ix_project_replacing", "replaces_id"),
            Index(
                "ix_project_due",
                "organisation_id",
                "next_review_on",
                "id",
                postgresql_where=text("status IN ('active', 'on_hold')"),
            ),
        )


def part_args(cls: Any, *more: Any) -> tuple[Any, ...]:
    """The keys and indexes of every part of a project."""
    name = cls.__tablename__
    whole = ForeignKeyConstraint(
        ["organisation_id", "project_id", "usager_id"],
        ["project.organisation_id", "project.id", "project.usager_id"],
        name=f"fk_{name}_project",
    )
    return entry_args(cls, whole, Index(f"ix_{name}_of_project", "organisation_id", "project_id"), *more)


def _former(name: str) -> ForeignKeyConstraint:
    """The same part in the project that this one's project replaces."""
    return ForeignKeyConstraint(["organisation_id", "replaces_id"], [f"{name}.organisation_id", f"{name}.id"])


def _of_action() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["organisation_id", "action_id"], ["action.organisation_id", "action.id"])


class Expectation(DossierEntry):
    """Attente: someone's words as they were said. Never edited; more words are another row that `adds_to_id`."""

    __tablename__ = "expectation"
    KIND: ClassVar = Kind.EXPECTATION
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    adds_to_id: Mapped[UUID | None]
    origin: Mapped[str]
    said_by: Mapped[str | None]  # « sa sœur »: who, when the origin does not say enough
    said_on: Mapped[date | None]
    words: Mapped[str]
    comments: Mapped[list[str] | None]  # what the team adds to make it clearer, in order; only added to
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        adds = ForeignKeyConstraint(
            ["organisation_id", "adds_to_id"], ["expectation.organisation_id", "expectation.id"]
        )
        return part_args(cls, adds, _former("expectation"))


class Need(DossierEntry):
    """Besoin, told on the page as « Ce qui est difficile pour moi »; SERAFIN-PH 1.x."""

    __tablename__ = "need"
    KIND: ClassVar = Kind.NEED
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    text: Mapped[str]
    serafin: Mapped[str | None]  # JDV_J285, kept as `system|code`
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls, _former("need"))


class Goal(DossierEntry):
    """Objectif. What the team sees and what the person says stand side by side; neither replaces the other."""

    __tablename__ = "goal"
    KIND: ClassVar = Kind.GOAL
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str | None]
    kind: Mapped[str] = mapped_column(default=GoalKind.AVANCER.value)
    status: Mapped[str] = mapped_column(default=GoalStatus.PLANNED.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    step: Mapped[str | None]
    strategy: Mapped[str | None]
    referent_id: Mapped[UUID | None]
    referent_kind: Mapped[str | None]
    referent_name: Mapped[str | None]
    review_on: Mapped[date | None]
    need_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    team_view: Mapped[str | None]
    team_view_at: Mapped[datetime | None]
    team_view_by: Mapped[UUID | None]
    opinion_feeling: Mapped[str | None]
    opinion_words: Mapped[str | None]
    opinion_at: Mapped[datetime | None]
    evaluation_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls, _former("goal"))


class ProjectAction(DossierEntry):
    """Action: what is done for one or several goals, and who sees to it."""

    __tablename__ = "action"
    KIND: ClassVar = Kind.ACTION
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=TaskStatus.DRAFT.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    expected_result: Mapped[str | None]
    person_opinion: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    owner_kind: Mapped[str | None]
    owner_name: Mapped[str | None]  # « AESH »: told by a word alone
    starts: Mapped[date | None]
    ends: Mapped[date | None]
    goal_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    evaluation_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls, _former("action"))


class ProjectService(DossierEntry):
    """Prestation; SERAFIN-PH 2.x and 3.x."""

    __tablename__ = "service"
    KIND: ClassVar = Kind.SERVICE
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    action_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str | None]
    types: Mapped[list[str] | None]  # JDV_J283, JDV_J284, each kept as `system|code`
    status: Mapped[str] = mapped_column(default=TaskStatus.DRAFT.value)
    status_changed_at: Mapped[datetime | None]
    status_author_id: Mapped[UUID | None]
    status_author_kind: Mapped[str | None]
    evaluation_id: Mapped[UUID | None]
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls, _former("service"), _of_action(), leading("ix_service_of_action", "action_id"))


class Means(DossierEntry):
    """Moyen ou ressource."""

    __tablename__ = "means"
    KIND: ClassVar = Kind.MEANS
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    replaces_id: Mapped[UUID | None]
    action_id: Mapped[UUID | None]
    title: Mapped[str]
    description: Mapped[str | None]
    status: Mapped[str] = mapped_column(default=TaskStatus.DRAFT.value)
    evaluation_id: Mapped[UUID | None]
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls, _former("means"), _of_action(), leading("ix_means_of_action", "action_id"))


class Review(DossierEntry):
    """Bilan: at least once a year, or when the person asks, or when something changes (TDDUI, classe Bilan).

    `preparations` and `prepared_by` go by pairs: what each said beforehand.
    """

    __tablename__ = "review"
    KIND: ClassVar = Kind.REVIEW
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    status: Mapped[str] = mapped_column(default=TaskStatus.DRAFT.value)
    status_code: Mapped[str | None]  # JDV_J366, kept as `system|code`
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    perimeter: Mapped[str | None]
    question: Mapped[str | None]  # problématique
    guests: Mapped[str | None]
    preparations: Mapped[list[str] | None]
    prepared_by: Mapped[list[str] | None]
    synthesis: Mapped[str | None]
    next_review_on: Mapped[date | None]
    attachment_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid()))

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls)


class Agreement(DossierEntry):
    """One party's answer on the project as it was shown to them; a change of mind is another row.

    `shown_sha256` is the fingerprint of what was shown (`seen.fingerprint`), `shown_version` the project's version.
    """

    __tablename__ = "agreement"
    KIND: ClassVar = Kind.AGREEMENT
    CATEGORY: ClassVar = Category.SUPPORT

    project_id: Mapped[UUID]
    party: Mapped[str]
    answer: Mapped[str]
    signed_at: Mapped[datetime]
    signer_id: Mapped[UUID | None]
    signer_kind: Mapped[str | None]
    signer_name: Mapped[str | None]
    comment: Mapped[str | None]
    shown_version: Mapped[int | None]
    shown_sha256: Mapped[str | None]
    starts: Mapped[date | None]
    ends: Mapped[date | None]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return part_args(cls)


PARTS: tuple[type[DossierEntry], ...] = (
    Expectation, Need, Goal, ProjectAction, ProjectService, Means, Review, Agreement,
)  # fmt: skip
