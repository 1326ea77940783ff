"""A presence or an absence ⇄ Slot; the person's schedule in a house ⇄ Schedule, whose actor is the person.

Sources: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-slot-presence-absence, …-schedule
"""

from datetime import datetime
from typing import ClassVar

import msgspec

from app.access.protection import HOUSE_HIDDEN
from app.features.presences.models import Presence, PresenceSchedule, PresenceStatus
from app.features.presences.service import is_absence
from app.features.structures.shown import FINESS
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Reference, Token, When
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    TDDUI,
    by_status,
    code_of,
    coded,
    instant_of,
    issued,
    last_updated,
    profile,
    status_author,
    system,
    to,
)
from app.fhir.types import CodeableConcept, Coding, Extension, Schedule, Slot, heard, moment
from app.kernel.clock import now
from app.kernel.errors import Invalid

SLOT, SCHEDULE = profile("slot-presence-absence"), profile("schedule")
PRESENCES = system("presenceabsence")
ID_PA = CodeableConcept((Coding(f"{TDDUI}/CodeSystem/tddui-slot-identifier", "PA"),))
FLAGS = {"planned": profile("planned-absence"), "billed": profile("facturation")}
STATUSES = {
    PresenceStatus.PLANNED.value: "busy-tentative",
    PresenceStatus.CONFIRMED.value: "busy",
    PresenceStatus.CANCELLED.value: "entered-in-error",
}
HEARD = {code: status for status, code in STATUSES.items()} | {"busy-unavailable": PresenceStatus.CONFIRMED.value}


class PresenceFhir(RecordView, frozen=True):
    TABLE: ClassVar = Presence
    COMPUTED: ClassVar = {"finess": FINESS, "house_hidden": HOUSE_HIDDEN}

    schedule_id: str | None
    occurred_at: datetime
    ends_at: datetime
    type_code: str
    reason_code: str | None
    planned: bool | None
    billed: bool | None
    comment: str | None
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    finess: str | None = None
    house_hidden: bool = True  # where nobody could tell


def to_fhir(p: PresenceFhir) -> Slot:
    flags = ((url, getattr(p, name)) for name, url in FLAGS.items())
    kind = coded(p.type_code)
    return Slot(
        id=p.id,
        meta=meta(p, SLOT),
        extension=tuple(Extension(url=url, valueBoolean=flag) for url, flag in flags if flag is not None),
        identifier=issued(p, PRESENCES, ID_PA),
        serviceType=(kind,) if kind else (),
        appointmentType=coded(p.reason_code),
        schedule=to("Schedule", p.schedule_id) if p.schedule_id else None,
        status=STATUSES[p.status],
        status_ext=by_status(p.status_author_id, p.status_author_kind),
        start=moment(p.occurred_at),
        end=moment(p.ends_at),
        comment=p.comment,
    )


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid for what is free, without a type, a beginning or an end. An absence that does not say why, or
    whether it was planned, is warned of.
    """
    s = heard(Slot, resource)
    starts, ends = instant_of(s.start), instant_of(s.end)
    type_code = code_of(s.serviceType[0] if s.serviceType else None)
    if s.status not in HEARD:
        raise Invalid("Un créneau libre n'est ni une présence ni une absence.", where="status")
    if type_code is None:
        raise Invalid("Dites si la personne est présente ou absente.", where="serviceType")
    if starts is None or ends is None or ends < starts:
        raise Invalid("Une présence commence, puis finit.", where="end")
    said: dict[str | None, Extension] = {}
    for one in s.extension:
        said.setdefault(one.url, one)
    flags = {name: said[url].valueBoolean if url in said else None for name, url in FLAGS.items()}
    row = Presence(
        schedule_id=inbound.target(s.schedule, "Schedule"),
        occurred_at=starts,
        ends_at=ends,
        absent=is_absence(type_code),
        type_code=type_code,
        reason_code=code_of(s.appointmentType),
        comment=s.comment,
        status=HEARD[s.status],
        status_changed_at=last_updated(resource),
        **flags,
        **status_author(inbound, s.status_ext),
    )
    if row.absent and s.appointmentType is None:
        inbound.warn("required", "appointmentType", "Le profil TDDUI demande le motif d'une absence.")
    if row.absent and row.planned is None:
        inbound.warn("required", "extension", "Le profil TDDUI demande si une absence était prévue.")
    return Arrived(row)


def masked(p: PresenceFhir) -> PresenceFhir:
    """What is written freely may name a protected house."""
    return msgspec.structs.replace(p, comment=None) if p.house_hidden else p


class ScheduleFhir(RecordView, frozen=True):
    TABLE: ClassVar = PresenceSchedule
    COMPUTED: ClassVar = {"house_hidden": HOUSE_HIDDEN}

    house_hidden: bool = True  # where nobody could tell


def schedule_to_fhir(s: ScheduleFhir) -> Schedule:
    return Schedule(id=s.id, meta=meta(s, SCHEDULE), actor=(to("Patient", s.usager_id),))


def schedule_from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when its actor is not the person: it is then no schedule of presences."""
    s = heard(Schedule, resource)
    if not any((actor.reference or "").startswith("Patient/") for actor in s.actor):
        raise Invalid("L'acteur de ce calendrier n'est pas la personne.", where="actor")
    begins = s.planningHorizon.start if s.planningHorizon else None
    return Arrived(PresenceSchedule(occurred_at=instant_of(begins) or last_updated(resource) or now()))


def to_others(kept: Json) -> Json:
    """Its sender may know the person by another id."""
    within = {name: node for name, node in kept.get("within", {}).items() if name != "actor"}
    return {**kept, "within": within}


PRESENCE = ResourceMap(
    profile=SLOT,
    type_name="Slot",
    view=PresenceFhir,
    to_fhir=to_fhir,
    from_fhir=from_fhir,
    systems=frozenset({PRESENCES}),
    by_type=False,  # a Slot may be free, in someone else's calendar
    search={
        "identifier": Issued(Presence, PRESENCES),
        "schedule": Reference(Presence.schedule_id, "Schedule"),
        "service-type": Coded(Presence.type_code),
        "appointment-type": Coded(Presence.reason_code),
        "start": When(Presence.occurred_at),
        "status": Token.by(Presence.status, STATUSES, of="Slot.status"),
    },
    masked=masked,
    hides=lambda p: p.house_hidden,
    of_team=("comment",),  # as `schemas.MyPresenceOut`
)
PRESENCE_SCHEDULE = ResourceMap(
    profile=SCHEDULE,
    type_name="Schedule",
    view=ScheduleFhir,
    to_fhir=schedule_to_fhir,
    from_fhir=schedule_from_fhir,
    by_type=False,  # a Schedule may be someone else's
    search={"actor": Reference(PresenceSchedule.usager_id, "Patient")},
    hides=lambda s: s.house_hidden,
    to_others=to_others,
)
