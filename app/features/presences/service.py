"""The rules of presences and absences: dates in order, an absence says why, only what is confirmed is billed."""

from typing import Any
from uuid import UUID

from app.access.gate import Gate
from app.access.permissions import Action
from app.features.calendar.beside import given_by, lists
from app.features.presences.models import Presence, PresenceSchedule, PresenceStatus, opens
from app.features.presences.schemas import PresenceIn, PresencePatch
from app.kernel.errors import Conflict, Invalid

ABSENT = "2"  # of JDV_J405, as the profile's own rules say
LISTS = lists(Presence)


async def note(gate: Gate, said: PresenceIn) -> Presence:
    """A presence or an absence, and the person's schedule in this house with the first one. The caller settles."""
    values = said.model_dump()
    row = gate.add(Presence(**values, **_checked(values), **given_by(gate)))
    await gate.flush()
    if row.schedule_id == opens(row.id):
        whose = {"usager_id": row.usager_id, "structure_id": row.structure_id, "visibility": row.visibility}
        gate.add(PresenceSchedule(id=row.schedule_id, occurred_at=row.occurred_at, **whose))
    return row


async def change(gate: Gate, id: UUID, version: int, said: PresencePatch) -> Presence:
    """Correct, confirm, bill, cancel. Raises Conflict for what is billed, or billed before it is confirmed."""
    row = await gate.entry(Presence, id, Action.UPDATE, version)
    values: dict[str, Any] = said.model_dump(exclude_unset=True)
    whole = {c.key: getattr(row, c.key) for c in Presence.__table__.columns} | values
    if row.billed and whole["billed"] and values.keys() - {"comment", "visibility", "billed"}:
        raise Conflict(
            "C'est facturé. Dites d'abord que ce ne l'est plus, puis corrigez.", where="/billed", code="presence.billed"
        )
    if whole["billed"] and whole["status"] != PresenceStatus.CONFIRMED:
        raise Conflict("Seul ce qui est confirmé se facture.", where="/billed", code="presence.not_confirmed")
    values |= _checked(whole)
    if values.keys() & {"status", "billed"}:
        values |= given_by(gate)
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    row = await gate.entry(Presence, id, Action.DELETE, version)
    if row.billed:
        raise Conflict("C'est facturé : cela ne s'efface pas.", where="/billed", code="presence.billed")
    await gate.remove(row)


def is_absence(type_code: str) -> bool:
    return type_code.rpartition("|")[2] == ABSENT


def _checked(whole: dict[str, Any]) -> dict[str, Any]:
    """What follows from the rest. Raises Invalid naming what is missing."""
    absent = is_absence(whole["type_code"])
    if whole["ends_at"] <= whole["occurred_at"]:
        raise Invalid("Une présence finit après avoir commencé.", where="/ends_at", code="presence.ends_before")
    if absent and whole["reason_code"] is None:
        raise Invalid("Dites pourquoi la personne est absente.", where="/reason_code", code="presence.no_reason")
    if absent and whole["planned"] is None:
        raise Invalid("Dites si cette absence était prévue.", where="/planned", code="presence.planned_unsaid")
    if not absent and (whole["reason_code"] is not None or whole["planned"] is not None):
        raise Invalid("Cela se dit d'une absence seulement.", where="/reason_code", code="presence.not_absent")
    return {"absent": absent}
