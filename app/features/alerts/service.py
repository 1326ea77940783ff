"""The rules of an alert: whom it names, what it says of the representatives, what was sent outside (field.md §1)."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, bindparam, true

from app.access.gate import Gate, Listing
from app.access.models import Professional
from app.access.permissions import Action
from app.access.sealed import sealed
from app.features.alerts.models import Alert
from app.features.alerts.schemas import AlertIn, AlertPatch, Here
from app.kernel.clock import CLOCK_DRIFT, now, today
from app.kernel.errors import Invalid
from app.kernel.ids import uuid7

CHECKED = ("representatives_told_on", "representatives_not_told_why", "sent_to", "sent_on")
LATEST_FIRST = ("occurred_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(Alert.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")
THESE = Listing(Professional.id == any_(bindparam("these", type_=ARRAY(Uuid()))))


async def give(gate: Gate, said: AlertIn) -> Alert:
    """Raises Invalid on a contradiction, a moment to come, or a name that nobody here bears."""
    _check(said.model_dump())
    _happened(said.model_dump())
    row = Alert(id=uuid7(), usager_id=said.usager_id, reserved_to=await _working_here(gate, said.named))
    told = {**said.model_dump(exclude={"named"}), "occurred_at": said.occurred_at or now()}
    for name, value in (await sealed(gate, row, told)).items():
        setattr(row, name, value)
    return gate.add(row)


async def complete(gate: Gate, id: UUID, version: int, said: AlertPatch) -> Alert:
    """By who gave it, or the direction."""
    row = await gate.entry(Alert, id, Action.UPDATE, version)
    told = said.model_dump(exclude_unset=True)
    _happened(told)
    _check({name: told.get(name, getattr(row, name)) for name in CHECKED})
    if "named" in told:
        told["reserved_to"] = await _working_here(gate, told.pop("named"))
    kept: dict[str, Any] = await sealed(gate, row, told)
    return await gate.change(row, **kept)


async def _working_here(gate: Gate, named: Sequence[UUID]) -> list[UUID]:
    asked = list(dict.fromkeys(named))
    found = await gate.list(Here, THESE, len(asked), these=asked) if asked else []
    if len(found) != len(asked):
        raise Invalid("Une des personnes nommées ne travaille pas ici.", where="/named", code="alert.named")
    return asked


def _happened(told: Mapping[str, Any]) -> None:
    last = {"occurred_at": now() + CLOCK_DRIFT, "representatives_told_on": today(), "sent_on": today()}
    for name, latest in last.items():
        if told.get(name) and told[name] > latest:
            raise Invalid(
                "Une alerte dit ce qui a eu lieu : ce jour est à venir.", where=f"/{name}", code="alert.future"
            )


def _check(told: Mapping[str, object]) -> None:
    if told["representatives_told_on"] is not None and told["representatives_not_told_why"] is not None:
        raise Invalid(
            "Les représentants sont informés, ou ne le sont pas : dites l'un ou l'autre.",
            where="/representatives_told_on",
            code="alert.representatives",
        )
    if (told["sent_to"] is None) != (told["sent_on"] is None):
        raise Invalid("Dites à qui, et quel jour.", where="/sent_on", code="alert.sent")
