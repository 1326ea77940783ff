"""An event in one person's dossier ⇄ Encounter, profile "événement": eight persons, eight Encounters.

The place goes out as text; « lieu protégé » to whoever is neither of the team nor the person. What a partner sends is an
event of its own, which the team may then move, report on, or join others to.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-encounter-evenement
"""

from datetime import datetime
from typing import Any, ClassVar

import msgspec
from sqlalchemy import ARRAY, Uuid, func, not_, or_, select

from app.access.protection import HOUSE_HIDDEN, PROTECTED, house_hidden
from app.features.calendar.models import EventAttendee, EventParticipant, EventStatus
from app.features.calendar.schemas import WITH_SECRETS
from app.features.structures.shown import FINESS
from app.fhir.canonicals import extension
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Mask, References, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import coded, house, instant_of, issued, profile, system, to
from app.fhir.types import (
    CodeableConcept,
    Coding,
    Encounter,
    EncounterLocation,
    EncounterParticipant,
    Extension,
    Period,
    Primitive,
    Reference,
    heard,
    moment,
)
from app.kernel.clock import PARIS
from app.kernel.errors import Invalid

PROFILE = profile("encounter-evenement")
EVENTS = system("evenement")
VISIT = CodeableConcept((Coding("https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-identifier-type", "VN"),))
AMBULATORY = Coding("http://terminology.hl7.org/CodeSystem/v3-ActCode", "AMB")
NO_CODE = "http://terminology.hl7.org/CodeSystem/data-absent-reason"  # a type told by words alone stays beside the row
ANSWER = extension("event-answer")  # « Je viens »: TDDUI has no word for it
TEXTS = {name: profile(f"event-{name}") for name in ("label", "reason", "report")} | {"comment": profile("comment")}
FLAGS = {
    "present": profile("patient-present"),
    "approved": profile("patient-validation"),
    "outside_service": profile("outside-service"),
}
COLUMNS = {"label": "title", "reason": "reason", "report": "report", "comment": "comment"}
CANCEL_REASON = profile("event-cancel-reason")
STATUSES = {
    EventStatus.PLANNED.value: "planned",
    EventStatus.CONFIRMED.value: "triaged",
    EventStatus.DONE.value: "finished",
    EventStatus.CANCELLED.value: "cancelled",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "arrived": EventStatus.CONFIRMED.value,
    "in-progress": EventStatus.CONFIRMED.value,
    "onleave": EventStatus.CONFIRMED.value,
    "entered-in-error": EventStatus.CANCELLED.value,
}
SILENT = ("title", "reason", "comment", "report", "cancel_reason")  # written freely: each may name the place


class Attends(msgspec.Struct, frozen=True):
    professional_id: str | None = None
    contact_id: str | None = None
    partner_id: str | None = None
    name: str | None = None
    companion: bool = False
    secret: bool = False


_attends = msgspec.json.Decoder(tuple[Attends, ...]).decode


class EventFhir(RecordView, frozen=True):
    TABLE: ClassVar = EventParticipant
    COMPUTED: ClassVar = {
        "finess": FINESS,
        "attendees": WITH_SECRETS,
        "house_hidden": HOUSE_HIDDEN,
    }

    structure_id: str
    title: str | None
    types: list[str]
    reason: str | None
    comment: str | None
    report: str | None
    place: str | None
    place_protected: bool
    occurred_at: datetime
    ends_at: datetime
    status: str
    cancel_reason: str | None
    present: bool | None
    approved: bool | None
    outside_service: bool | None
    answer: str
    stay_id: str | None
    finess: str | None = None
    attendees: str = "[]"
    house_hidden: bool = True  # where nobody could tell


def to_fhir(e: EventFhir) -> Encounter:
    """The class of the encounter and who is in charge are ours to say of our own only."""
    ours = e.origin_partner_id is None
    reason = (Extension(url=CANCEL_REASON, valueString=e.cancel_reason),) if e.cancel_reason else ()
    return Encounter(
        id=e.id,
        meta=meta(e, PROFILE),
        extension=(*_texts(e), *_flags(e), *_answered(e)),
        identifier=issued(e, EVENTS, VISIT),
        status=STATUSES[e.status],
        status_ext=Primitive(extension=reason) if reason else None,
        class_=AMBULATORY if ours else None,
        type=tuple(concept for code in e.types if (concept := coded(code))),
        subject=to("Patient", e.usager_id),
        participant=tuple(EncounterParticipant(individual=_who(one)) for one in _attends(e.attendees)),
        period=Period(moment(e.occurred_at), moment(e.ends_at)),
        location=(EncounterLocation(location=Reference(display=e.place)),) if e.place else (),
        serviceProvider=house(e.structure_id) if ours else None,
        partOf=to("Encounter", e.stay_id) if e.stay_id else None,
    )


def _texts(e: EventFhir) -> tuple[Extension, ...]:
    told = ((url, getattr(e, COLUMNS[name])) for name, url in TEXTS.items())
    return tuple(Extension(url=url, valueString=text) for url, text in told if text)


