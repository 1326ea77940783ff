"""A transport ⇄ Task: of the person, of a professional, or of who is not said; three profiles over one table.

`encounter` leads to the event, hence to the person; `for` is who travels. Numbers go out in the unit they came in until
the team changes them.
Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-task-transport, …-usager, …-professionnel
"""

from datetime import datetime
from functools import partial
from typing import Any, ClassVar

import msgspec

from app.access.entry import word
from app.features.structures.shown import FINESS
from app.features.transports.models import Transport, TransportStatus, Traveller
from app.features.transports.schemas import PROTECTED
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap, meta
from app.fhir.search.criteria import Coded, Criterion, Mask, Token, When, constant
from app.fhir.search.criteria import Reference as Leads
from app.fhir.search.issued import Issued
from app.fhir.tddui import (
    OF_THE_HOUSE,
    at,
    by_status,
    code_of,
    coded,
    instant_of,
    issued,
    known,
    last_updated,
    number,
    parameter,
    parameters,
    profile,
    someone,
    status_author,
    system,
    to,
)
from app.fhir.types import Money, Period, Quantity, Reference, Task, TaskParameter, heard
from app.kernel.clock import now
from app.kernel.errors import Invalid

PROFILES = {
    Traveller.USAGER: profile("task-transport-usager"),
    Traveller.PROFESSIONAL: profile("task-transport-professionnel"),
    Traveller.UNSAID: profile("task-transport"),
}
IDS = {Traveller.USAGER: system("transportusager"), Traveller.PROFESSIONAL: system("transportprofessionnel")}
INPUT = "input-transport"
STATUSES = {
    TransportStatus.PLANNED.value: "requested",
    TransportStatus.CONFIRMED.value: "accepted",
    TransportStatus.DONE.value: "completed",
    TransportStatus.CANCELLED.value: "cancelled",
}
HEARD = {code: status for status, code in STATUSES.items()} | {
    "ready": TransportStatus.CONFIRMED.value,
    "in-progress": TransportStatus.CONFIRMED.value,
    "rejected": TransportStatus.CANCELLED.value,
    "failed": TransportStatus.CANCELLED.value,
    "entered-in-error": TransportStatus.CANCELLED.value,
}
# What may tell where a protected place is: how far, with whom, and what is written freely.
SILENT = ("description", "carrier_id", "carrier_name", "distance", "distance_unit", "duration", "duration_unit")


class TransportFhir(RecordView, frozen=True):
    TABLE: ClassVar = Transport
    COMPUTED: ClassVar = {"finess": FINESS, "protected": PROTECTED}

    traveller: str
    professional_id: str | None
    professional_kind: str | None
    professional_name: str | None
    event_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    mode_code: str | None
    engine_code: str | None
    nature_code: str | None
    accompanied: bool | None
    asepsis: bool | None
    carrier_id: str | None
    carrier_name: str | None
    distance: float | None
    distance_unit: str | None
    duration: float | None
    duration_unit: str | None
    budget_planned: float | None
    budget_planned_currency: str | None
    budget_actual: float | None
    budget_actual_currency: str | None
    description: str | None
    place_protected: bool
    status: str
    status_author_id: str | None
    status_author_kind: str | None
    finess: str | None = None
    protected: bool = True  # where nobody could tell


def to_fhir(t: TransportFhir) -> Task:
    traveller = Traveller(t.traveller)
    return Task(
        id=t.id,
        meta=meta(t, PROFILES[traveller]),
        identifier=issued(t, IDS[traveller]) if traveller in IDS else (),
        status=STATUSES[t.status],
        status_ext=by_status(t.status_author_id, t.status_author_kind),
        intent="plan",
        code=coded(t.mode_code),
        description=t.description,
        for_=_traveller(t),
        encounter=to("Encounter", t.event_id) if t.event_id else None,
        executionPeriod=Period(at(t.starts_at), at(t.ends_at)) if t.starts_at or t.ends_at else None,
        owner=_carrier(t),
        input=_inputs(t),
    )


def _traveller(t: TransportFhir) -> Reference | None:
    """The profile of the person's own asks for no `for`: said of what is ours only."""
    if t.traveller == Traveller.PROFESSIONAL:
        return someone(t.professional_id, t.professional_kind, t.professional_name)
    return to("Patient", t.usager_id) if t.origin_partner_id is None else None


def _carrier(t: TransportFhir) -> Reference | None:
    if t.carrier_id is None and t.carrier_name is None:
        return None
    return Reference(f"Organization/{t.carrier_id}" if t.carrier_id else None, t.carrier_name)


def _inputs(t: TransportFhir) -> tuple[TaskParameter, ...]:
    return (
        *parameter(INPUT, "typeMotorisation", valueCodeableConcept=coded(t.engine_code)),
        *parameter(INPUT, "budgetPrevisionnel", valueMoney=_money(t.budget_planned, t.budget_planned_currency)),
        *parameter(INPUT, "budgetReel", valueMoney=_money(t.budget_actual, t.budget_actual_currency)),
        *parameter(INPUT, "distance", valueDistance=_quantity(t, t.distance, t.distance_unit)),
        *parameter(INPUT, "dureeTheorique", valueDuration=_quantity(t, t.duration, t.duration_unit)),
        *parameter(INPUT, "accompagnement", valueBoolean=t.accompanied),
        *parameter(INPUT, "asepsie", valueBoolean=t.asepsis),
        *parameter(INPUT, "natureTransport", valueCodeableConcept=coded(t.nature_code)),
    )


