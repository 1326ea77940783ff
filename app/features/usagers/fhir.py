"""Usager ⇄ FHIR Patient: with the INS once the identity is qualified here, without any before.

What a sender declares (INS, status, its own numbers) is kept beside the row, given back to it alone, and shown to the
team as its word. Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-patient and
…/tddui-patient-ins; https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins
"""

from datetime import date
from typing import ClassVar

import msgspec
from sqlalchemy import case, literal_column, not_, or_

from app.access.entry import word
from app.features.structures.shown import FINESS
from app.features.usagers import names, numbers
from app.features.usagers.fhir_numbers import NUMBERED, NUMBERS, Number, declared, identifier, opened
from app.features.usagers.models import IdentityDocument, IdentityStatus, Usager
from app.fhir import coordinates
from app.fhir.identifiers import USAGER, BusinessId
from app.fhir.keeping import ITEMS, KEPT, KEY, WHOLE, WITHIN
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Profile, Token, When, Words, flag
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.reached import reached
from app.fhir.tddui import bare, whole_day
from app.fhir.types import (
    Address,
    CodeableConcept,
    Coding,
    Extension,
    HumanName,
    Identifier,
    Patient,
    PatientLink,
    Primitive,
    Reference,
    heard,
)

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition"
CORE = "https://hl7.fr/ig/fhir/core"
PROFILE, PROFILE_INS = f"{TDDUI}/tddui-patient", f"{TDDUI}/tddui-patient-ins"
ALSO = (PROFILE_INS, f"{CORE}/StructureDefinition/fr-core-patient", f"{CORE}/StructureDefinition/fr-core-patient-ins")
BIRTH_ORDER = f"{TDDUI}/tddui-birth-order"
GIVEN_NAMES = f"{CORE}/StructureDefinition/fr-core-patient-birth-list-given-name"
RELIABILITY = f"{CORE}/StructureDefinition/fr-core-identity-reliability"
STATUS = f"{CORE}/CodeSystem/fr-core-cs-v2-0445"
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
INSEE = f"{CORE}/StructureDefinition/fr-core-address-insee-code"
COMMUNE = "https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM"
ITS_OWN = frozenset({"identifier", "meta", "text", "contained"})
PI = CodeableConcept((Coding("http://terminology.hl7.org/CodeSystem/v2-0203", "PI"),))
GENDERS = ("male", "female", "unknown")


class PatientFhir(RecordView, frozen=True):
    """`numbers` are ours: sealed, as JSON, when read; opened before they go out."""

    TABLE: ClassVar = Usager
    COMPUTED: ClassVar = {"numbers": NUMBERS, "finess": FINESS}

    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    gender: str | None
    birth_place_code: str | None
    birth_place_name: str | None
    birth_order: int | None
    identity_status: str
    identity_document: str | None
    identity_checked_on: date | None
    phone: str | None
    email: str | None
    address: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    address_protected: bool
    died_on: date | None
    merged_into_id: str | None
    numbers: str | tuple[Number, ...] | None = None
    finess: str | None = None


def to_fhir(u: PatientFhir) -> Patient:
    qualified = u.identity_status == IdentityStatus.QUALIFIEE
    known = [n for n in u.numbers or () if isinstance(n, Number) and (qualified or n.system not in numbers.INS)]
    order = Extension(url=BIRTH_ORDER, valuePositiveInt=u.birth_order) if u.birth_order else None
    return Patient(
        id=u.id,
        meta=meta(u, PROFILE_INS if qualified else PROFILE),
        active=False if u.merged_into_id else None,
        extension=(*_reliability(u), *_birth_place(u)),
        identifier=(*_local(u), *(identifier(n) for n in known)),
        name=_names(u, whole=qualified),
        telecom=coordinates.telecoms(u.phone, u.email),
        gender=u.gender,
        birthDate=str(u.birth_date) if u.birth_date else None,
        birthDate_ext=Primitive(extension=(order,)) if order else None,
        deceasedDateTime=str(u.died_on) if u.died_on else None,
        address=coordinates.addresses(u),
        link=(PatientLink(other=Reference(f"Patient/{u.merged_into_id}"), type="replaced-by"),)
        if u.merged_into_id
        else (),
    )


def _local(u: PatientFhir) -> tuple[Identifier, ...]:
    """The number of the person in this house, by rule; of someone a partner sent, it gives its own."""
    if u.origin_partner_id is not None or u.finess is None:
        return ()
    return (Identifier(use="usual", type=PI, system=USAGER, value=str(BusinessId(u.finess, bare(u.id)))),)


def _names(u: PatientFhir, *, whole: bool) -> tuple[HumanName, ...]:
    given = u.birth_given_names.split()
    listed = Extension(url=GIVEN_NAMES, valueString=u.birth_given_names)
    official = HumanName(
        use="official",
        family=u.birth_family_name or None,
        given=tuple(given[:1]),
        extension=(listed,) if given and (whole or len(given) > 1) else (),
    )
    used = HumanName(use="usual", family=u.used_family_name, given=(u.used_given_name,) if u.used_given_name else ())
    named = u.birth_family_name or given
    return (*((official,) if named else ()), *((used,) if u.used_family_name or u.used_given_name else ()))


# fr-core's words for how an identity was checked; it has none that is sure for a family book.
MODES = {
    IdentityDocument.CARTE_IDENTITE: "CN",
    IdentityDocument.PASSEPORT: "PA",
    IdentityDocument.TITRE_SEJOUR: "CS",
    IdentityDocument.ACTE_NAISSANCE: "AN",
}
MODE = f"{CORE}/CodeSystem/fr-core-cs-identity-method-collection"


