"""Professional → Practitioner, membership → PractitionerRole: who works here, in what role, where, until when.

Never received: a practitioner of a bundle is an outside party, even with an RPPS we know. Sources:
https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-practitioner and …/tddui-practitioner-role
"""

from datetime import date, datetime, timedelta
from typing import ClassVar

from sqlalchemy import ARRAY, Date, Text, Uuid, and_, cast, func, literal_column, or_

from app.access.entry import View
from app.access.models import Membership, Professional
from app.features.professionals.schemas import STRUCTURE_IDS
from app.fhir.canonicals import code_system, extension
from app.fhir.identifiers import PROFESSIONAL, RPPS
from app.fhir.mapping import ResourceMap, meta
from app.fhir.search.criteria import Identifier as IdentifierCriterion
from app.fhir.search.criteria import Profile, References, Token, When, Words, flag
from app.fhir.search.criteria import Reference as ReferenceCriterion
from app.fhir.types import (
    CodeableConcept,
    Coding,
    Extension,
    HumanName,
    Identifier,
    Period,
    Practitioner,
    PractitionerRole,
    Qualification,
    Reference,
)
from app.kernel.clock import today
from app.security.principal import Role

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
PRACTITIONER_PROFILE, ROLE_PROFILE = f"{TDDUI}/tddui-practitioner", f"{TDDUI}/tddui-practitioner-role"
IDENTIFIER_TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
OF_AN_RPPS = "8"  # idNat_PS: what number follows
ROLE = code_system("role")  # JDV_J47, TDDUI's binding, was not obtained; what it gives would stand beside
ALSO_AT = extension("practitioner-role-structure")  # R4 has one organization; a role here may span several structures


class ProfessionalFhir(View, frozen=True):
    TABLE: ClassVar = Professional

    version: int
    updated_at: datetime
    family_name: str
    given_name: str
    rpps: str | None
    profession: str | None


def practitioner_to_fhir(p: ProfessionalFhir) -> Practitioner:
    """The profile asks for the national number: without one, it is not claimed."""
    return Practitioner(
        id=p.id,
        meta=meta(p, *((PRACTITIONER_PROFILE,) if p.rpps else ())),
        identifier=(_national(p.rpps),) if p.rpps else (),
        name=(HumanName(family=p.family_name, given=(p.given_name,)),),
        qualification=(Qualification(code=_concept(p.profession)),) if p.profession else (),
    )


def _national(rpps: str) -> Identifier:
    kind = CodeableConcept((Coding(IDENTIFIER_TYPE, "IDNPS"),))
    return Identifier(use="official", type=kind, system=PROFESSIONAL, value=f"{OF_AN_RPPS}{rpps}")


def _concept(profession: str) -> CodeableConcept:
    """`system|code`; a code alone is told as the words it is."""
    system, bar, code = profession.rpartition("|")
    return CodeableConcept((Coding(system, code),)) if bar else CodeableConcept(text=profession)


class MembershipFhir(View, frozen=True):
    TABLE: ClassVar = Membership
    COMPUTED: ClassVar = {"structure_ids": STRUCTURE_IDS}

    version: int
    updated_at: datetime
    professional_id: str
    role: str
    starts: date
    ends: date | None
    structure_ids: list[str] | None = None


def role_to_fhir(m: MembershipFhir) -> PractitionerRole:
    """`ends` is the first day without the role; FHIR's period tells the last day with it."""
    places = [Reference(f"Organization/{id}") for id in sorted(m.structure_ids or ())]
    day = today()
    return PractitionerRole(
        id=m.id,
        meta=meta(m, ROLE_PROFILE),
        extension=tuple(Extension(url=ALSO_AT, valueReference=each) for each in places[1:]),
        active=m.starts <= day and (m.ends is None or day < m.ends),
        period=Period(m.starts.isoformat(), (m.ends - timedelta(days=1)).isoformat() if m.ends else None),
        practitioner=Reference(f"Practitioner/{m.professional_id}"),
        organization=next(iter(places), None),
        code=(CodeableConcept((Coding(ROLE, m.role),)),),
    )


PRACTITIONER = ResourceMap(
    profile=PRACTITIONER_PROFILE,
    type_name="Practitioner",
    view=ProfessionalFhir,
    to_fhir=practitioner_to_fhir,
    search={
        "_profile": Profile({PRACTITIONER_PROFILE: Professional.rpps.is_not(None)}),
        "family": Words((Professional.family_name,)),
        "given": Words((Professional.given_name,), words=True),
        "name": Words((Professional.family_name, Professional.given_name), words=True),
        "identifier": IdentifierCriterion(
            {
                PROFESSIONAL: literal_column(f"'{OF_AN_RPPS}'", Text()).concat(Professional.rpps),
                RPPS: Professional.rpps,
            }
        ),
    },
)
_DAY = cast(func.timezone(literal_column("'Europe/Paris'"), func.now()), Date())
PRACTITIONER_ROLE = ResourceMap(
    profile=ROLE_PROFILE,
    type_name="PractitionerRole",
    view=MembershipFhir,
    to_fhir=role_to_fhir,
    search={
        "active": flag(and_(Membership.starts <= _DAY, or_(Membership.ends.is_(None), _DAY < Membership.ends))),
        "organization": References(
            cast(STRUCTURE_IDS, ARRAY(Uuid())), "Organization", told_by=lambda m: m.structure_ids
        ),
        "practitioner": ReferenceCriterion(Membership.professional_id, "Practitioner"),
        "role": Token(Membership.role, {role.value: (role.value,) for role in Role}, ROLE),
        "date": When(Membership.starts, Membership.ends),
    },
)
