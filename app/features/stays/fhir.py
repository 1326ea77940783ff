"""Stay (séjour) ⇄ FHIR Encounter. `period.end` is the day of leaving, which is no more a day of the stay.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-sejour
"""

from datetime import date
from typing import ClassVar

import msgspec
from sqlalchemy import case, or_

from app.access.entry import word
from app.access.protection import HOUSE_HIDDEN, PROTECTED, house_hidden
from app.features.stays.models import Stay, StayStatus
from app.features.stays.schemas import STATUS_TODAY
from app.features.structures.shown import MODEL, OWN_FINESS
from app.fhir.identifiers import BusinessId
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Mask, Token, When
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.values import moment_of
from app.fhir.tddui import house, whole_day
from app.fhir.types import (
    CodeableConcept,
    Coding,
    Encounter,
    Extension,
    Hospitalization,
    Identifier,
    Period,
    Reference,
    heard,
)
from app.kernel.clock import today
from app.kernel.errors import Invalid

TDDUI = "https://interop.esante.gouv.fr/ig/fhir/tddui"
PROFILE = f"{TDDUI}/StructureDefinition/tddui-encounter-sejour"
SYSTEM = "https://identifiant-medicosocial-sejour.esante.gouv.fr"
STAY_NUMBER, FILE_NUMBER = (
    CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-encounter-identifier", code, display),))
    for code, display in (("SEJ", "Identifiant du séjour"), ("NUMDOSS", "Numéro de dossier administratif du séjour"))
)
PLANNED_START, PLANNED_END = (
    f"http://hl7.org/fhir/5.0/StructureDefinition/extension-Encounter.{name}"
    for name in ("plannedStartDate", "plannedEndDate")
)
ADMISSION, ENTRY, EXIT, COMMENT = (
    f"{TDDUI}/StructureDefinition/tddui-{name}"
    for name in ("admission-date", "entry-mode-label", "exit-mode-label", "comment")
)
CLASSES = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
AT_HOME = ("savs", "domicile")  # models of structures that go to the person: HH; the others receive them: IMP
STATUSES = {
    StayStatus.PLANNED: "planned",
    StayStatus.IN_PROGRESS: "in-progress",
    StayStatus.FINISHED: "finished",
    StayStatus.CANCELLED: "cancelled",
}
CODES = {code: (status.value,) for status, code in STATUSES.items()}
SILENT = ("finess", "file_number", "modality", "entry_mode", "exit_mode", "comes_from", "comment")  # of a protected one
OVER, NEVER = "finished", ("cancelled", "entered-in-error")


class StayFhir(RecordView, frozen=True):
    TABLE: ClassVar = Stay
    COMPUTED: ClassVar = {
        "status": STATUS_TODAY,
        "finess": OWN_FINESS,
        "model": MODEL,
        "house_hidden": HOUSE_HIDDEN,
    }

    structure_id: str
    starts: date
    ends: date | None
    admitted_on: date | None
    planned_start: date | None
    planned_end: date | None
    modality: str | None
    entry_mode: str | None
    exit_mode: str | None
    comes_from: str | None
    file_number: str | None
    comment: str | None
    place_protected: bool
    status: str
    finess: str | None = None
    model: str | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(s: StayFhir) -> Encounter:
    """A sender's own numbers, class and provider stand beside the row it sent."""
    ours = s.origin_partner_id is None
    system, _, code = (s.modality or "").rpartition("|")
    place = house(s.structure_id)
    ends = s.ends if s.status != StayStatus.CANCELLED else None
    return Encounter(
        id=s.id,
        meta=meta(s, PROFILE),
        extension=tuple(_extensions(s)),
        identifier=tuple(_identifiers(s)) if ours else (),
        status=STATUSES[StayStatus(s.status)],
        class_=Coding(CLASSES, "HH" if s.model in AT_HOME else "IMP") if ours else None,
        serviceType=CodeableConcept((Coding(system or None, code),)) if code else None,
        subject=Reference(f"Patient/{s.usager_id}"),
        period=Period(start=str(s.starts), end=str(ends) if ends else None),
        hospitalization=Hospitalization(origin=Reference(display=s.comes_from)) if s.comes_from else None,
        serviceProvider=place if ours else None,
    )