def _reliability(u: PatientFhir) -> tuple[Extension, ...]:
    """Said once a document was seen here: FHIR knows VALI for a qualified identity, PROV for any other."""
    if u.identity_status == IdentityStatus.PROVISOIRE:
        return ()
    code = "VALI" if u.identity_status == IdentityStatus.QUALIFIEE else "PROV"
    said = [Extension(url="identityStatus", valueCoding=Coding(STATUS, code))]
    if u.identity_checked_on:
        said.append(Extension(url="validationDate", valueDate=str(u.identity_checked_on)))
    if mode := MODES.get(IdentityDocument(u.identity_document)) if u.identity_document else None:
        said.append(Extension(url="validationMode", valueCoding=Coding(MODE, mode)))
    return (Extension(url=RELIABILITY, extension=tuple(said)),)


def _birth_place(u: PatientFhir) -> tuple[Extension, ...]:
    if not (u.birth_place_code or u.birth_place_name):
        return ()
    insee = Extension(url=INSEE, valueCoding=Coding(COMMUNE, u.birth_place_code))
    place = Address(extension=(insee,) if u.birth_place_code else (), city=u.birth_place_name)
    return (Extension(url=BIRTH_PLACE, valueAddress=place),)


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """A provisional identity, whatever its sender claims; the numbers it declares stand beside, as its word."""
    p = heard(Patient, resource)
    place = next((e.valueAddress for e in p.extension if e.url == BIRTH_PLACE and e.valueAddress), Address())
    row = Usager(
        **_heard_names(p),
        birth_date=whole_day(p.birthDate),
        gender=p.gender if p.gender in GENDERS else None,
        birth_place_code=next((e.valueCoding.code for e in place.extension if e.url == INSEE and e.valueCoding), None),
        birth_place_name=place.city,
        birth_order=_order(p.birthDate_ext),
        identity_status=IdentityStatus.PROVISOIRE.value,
        died_on=whole_day(p.deceasedDateTime),
        **coordinates.heard(p.telecom, p.address),
    )
    for name, value in names.keys({name: getattr(row, name) for name in names.SAID}).items():
        setattr(row, name, value)
    return Arrived(row, tuple(declared(p, inbound)))


def _heard_names(p: Patient) -> dict[str, str | None]:
    official = next((n for n in p.name if n.use == "official"), None) or next(iter(p.name), HumanName())
    usual = next((n for n in p.name if n.use == "usual" and n is not official), HumanName())
    given = " ".join(g for g in official.given if g)
    listed = next((e.valueString for e in official.extension if e.url == GIVEN_NAMES and e.valueString), None)
    return {
        "birth_family_name": official.family or official.text or "",
        "birth_given_names": listed or given,
        "used_family_name": usual.family,
        "used_given_name": " ".join(g for g in usual.given if g) or None,
    }


def _order(beside: Primitive | None) -> int | None:
    extensions = beside.extension if beside else ()
    return next((e.valuePositiveInt for e in extensions if e.url == BIRTH_ORDER), None)


def masked(u: PatientFhir) -> PatientFhir:
    return msgspec.structs.replace(u, **coordinates.HIDDEN) if u.address_protected else u


def to_others(kept: Json) -> Json:
    """Without what its sender alone may have back: its numbers, the status and the profile it claims, its prose."""
    told = {part: {n: v for n, v in said.items() if n not in ITS_OWN} for part, said in kept.items()}
    for node in (told.get(KEPT, {}), told.get(WITHIN, {})):
        if extensions := node.get("extension"):
            items = extensions[ITEMS] if isinstance(extensions, dict) else extensions
            others = [item for item in items if _url(item) != RELIABILITY]
            node["extension"] = {**extensions, ITEMS: others} if isinstance(extensions, dict) else others
    return told


def _url(item: Json) -> str:
    """Of an extension kept whole, or of what was kept beside one of ours."""
    return str(item.get(WHOLE, item).get("url") or str(item.get(KEY) or "").removeprefix("url="))


_QUALIFIED = Usager.identity_status == word(IdentityStatus.QUALIFIEE)
_DIED = or_(
    Usager.died_on.is_not(None), Usager.told_in_part.op("->")(literal_column("'deceasedDateTime'")).is_not(None)
)
PATIENT = ResourceMap(
    profile=PROFILE,
    type_name="Patient",
    view=PatientFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    also=ALSO,
    search={
        "_profile": Profile({PROFILE_INS: _QUALIFIED, PROFILE: not_(_QUALIFIED)}),
        "active": Token(
            case((Usager.merged_into_id.is_not(None), word("false"))),
            {"true": (), "false": ("false",)},
            knows=Usager.origin_partner_id.is_(None),
        ),
        "birthdate": When(Usager.birth_date, at=("birthDate",), parts=Usager.told_in_part),
        "death-date": When(Usager.died_on, at=("deceasedDateTime",), parts=Usager.told_in_part),
        "deceased": flag(_DIED, knows=or_(Usager.origin_partner_id.is_(None), _DIED)),
        "family": Words(
            (Usager.birth_family_name, Usager.used_family_name),
            keys=(Usager.name_key, Usager.used_name_key),
            between=names.prefix,
        ),
        "gender": Token.by(Usager.gender, {code: code for code in GENDERS}, of="Patient.gender"),
        "given": Words((Usager.birth_given_names, Usager.used_given_name), words=True),
        "identifier": NUMBERED,
        "link": Leads(Usager.merged_into_id, "Patient"),
        "name": Words(tuple(getattr(Usager, name) for name in names.SAID), words=True),
        **reached(Usager),
    },
    masked=masked,
    hides=lambda u: u.address_protected,
    unseals=lambda u, keyring: msgspec.structs.replace(u, numbers=opened(u.numbers, keyring)),
    to_others=to_others,
)
