"""Contact ⇄ FHIR RelatedPerson. A mandate is no part of it: TRE_R217, the binding of a legal protection, was not read.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-related-person-contact
"""

from datetime import date
from typing import ClassVar

import msgspec
from sqlalchemy import ARRAY, Text, and_, func, null
from sqlalchemy.dialects.postgresql import array

from app.access.protection import PROTECTED
from app.features.contacts.models import LAST, Contact
from app.fhir import coordinates
from app.fhir.canonicals import extension
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Mask, Words
from app.fhir.search.reached import reached
from app.fhir.types import CodeableConcept, Coding, Extension, HumanName, Reference, RelatedPerson, heard
from app.kernel.errors import Invalid

PROFILE = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-related-person-contact"
ALSO = ("https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-related-person",)
DESCRIPTION = f"{PROFILE}-description"
CALL_ORDER = extension("contact-call-order")
TRUSTED = extension("contact-trusted-person")
RELATION, PROTECTION = "TRE_R216", "TRE_R217"  # in the system's address: which part of `relationship` a code is


class ContactFhir(RecordView, frozen=True):
    TABLE: ClassVar = Contact

    family_name: str
    given_name: str | None
    role: str | None
    relation: str | None
    phone: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    address_protected: bool
    call_order: int
    trusted_person: str | None
    trusted_on: date | None
    notes: str | None


def to_fhir(c: ContactFhir) -> RelatedPerson:
    return RelatedPerson(
        id=c.id,
        meta=meta(c, PROFILE),
        extension=tuple(_extensions(c)),
        patient=Reference(f"Patient/{c.usager_id}"),
        relationship=tuple(_concept(code) for code in (c.role, c.relation) if code),
        name=(HumanName(family=c.family_name or None, given=(c.given_name,) if c.given_name else ()),),
        telecom=coordinates.telecoms(c.phone, c.email),
        address=coordinates.addresses(c),
    )


def _concept(kept: str) -> CodeableConcept:
    system, _, code = kept.rpartition("|")
    return CodeableConcept((Coding(system or None, code),))


def _extensions(c: ContactFhir) -> list[Extension]:
    told = []
    if c.notes:
        told.append(Extension(url=DESCRIPTION, valueString=c.notes))
    if c.call_order != LAST:
        told.append(Extension(url=CALL_ORDER, valuePositiveInt=c.call_order))
    if c.trusted_person:
        said = [Extension(url="status", valueCode=c.trusted_person)]
        if c.trusted_on:
            said.append(Extension(url="date", valueDate=str(c.trusted_on)))
        told.append(Extension(url=TRUSTED, extension=tuple(said)))
    return told


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid for nobody's name. Who is the personne de confiance is never taken from outside: it is signed."""
    p = heard(RelatedPerson, resource)
    name = next(iter(p.name), HumanName())
    family = name.family or name.text
    if not family:
        raise Invalid("Un contact a un nom.", where="name", code="not_carried")
    codes = [c for said in p.relationship for c in said.coding[:1] if c.code]
    extensions = {e.url: e for e in p.extension}
    order = extensions[CALL_ORDER].valuePositiveInt if CALL_ORDER in extensions else None
    row = Contact(
        family_name=family,
        given_name=" ".join(g for g in name.given if g) or None,
        role=next((_kept(c) for c in codes if RELATION not in str(c.system) and PROTECTION not in str(c.system)), None),
        relation=next((_kept(c) for c in codes if RELATION in str(c.system)), None),
        call_order=order if order and order < LAST else LAST,
        notes=extensions[DESCRIPTION].valueString if DESCRIPTION in extensions else None,
        **coordinates.heard(p.telecom, p.address),
    )
    return Arrived(row)


def _kept(c: Coding) -> str:
    return f"{c.system or ''}|{c.code}"


def masked(c: ContactFhir) -> ContactFhir:
    """What would lead to them: their phone, their e-mail, what was noted too; of a service, its very name."""
    if not c.address_protected:
        return c
    name = c.family_name if c.given_name else PROTECTED
    return msgspec.structs.replace(c, **coordinates.HIDDEN, family_name=name, notes=None)


CONTACT = ResourceMap(
    profile=PROFILE,
    type_name="RelatedPerson",
    view=ContactFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    also=ALSO,
    search={
        "name": Words(
            (Contact.family_name, Contact.given_name),
            words=True,
            mask=Mask(Contact, and_(Contact.address_protected, Contact.given_name.is_(None))),
        ),
        "relationship": Coded(func.array_remove(array([Contact.role, Contact.relation]), null(), type_=ARRAY(Text()))),
        **reached(Contact),
    },
    masked=masked,
    hides=lambda c: c.address_protected,
)
