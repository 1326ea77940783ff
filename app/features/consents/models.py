"""An answer to a question of `sharing_consent`: who said what, when, on which wording. Added, never changed: the proof.

Source: RGPD art. 7 (proof of the consent, as easy to withdraw as to give); CSP L1110-4 III.
"""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, declared_attr

from app.access.entry import DossierEntry, entry_args
from app.access.permissions import Category, Kind


class QuestionKind(StrEnum):
    """Never mixed in one list (field.md §4)."""

    SHARING = "partage"
    IMAGE = "image"
    OTHER = "autre"


class Answer(StrEnum):
    ASKED = "asked"
    YES = "yes"
    NO = "no"
    TALK = "talk"
    DISAGREEMENT = "disagreement"  # two parents do not say the same: nothing leaves


class MinorAct(StrEnum):
    """Who answers for a minor (C. civ. 372-2, 373-4; CASF L223-1-2)."""

    USUEL = "usuel"  # one parent
    NON_USUEL = "non_usuel"  # both: admission, orientation, image, sharing outside the team, change of school
    GARDIEN = "gardien"  # who has their keeping: the ASE, or the house


class GivenBy(StrEnum):
    USAGER = "usager"
    REPRESENTATIVE = "representative"
    ASE = "ase"
    HOUSE = "house"


class ConsentAnswer(DossierEntry):
    __tablename__ = "consent_answer"
    KIND: ClassVar = Kind.CONSENT_ANSWER
    CATEGORY: ClassVar = Category.ADMINISTRATIVE

    consent_id: Mapped[UUID]
    answer: Mapped[str]
    given_by: Mapped[UUID]  # the usager, or the contact who stands for them
    given_by_kind: Mapped[str]
    noted_by: Mapped[UUID | None]  # the professional who heard it
    assisted_by: Mapped[str | None]
    wording_sha256: Mapped[str | None]
    consent_version: Mapped[int]  # of the question, as it was shown

    @declared_attr.directive
    def __table_args__(cls) -> tuple[object, ...]:
        return entry_args(
            cls,
            ForeignKeyConstraint(
                ["organisation_id", "consent_id"], ["sharing_consent.organisation_id", "sharing_consent.id"]
            ),
            Index(None, "organisation_id", "consent_id", "given_by"),
        )