def _identifiers(s: StayFhir) -> list[Identifier]:
    told = []
    if s.finess:
        number = BusinessId(s.finess, _plain(s.usager_id), "SEJOUR", _plain(s.id))
        told.append(Identifier(type=STAY_NUMBER, system=SYSTEM, value=str(number)))
    if s.file_number:
        told.append(Identifier(type=FILE_NUMBER, system=SYSTEM, value=s.file_number))
    return told


def _plain(id: str) -> str:
    return id.replace("-", "")


def _extensions(s: StayFhir) -> list[Extension]:
    days = ((PLANNED_START, s.planned_start), (PLANNED_END, s.planned_end), (ADMISSION, s.admitted_on))
    texts = ((ENTRY, s.entry_mode), (EXIT, s.exit_mode), (COMMENT, s.comment))
    said = [Extension(url=url, valueDateTime=str(day)) for url, day in days if day]
    return [*said, *(Extension(url=url, valueString=text) for url, text in texts if text)]


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid without a first day. What is over without a last day ends the day it is received: it opens nothing.

    The numbers of its sender stay sealed beside the row: they may hold a NIR.
    """
    e = heard(Encounter, resource)
    said = {x.url: x for x in e.extension}
    days = {url: whole_day(said[url].valueDateTime) for url in (PLANNED_START, PLANNED_END, ADMISSION) if url in said}
    starts = whole_day(e.period.start if e.period else None) or days.get(PLANNED_START)
    if starts is None:
        raise Invalid("Un séjour a un premier jour.", where="period.start", code="not_carried")
    ends = whole_day(e.period.end if e.period else None)
    if e.status in NEVER:
        ends = starts
    elif ends is None and e.status == OVER:
        ends = max(starts, today())
        inbound.warn(
            "assumed_end", "period.end", "Ce séjour est fini sans date de fin : celle de réception est retenue."
        )
    elif ends is not None and ends < starts:
        raise Invalid("Un séjour finit après avoir commencé.", where="period.end", code="not_carried")
    status = _status(e.status, starts, ends)
    modality = next((c for c in (e.serviceType.coding if e.serviceType else ()) if c.code), None)
    origin = e.hospitalization.origin if e.hospitalization else None
    row = Stay(
        status=status.value,
        starts=starts,
        ends=ends,
        admitted_on=days.get(ADMISSION),
        planned_start=days.get(PLANNED_START),
        planned_end=days.get(PLANNED_END),
        modality=f"{modality.system or ''}|{modality.code}" if modality else None,
        entry_mode=said[ENTRY].valueString if ENTRY in said else None,
        exit_mode=said[EXIT].valueString if EXIT in said else None,
        comment=said[COMMENT].valueString if COMMENT in said else None,
        comes_from=origin.display if origin and not origin.reference else None,
        occurred_at=moment_of(str(starts)).low,
    )
    return Arrived(row)


def _status(said: str | None, starts: date, ends: date | None) -> StayStatus:
    if said in NEVER:
        return StayStatus.CANCELLED
    if ends is not None and ends <= today():
        return StayStatus.FINISHED
    return StayStatus.PLANNED if starts > today() else StayStatus.IN_PROGRESS


def protected(s: StayFhir) -> bool:
    """This stay, or a later one in the same house, is in a protected place."""
    return s.place_protected or s.house_hidden


def masked(s: StayFhir) -> StayFhir:
    if not protected(s):
        return s
    return msgspec.structs.replace(s, structure_id=PROTECTED, **dict.fromkeys(SILENT))


_PLACE = Mask(Stay, or_(Stay.place_protected, house_hidden(Stay)))
_OURS = Stay.origin_partner_id.is_(None)
_MODEL = MODEL.of(Stay)
_CLASS = case((_MODEL.in_(map(word, AT_HOME)), word("HH")), else_=word("IMP"))
STAY = ResourceMap(
    profile=PROFILE,
    type_name="Encounter",
    view=StayFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({SYSTEM}),
    by_type=False,
    search={
        "class": Token(_CLASS, {code: (code,) for code in ("HH", "IMP")}, CLASSES, knows=_OURS, mask=_PLACE),
        "date": When(Stay.starts, Stay.ends),
        "service-provider": Leads(
            Stay.structure_id,
            "Organization",
            knows=_OURS,
            mask=_PLACE,
        ),
        "status": Token(STATUS_TODAY, CODES, of="Encounter.status"),
    },
    masked=masked,
    hides=protected,
)
