"""The rules of transports: whose event it is for, who travels, when."""

from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam

from app.access.entry import View, Who
from app.access.gate import Gate, Listing
from app.access.models import Professional
from app.access.permissions import Action
from app.features.calendar.beside import given_by, lists
from app.features.calendar.models import EventParticipant
from app.features.transports.models import Transport, TransportStatus, Traveller
from app.features.transports.schemas import TransportIn, TransportPatch
from app.kernel.clock import now
from app.kernel.errors import Invalid

LISTS = lists(Transport)
UCUM = "http://unitsofmeasure.org"
UNITS = {
    "distance": ("distance_unit", f"{UCUM}|km"),
    "duration": ("duration_unit", f"{UCUM}|min"),
    "budget_planned": ("budget_planned_currency", "EUR"),
    "budget_actual": ("budget_actual_currency", "EUR"),
}
OF_THE_PERSON = ("nature_code", "accompanied", "asepsis")


class _Known(View, frozen=True):
    TABLE = Professional


_KNOWN = Listing(Professional.id == bindparam("id", type_=Uuid()))


async def plan(gate: Gate, said: TransportIn) -> Transport:
    """A new transport, in this person's dossier. The caller settles. Raises Invalid naming what does not fit."""
    values = said.model_dump()
    traveller = Traveller.PROFESSIONAL if said.professional_id else Traveller.USAGER
    _check(traveller.value, values)
    values["place_protected"] |= await _leads_to_protected(gate, said.event_id, said.usager_id)
    if said.professional_id:
        if not list(await gate.list(_Known, _KNOWN, 1, (), id=said.professional_id)):
            raise Invalid("Ce professionnel n'existe pas ici.", where="/professional_id", code="transport.unknown")
        values["professional_kind"] = Who.PROFESSIONAL.value
    when = {"occurred_at": said.starts_at}
    return gate.add(Transport(traveller=traveller.value, **values, **when, **_units(values), **given_by(gate)))


async def change(gate: Gate, id: UUID, version: int, said: TransportPatch) -> Transport:
    row = await gate.entry(Transport, id, Action.UPDATE, version)
    values: dict[str, Any] = said.model_dump(exclude_unset=True)
    _check(row.traveller, {c.key: getattr(row, c.key) for c in Transport.__table__.columns} | values)
    if values.get("event_id"):
        protected = await _leads_to_protected(gate, values["event_id"], row.usager_id)
        values["place_protected"] = protected or values.get("place_protected", row.place_protected)
    if "starts_at" in values:
        values["occurred_at"] = values["starts_at"]
    if "status" in values:
        values |= given_by(gate)
    return await gate.change(row, **values, **_units(values))


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Transport, id, Action.DELETE, version))


def _units(values: dict[str, Any]) -> dict[str, Any]:
    """What REST hears is in kilometres, minutes and euros."""
    return {unit: word if values[name] is not None else None for name, (unit, word) in UNITS.items() if name in values}


def _check(traveller: str, whole: dict[str, Any]) -> None:
    starts, ends = whole["starts_at"], whole["ends_at"]
    if starts is not None and ends is not None and ends < starts:
        raise Invalid("Un transport finit après avoir commencé.", where="/ends_at", code="transport.ends_before")
    if whole["status"] == TransportStatus.DONE and starts is not None and starts > now():
        raise Invalid("Ce transport n'a pas encore eu lieu.", where="/status", code="transport.future")
    for name in OF_THE_PERSON:
        if traveller == Traveller.PROFESSIONAL and whole[name] is not None:
            raise Invalid(
                "Cela se dit du transport de la personne elle-même.", where=f"/{name}", code="transport.not_theirs"
            )


async def _leads_to_protected(gate: Gate, event_id: UUID | None, usager_id: UUID) -> bool:
    """Raises OutOfReach for an event that the caller does not read, Invalid for that of another person."""
    if event_id is None:
        return False
    event = await gate.entry(EventParticipant, event_id, Action.READ)
    if event.usager_id != usager_id:
        raise Invalid(
            "Ce rendez-vous est celui d'une autre personne.", where="/event_id", code="transport.other_person"
        )
    return event.place_protected
