"""What the maps of TDDUI share: its addresses and discriminators, identifiers, references, dates, codes.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui (2.4.0)
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from app.access.entry import Who
from app.access.protection import PROTECTED
from app.fhir.identifiers import TAGS, BusinessId
from app.fhir.mapping import Inbound, Json
from app.fhir.search.values import moment_of
from app.fhir.types import (
    Annotation,
    CodeableConcept,
    Coding,
    Extension,
    Identifier,
    Primitive,
    Reference,
    TaskParameter,
    moment,
)
from app.kernel.clock import PARIS, YEARS

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
DISCRIMINATOR = f"{TDDUI}/StructureDefinition/tddui-discriminator"
DISCRIMINATORS = f"{TDDUI}/CodeSystem/tddui-discriminator"
STATUS_AUTHOR = f"{TDDUI}/StructureDefinition/tddui-status-author"
ATTACHMENT = f"{TDDUI}/StructureDefinition/tddui-attachment"
TYPES = {
    Who.PROFESSIONAL: "Practitioner",
    Who.ROLE: "PractitionerRole",
    Who.CONTACT: "RelatedPerson",
    Who.USAGER: "Patient",
}
WHO = {type_name: who for who, type_name in TYPES.items()}
EXACT = 2**53
OF_THE_HOUSE = ("Practitioner", "PractitionerRole")


def profile(name: str) -> str:
    return f"{TDDUI}/StructureDefinition/tddui-{name}"


def system(name: str) -> str:
    return f"https://identifiant-medicosocial-{name}.esante.gouv.fr"


def issued(view: Any, of: str, kind: CodeableConcept | None = None) -> tuple[Identifier, ...]:
    """Our own business identifier, by rule. What arrived keeps the one its sender gave it, beside the row.

    A structure without FINESS can't make one: the row is then named by its id.
    """
    if view.origin_partner_id is not None:
        return ()
    if view.finess is None:
        return (Identifier(system="urn:ietf:rfc:3986", value=f"urn:uuid:{view.id}", type=kind),)
    number = BusinessId(view.finess, bare(view.usager_id), TAGS.get(of, "MORE"), bare(view.id))
    return (Identifier(system=of, value=str(number), type=kind),)


def bare(id: str) -> str:
    return id.replace("-", "")


def to(type_name: str, id: object) -> Reference:
    return Reference(f"{type_name}/{id}")


def all_to(type_name: str, ids: Iterable[str] | None) -> tuple[Reference, ...]:
    return tuple(to(type_name, id) for id in ids or ())


def someone(id: str | None, kind: str | None, name: str | None = None) -> Reference | None:
    """Who is told by an id, a name, or both; None when by neither."""
    if id is None:
        return Reference(display=name) if name else None
    return Reference(f"{TYPES[Who(kind or Who.PROFESSIONAL)]}/{id}", name)


def known(inbound: Inbound, reference: Reference | None, *types: str) -> tuple[UUID | None, str | None, str | None]:
    """Id, kind and name of who is referred to; a name alone when the reference leads nowhere and tells one."""
    if reference is None:
        return None, None, None
    id = inbound.target(reference, *types)
    kind = WHO[(reference.reference or "").partition("/")[0]].value if id else None
    name = reference.display if id or reference.reference is None else None
    return id, kind, name


def led_to(inbound: Inbound, references: Iterable[Reference | None], *types: str) -> list[UUID] | None:
    """The rows referred to, in order; what leads nowhere stays beside the row."""
    return [id for id in (inbound.target(r, *types) for r in references) if id] or None


def discriminated(code: str) -> Extension:
    return Extension(
        url=DISCRIMINATOR, valueCodeableConcept=CodeableConcept((Coding(system=DISCRIMINATORS, code=code),))
    )


def told_apart(item: Any) -> str | None:
    """The discriminator of an element."""
    for e in item.extension:
        if e.url == DISCRIMINATOR and e.valueCodeableConcept:
            return next((c.code for c in e.valueCodeableConcept.coding if c.system == DISCRIMINATORS), None)
    return None


def note(code: str, text: str | None, **more: Any) -> tuple[Annotation, ...]:
    return (Annotation(extension=(discriminated(code),), text=text, **more),) if text is not None else ()


def notes(items: Iterable[Annotation], code: str) -> list[Annotation]:
    return [item for item in items if told_apart(item) == code and item.text is not None]


def referring(url: str, type_name: str, ids: Iterable[str] | None) -> tuple[Extension, ...]:
    return tuple(Extension(url=url, valueReference=reference) for reference in all_to(type_name, ids))


def referred(extensions: Iterable[Extension], url: str) -> list[Reference | None]:
    return [e.valueReference for e in extensions if e.url == url]


def by_status(id: str | None, kind: str | None) -> Primitive | None:
    """Who gave the status, beside it."""
    who = someone(id, kind)
    return Primitive(extension=(Extension(url=STATUS_AUTHOR, valueReference=who),)) if who else None


def status_author(inbound: Inbound, beside: Primitive | None) -> Json:
    """The columns that say who gave the status."""
    found = referred(beside.extension if beside else (), STATUS_AUTHOR)
    id, kind, _ = known(inbound, found[0] if found else None, *OF_THE_HOUSE)
    return {"status_author_id": id, "status_author_kind": kind}


def parameter(of: str, code: str, **value: Any) -> tuple[TaskParameter, ...]:
    """One `input` or `output` of a Task; nothing when there is no value."""
    concept = CodeableConcept((Coding(system=f"{TDDUI}/CodeSystem/tddui-task-{of}", code=code),))
    return (TaskParameter(type=concept, **value),) if next(iter(value.values())) is not None else ()


def parameters(items: Iterable[TaskParameter], code: str) -> list[TaskParameter]:
    return [item for item in items if item.type and any(c.code == code for c in item.type.coding)]


def first_text(items: Iterable[TaskParameter], code: str) -> str | None:
    return next((item.valueString for item in parameters(items, code) if item.valueString), None)


def coded(code: str | None) -> CodeableConcept | None:
    """`system|code` as FHIR says it."""
    if code is None:
        return None
    of, _, value = code.rpartition("|")
    return CodeableConcept((Coding(system=of or None, code=value),))


def code_of(concept: CodeableConcept | None) -> str | None:
    told = next((c for c in (concept.coding if concept else ()) if c.code), None)
    return f"{told.system}|{told.code}" if told and told.system else (told.code if told else None)


def number(value: float) -> float | int:
    """`14.0` as `14`, as far as a double counts one by one: further, it is no whole number that JSON says again."""
    return int(value) if abs(value) < EXACT and float(value).is_integer() else value


def house(id: str) -> Reference:
    """The structure of a row, or what is told in the place of a protected one."""
    return Reference(display=PROTECTED) if id == PROTECTED else Reference(f"Organization/{id}")


def day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def at(value: datetime | None) -> str | None:
    return moment(value) if value else None


def instant_of(text: str | None) -> datetime | None:
    """What a FHIR date or instant says, at its beginning; None when it says none, or one of no life: no column holds it."""
    try:
        return moment_of(text).low if text and int(text[:4]) in YEARS else None
    except ValueError:
        return None


def day_of(text: str | None) -> date | None:
    found = instant_of(text)
    return found.astimezone(PARIS).date() if found else None


def whole_day(text: str | None) -> date | None:
    """The same, of a day or a moment: a month or a year alone is no day."""
    return day_of(text) if text and len(text) >= len("2026-11-21") else None


def last_updated(resource: Mapping[str, Any]) -> datetime | None:
    """Status date = `meta.lastUpdated` (TDDUI)."""
    about = resource.get("meta")
    return instant_of(about.get("lastUpdated")) if isinstance(about, Mapping) else None