def _money(value: float | None, currency: str | None) -> Money | None:
    return Money(number(value), currency) if value is not None else None


def _quantity(t: TransportFhir, value: float | None, unit: str | None) -> Quantity | None:
    """What is received goes back with the word its sender had for the unit; what the team wrote has ours."""
    if value is None:
        return None
    of, _, code = (unit or "").rpartition("|")
    if not of:
        return Quantity(number(value), code or None)
    as_sent = t.origin_partner_id is not None and t.version == t.origin_version
    return Quantity(number(value), None if as_sent else code, of, code)


def from_fhir(traveller: Traveller, resource: Json, inbound: Inbound) -> Arrived:
    """Raises Invalid when it ends before it begins."""
    t = heard(Task, resource)
    period = t.executionPeriod or Period()
    starts, ends = instant_of(period.start), instant_of(period.end)
    if starts and ends and ends < starts:
        raise Invalid("Un transport finit après avoir commencé.", where="executionPeriod.end")
    values: Json = dict(_said(t.input))
    if traveller is Traveller.PROFESSIONAL:
        names = ("professional_id", "professional_kind", "professional_name")
        values |= dict(zip(names, known(inbound, t.for_, *OF_THE_HOUSE), strict=True))
    carrier = inbound.target(t.owner, "Organization")
    named = t.owner is not None and (carrier is not None or t.owner.reference is None)
    row = Transport(
        traveller=traveller.value,
        event_id=inbound.target(t.encounter, "Encounter"),
        starts_at=starts,
        ends_at=ends,
        mode_code=code_of(t.code),
        carrier_id=carrier,
        carrier_name=t.owner.display if t.owner and named else None,
        description=t.description,
        status=HEARD.get(t.status or "", TransportStatus.PLANNED.value),
        status_changed_at=last_updated(resource),
        occurred_at=starts or instant_of(t.authoredOn) or last_updated(resource) or now(),
        **values,
        **status_author(inbound, t.status_ext),
    )
    return Arrived(row)


def _said(inputs: tuple[TaskParameter, ...]) -> Json:
    """The columns of what TDDUI lets a transport say; of two inputs of one code, the first."""

    def one(code: str) -> TaskParameter:
        return next(iter(parameters(inputs, code)), TaskParameter())

    distance, duration = one("distance").valueDistance, one("dureeTheorique").valueDuration
    planned, actual = one("budgetPrevisionnel").valueMoney, one("budgetReel").valueMoney
    return {
        "engine_code": code_of(one("typeMotorisation").valueCodeableConcept),
        "nature_code": code_of(one("natureTransport").valueCodeableConcept),
        "accompanied": one("accompagnement").valueBoolean,
        "asepsis": one("asepsie").valueBoolean,
        **_measured("distance", distance),
        **_measured("duration", duration),
        "budget_planned": planned.value if planned else None,
        "budget_planned_currency": planned.currency if planned else None,
        "budget_actual": actual.value if actual else None,
        "budget_actual_currency": actual.currency if actual else None,
    }


def _measured(name: str, said: Quantity | None) -> Json:
    if said is None or said.value is None:
        return {}
    unit = f"{said.system}|{said.code}" if said.system and said.code else said.unit
    return {name: said.value, f"{name}_unit": unit}


def masked(t: TransportFhir) -> TransportFhir:
    return msgspec.structs.replace(t, **dict.fromkeys(SILENT)) if t.protected else t


def _map(traveller: Traveller) -> ResourceMap[Any]:
    search: dict[str, Criterion] = {
        "code": Coded(Transport.mode_code),
        "intent": constant("plan", of="Task.intent"),
        "owner": Leads(Transport.carrier_id, "Organization", Transport.carrier_name, mask=Mask(Transport, PROTECTED)),
        "encounter": Leads(Transport.event_id, "Encounter"),
        "period": When(Transport.starts_at, Transport.ends_at),
        "status": Token.by(Transport.status, STATUSES, of="Task.status"),
    }
    ids = IDS.get(traveller)
    return ResourceMap(
        profile=PROFILES[traveller],
        type_name="Task",
        view=TransportFhir,
        to_fhir=to_fhir,
        from_fhir=partial(from_fhir, traveller),
        systems=frozenset({ids} if ids else ()),
        by_type=False,  # Task is many things
        narrow=Transport.traveller == word(traveller),
        search=search | ({"identifier": Issued(Transport, ids)} if ids else {}),
        masked=masked,
        hides=lambda t: t.protected,
        of_team=("description", "budget_planned", "budget_actual"),  # as `schemas.MyTransportOut`
    )


TRANSPORTS = tuple(_map(traveller) for traveller in Traveller)
