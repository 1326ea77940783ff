"""Structure → Organization: an ESSMS by its FINESS, part of its organisme gestionnaire. Never received: who stands in a
bundle is an outside party, even with a FINESS we know.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-organization
"""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import literal_column, select

from app.access.entry import View
from app.features.structures.models import Organisation, Structure
from app.fhir.identifiers import FINESS, STRUCTURE
from app.fhir.mapping import ResourceMap, meta
from app.fhir.search.criteria import Identifier as IdentifierCriterion
from app.fhir.search.criteria import Profile, Words, constant
from app.fhir.types import CodeableConcept, Coding, ContactPoint, Identifier, Organization, Reference

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-organization"
IDENTIFIER_TYPE = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
OF_A_FINESS = "1"  # idNat_Struct: what number follows

_whole = Organisation.organisation_id == Structure.organisation_id


class StructureFhir(View, frozen=True):
    TABLE: ClassVar = Structure
    COMPUTED: ClassVar = {
        "holder": select(Organisation.name).where(_whole).scalar_subquery(),
        "holder_finess": select(Organisation.finess).where(_whole).scalar_subquery(),
    }

    version: int
    updated_at: datetime
    name: str
    finess: str | None
    phone: str | None
    holder: str | None = None
    holder_finess: str | None = None


def to_fhir(s: StructureFhir) -> Organization:
    """The profile asks for the FINESS: without one, it is not claimed."""
    return Organization(
        id=s.id,
        meta=meta(s, *((PROFILE,) if s.finess else ())),
        identifier=(national(s.finess),) if s.finess else (),
        active=True,
        name=s.name,
        telecom=(ContactPoint(system="phone", value=s.phone),) if s.phone else (),
        partOf=Reference(
            display=s.holder,
            type="Organization",
            identifier=national(s.holder_finess) if s.holder_finess else None,
        ),
    )


def national(finess: str) -> Identifier:
    kind = CodeableConcept((Coding(IDENTIFIER_TYPE, "IDNST"),))
    return Identifier(use="official", type=kind, system=STRUCTURE, value=f"{OF_A_FINESS}{finess}")


ORGANIZATION = ResourceMap(
    profile=PROFILE,
    type_name="Organization",
    view=StructureFhir,
    to_fhir=to_fhir,
    search={
        "_profile": Profile({PROFILE: Structure.finess.is_not(None)}),
        "active": constant("true"),
        "name": Words((Structure.name,)),
        "identifier": IdentifierCriterion(
            {STRUCTURE: literal_column(f"'{OF_A_FINESS}'").concat(Structure.finess), FINESS: Structure.finess}
        ),
    },
)
