"""Who is calling. Four kinds of caller, never mixed: staff, the person, who represents them, a partner system.

`shape` is what the policy may know when it writes SQL: a kind and a role, never an id.
`facts` are the values the database is given with it.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import ClassVar
from uuid import UUID


class Role(StrEnum):
    EDUCATEUR = "educateur"
    ACCOMPAGNANT = "accompagnant"
    VEILLEUR = "veilleur"
    AIDE_SOIGNANT = "aide_soignant"
    INFIRMIER = "infirmier"
    MEDECIN = "medecin"
    PSYCHOLOGUE = "psychologue"
    PARAMEDICAL = "paramedical"
    ASSISTANT_SOCIAL = "assistant_social"
    ENSEIGNANT = "enseignant"
    BENEVOLE = "benevole"
    CHEF_DE_SERVICE = "chef_de_service"
    COORDINATEUR = "coordinateur"
    IDEC = "idec"
    SECRETARIAT = "secretariat"
    DIRECTION = "direction"
    EVALUATEUR = "evaluateur"
    DPO = "dpo"
    ADMIN = "admin"


class Caller(StrEnum):
    PROFESSIONAL = "professional"
    USAGER = "usager"
    REPRESENTATIVE = "representative"
    PARTNER = "partner"


@dataclass(frozen=True, slots=True)
class Shape:
    """All callers who get the same SQL."""

    kind: Caller
    role: Role | None = None


@dataclass(frozen=True, kw_only=True)
class Session:
    """What every caller carries. `session_id` is checked alive by the statement that reads (revocation acts at once)."""

    id: UUID  # the professional, the usager, the representative's contact row, the partner
    organisation_id: UUID
    session_id: UUID
    expires: float  # seconds since the epoch: re-checked at each use of a cached token


@dataclass(frozen=True, kw_only=True)
class Professional(Session):
    """One membership: a role over one or several structures. Rights of several are never added up."""

    account_id: UUID
    membership_id: UUID
    role: Role

    @cached_property
    def shape(self) -> Shape:
        return Shape(Caller.PROFESSIONAL, self.role)


@dataclass(frozen=True, kw_only=True)
class UsagerSelf(Session):
    """The person supported, in their own dossier; `id` is the usager's."""

    shape: ClassVar = Shape(Caller.USAGER)

    @property
    def usager_id(self) -> UUID:
        return self.id


@dataclass(frozen=True, kw_only=True)
class Representative(Session):
    """Who holds a mandate for one person; `id` is the contact row that carries the mandate."""

    shape: ClassVar = Shape(Caller.REPRESENTATIVE)
    usager_id: UUID


@dataclass(frozen=True, kw_only=True)
class Partner(Session):
    """A partner system exchanging FHIR bundles; `structure_id` receives what it sends.

    `scopes` are granted per FHIR type, such as `CarePlan.r` or `*.s`; the FHIR verbs check them, the policy bounds them.
    """

    shape: ClassVar = Shape(Caller.PARTNER)
    structure_id: UUID
    scopes: frozenset[str]


Principal = Professional | UsagerSelf | Representative | Partner