def _flags(e: EventFhir) -> tuple[Extension, ...]:
    told = ((url, getattr(e, name)) for name, url in FLAGS.items())
    return tuple(Extension(url=url, valueBoolean=flag) for url, flag in told if flag is not None)


def _answered(e: EventFhir) -> tuple[Extension, ...]:
    return (Extension(url=ANSWER, valueCode=e.answer),) if e.answer != "asked" else ()


def _who(one: Attends) -> Reference:
    if one.professional_id:
        return Reference(f"Practitioner/{one.professional_id}", one.name)
    return Reference(f"RelatedPerson/{one.contact_id}", one.name) if one.contact_id else Reference(display=one.name)


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid without a beginning, or when it ends before."""
    e = heard(Encounter, resource)
    starts = instant_of(e.period.start if e.period else None)
    ends = instant_of(e.period.end if e.period else None) or starts
    if starts is None or ends is None or ends < starts:
        raise Invalid("Un événement commence, puis finit.", where="period", code="event.no_date")
    said: dict[str | None, Extension] = {}
    for one in e.extension:
        said.setdefault(one.url, one)
    values: dict[str, Any] = {COLUMNS[name]: _text(said.get(url)) for name, url in TEXTS.items()}
    values |= {name: said[url].valueBoolean if url in said else None for name, url in FLAGS.items()}
    reasons = [x for x in (e.status_ext.extension if e.status_ext else ()) if x.url == CANCEL_REASON]
    place = e.location[0].location if e.location else None
    row = EventParticipant(
        event_id=inbound.id,
        types=[code for concept in e.type if (code := _code(concept))],
        place=place.display if place and place.reference is None else None,
        starts=starts.astimezone(PARIS).replace(tzinfo=None),
        ends=ends.astimezone(PARIS).replace(tzinfo=None),
        zone=PARIS.key,
        occurred_at=starts,
        ends_at=ends,
        status=HEARD.get(e.status or "", EventStatus.PLANNED.value),
        cancel_reason=_text(reasons[0]) if reasons else None,
        stay_id=inbound.target(e.partOf, "Encounter"),
        **values,
    )
    return Arrived(row)


def _text(told: Extension | None) -> str | None:
    return told.valueString or None if told else None


def _code(concept: CodeableConcept) -> str | None:
    """One code, kept as `system|code`; what a concept says otherwise stays beside the row."""
    one = concept.coding[0] if len(concept.coding) == 1 else None
    return f"{one.system}|{one.code}" if one and one.system and one.code and one.system != NO_CODE else None


def masked(e: EventFhir) -> EventFhir:
    """The place, what is written freely, who is met there; the house, where the person lives in a protected one; and a
    contact whom a child keeps from their parents.
    """
    if e.house_hidden:
        e = msgspec.structs.replace(e, structure_id=PROTECTED, finess=None)
    told = [one for one in _attends(e.attendees) if not one.secret]
    e = msgspec.structs.replace(e, attendees=msgspec.json.encode(told).decode())
    if not e.place_protected:
        return e
    place = PROTECTED if e.place else None
    return msgspec.structs.replace(e, place=place, attendees="[]", **dict.fromkeys(SILENT))


_OURS = EventParticipant.origin_partner_id.is_(None)
_PRACTITIONERS = func.array(
    select(EventAttendee.professional_id)
    .where(
        EventAttendee.organisation_id == EventParticipant.organisation_id,
        EventAttendee.event_id == EventParticipant.event_id,
        not_(EventAttendee.removed),
        or_(EventAttendee.usager_id.is_(None), EventAttendee.usager_id == EventParticipant.usager_id),
        EventAttendee.professional_id.is_not(None),
    )
    .correlate(EventParticipant)
    .scalar_subquery(),
    type_=ARRAY(Uuid()),
)
EVENT = ResourceMap(
    profile=PROFILE,
    type_name="Encounter",
    view=EventFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({EVENTS}),
    by_type=False,  # a stay is an Encounter too
    search={
        "class": constant("AMB", AMBULATORY.system, knows=_OURS),
        "date": When(EventParticipant.occurred_at, EventParticipant.ends_at),
        "identifier": Issued(EventParticipant, EVENTS),
        "part-of": Leads(EventParticipant.stay_id, "Encounter"),
        "practitioner": References(
            _PRACTITIONERS,
            "Practitioner",
            knows=_OURS,
            mask=Mask(EventParticipant, EventParticipant.place_protected),
            told_by=lambda e: [one.professional_id for one in _attends(e.attendees)],
        ),
        "service-provider": Leads(
            EventParticipant.structure_id,
            "Organization",
            knows=_OURS,
            mask=Mask(EventParticipant, house_hidden(EventParticipant)),
        ),
        "status": Token.by(EventParticipant.status, STATUSES, of="Encounter.status"),
        "type": Coded(EventParticipant.types),
    },
    masked=masked,
    hides=lambda e: e.place_protected or e.house_hidden,
    of_team=("reason", "comment", "cancel_reason", "present"),  # as `schemas.MyEventOut`
)
