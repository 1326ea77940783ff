"""The rules of an orientation: who asks is known, a number has its system, a right ends after it opens."""

from datetime import date
from typing import Any
from uuid import UUID

from app.access.entry import Who
from app.access.gate import Gate
from app.access.sealed import sealed
from app.features.orientation.models import OrientationDecision, OrientationRequest
from app.features.orientation.schemas import (
    DecisionIn,
    DecisionOut,
    DecisionPatch,
    MyDecisionOut,
    MyRequestOut,
    RequestIn,
    RequestOut,
    RequestPatch,
)
from app.features.situations.rooms import Room, Values, midnight, of_theirs
from app.fhir.concepts import nested
from app.kernel.clock import now, today
from app.kernel.errors import Invalid
from app.kernel.ids import uuid7

WHO_ASKS = ("requester_kind", "requester_id", "requester_name")


async def ask(gate: Gate, usager_id: UUID, said: RequestIn) -> OrientationRequest:
    row = OrientationRequest(id=uuid7(), usager_id=usager_id)
    _fill(row, await _request(gate, row, said.model_dump(), new=True))
    return gate.add(row)


async def correct_request(gate: Gate, row: OrientationRequest, said: RequestPatch) -> Values:
    return await _request(gate, row, said.model_dump(exclude_unset=True))


async def note(gate: Gate, usager_id: UUID, said: DecisionIn) -> OrientationDecision:
    row = OrientationDecision(id=uuid7(), usager_id=usager_id)
    _fill(row, await _decision(gate, row, said.model_dump(), new=True))
    return gate.add(row)


async def correct_decision(gate: Gate, row: OrientationDecision, said: DecisionPatch) -> Values:
    return await _decision(gate, row, said.model_dump(exclude_unset=True))


async def _request(gate: Gate, row: OrientationRequest, said: Values, *, new: bool = False) -> Values:
    _numbered(row, said, "number")
    told = said | _dated(row, said, "asked_on", new=new)
    if new or any(name in said for name in WHO_ASKS):
        told |= await _who_asks(gate, row, said)
    if new or ("status" in said and said["status"] != row.status):
        told |= {
            "status": str(said["status"]),
            "status_changed_at": now(),
            "status_author_id": gate.principal.id,
            "status_author_kind": Who.PROFESSIONAL.value,
        }
    return await sealed(gate, row, told)


async def _who_asks(gate: Gate, row: OrientationRequest, said: Values) -> Values:
    """Raises Invalid when it is the contact of another person, or a contact that nothing names."""
    kind, id, name = (said.get(each, getattr(row, each)) for each in WHO_ASKS)
    if kind in (None, Who.USAGER.value):
        return {"requester_kind": Who.USAGER.value, "requester_id": row.usager_id, "requester_name": name}
    if not (id or name) or id == row.usager_id:
        raise Invalid("Dites qui demande.", where="/requester_name", code="orientation.who")
    await of_theirs(gate, row.usager_id, id, "/requester_id")
    return {"requester_kind": kind, "requester_id": id, "requester_name": name}


async def _decision(gate: Gate, row: OrientationDecision, said: Values, *, new: bool = False) -> Values:
    """Raises Invalid when it names the request of someone else."""
    for number in OrientationDecision.SEALED:
        _numbered(row, said, number)
    told = said | _dated(row, said, "decided_on", new=new)
    if (asked := said.get("request_id")) and (await gate.get(RequestOut, asked)).usager_id != str(row.usager_id):
        raise Invalid(
            "Cette demande est celle d'une autre personne.", where="/request_id", code="orientation.of_another"
        )
    if "rights" in said:
        told |= {"rights": nested(said["rights"]), "rights_end_on": due(_ends(said["rights"] or []))}
    return await sealed(gate, row, told)


def _ends(rights: list[Values]) -> list[date]:
    for at, right in enumerate(rights):
        opens, ends = right.get("opens_on"), right.get("ends_on")
        if opens and ends and ends < opens:
            raise Invalid(
                "Un droit finit après avoir commencé.", where=f"/rights/{at}/ends_on", code="orientation.period"
            )
    return [right["ends_on"] for right in rights if right.get("ends_on")]


def due(ends: list[date]) -> date | None:
    """The first to come; the last of those that are over."""
    return min((day for day in ends if day >= today()), default=max(ends, default=None))


def _numbered(row: Any, said: Values, name: str) -> None:
    number, system = (said.get(each, getattr(row, each)) for each in (name, f"{name}_system"))
    if number and not system:
        raise Invalid("Dites de quel système vient ce numéro.", where=f"/{name}_system", code="orientation.no_system")


def _dated(row: Any, said: Values, name: str, *, new: bool) -> Values:
    if not new and name not in said:
        return {}
    day = said[name]
    return {"occurred_at": midnight(day) if day else (row.recorded_at or now())}


def _fill(row: Any, values: Values) -> None:
    for name, value in values.items():
        setattr(row, name, value)


REQUESTS = Room(
    path="orientation-requests",
    name="OrientationRequest",
    body=RequestIn,
    patch=RequestPatch,
    view=RequestOut,
    mine=MyRequestOut,
    write=ask,
    correct=correct_request,
)
DECISIONS = Room(
    path="orientation-decisions",
    name="OrientationDecision",
    body=DecisionIn,
    patch=DecisionPatch,
    view=DecisionOut,
    mine=MyDecisionOut,
    write=note,
    correct=correct_decision,
)
