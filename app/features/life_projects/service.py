"""The rules of a life project: whose words they are is said, and words that the person wrote are theirs alone.

The latest is the one that counts; those before stay as they were said. The team may say that one is over.
"""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, true

from app.access.entry import Who
from app.access.gate import Gate, Listing
from app.access.http import whom
from app.access.permissions import Action, Visibility
from app.features.contacts.schemas import Holder
from app.features.life_projects.models import LifeProject, LifeStatus
from app.features.life_projects.schemas import LifeProjectIn, LifeProjectPatch, MyLifeProjectIn
from app.features.usagers.schemas import UsagerLine
from app.kernel.clock import PARIS, now, today
from app.kernel.errors import Conflict, Invalid

LATEST_FIRST = ("occurred_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(LifeProject.usager_id == bindparam("usager", type_=Uuid()), LATEST_FIRST, usager="usager")
THEIRS = "Cette personne a écrit ces mots elle-même : ils sont à elle. Notez ce que dit l'équipe dans le projet."


async def write(gate: Gate, said: LifeProjectIn) -> LifeProject:
    """Words the team heard. Raises Invalid when they are those of a contact of someone else, or of nobody."""
    _check(said.starts, said.aim_on)
    values = said.model_dump(exclude={"said_by_contact_id"})
    contact, another = said.said_by_contact_id, bool(said.said_by_contact_id or said.said_by_name)
    if contact and (await gate.get(Holder, contact)).usager_id != str(said.usager_id):
        raise Invalid(
            "Ce contact est celui d'une autre personne.", where="/said_by_contact_id", code="life_project.whom"
        )
    told = {
        "said_by_id": contact if another else said.usager_id,
        "said_by_kind": (Who.CONTACT if another else Who.USAGER).value,
        "occurred_at": _at(said.starts),
    }
    return gate.add(LifeProject(**values | told | _moved(gate, said.status, Who.PROFESSIONAL)))


async def write_mine(gate: Gate, said: MyLifeProjectIn) -> LifeProject:
    """By the person's own hand: their life."""
    _check(None, said.aim_on)
    mine = await gate.get(UsagerLine, whom(gate))
    row = LifeProject(
        usager_id=UUID(mine.id),
        structure_id=UUID(mine.structure_id),
        visibility=(Visibility.NOT_SHARED if said.only_team else Visibility.SHARED).value,
        said_by_id=UUID(mine.id),
        said_by_kind=Who.USAGER.value,
        starts=today(),
        **said.model_dump(exclude={"only_team"}),
        **_moved(gate, LifeStatus.ACTIVE, Who.USAGER),
    )
    return gate.add(row)


async def correct(gate: Gate, id: UUID, version: int, said: LifeProjectPatch) -> LifeProject:
    """Raises Conflict when it would change words that the person wrote, or whom they chose to show them to."""
    row = await gate.entry(LifeProject, id, Action.UPDATE, version)
    values: dict[str, Any] = said.model_dump(exclude_unset=True)
    if row.author_kind == Who.USAGER and (touched := values.keys() - {"status"}):
        raise Conflict(THEIRS, where=f"/{min(touched)}", code="life_project.theirs")
    _check(values.get("starts", row.starts), values.get("aim_on", row.aim_on))
    if "starts" in values:
        values["occurred_at"] = _at(values["starts"]) if values["starts"] else row.recorded_at
    if "status" in values and values["status"] != row.status:
        values |= _moved(gate, values["status"], Who.PROFESSIONAL)
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    """Raises Conflict when the person wrote it."""
    row = await gate.entry(LifeProject, id, Action.DELETE, version)
    if row.author_kind == Who.USAGER:
        raise Conflict(THEIRS, code="life_project.theirs")
    await gate.remove(row)


def _moved(gate: Gate, status: LifeStatus, by: Who) -> dict[str, Any]:
    return {
        "status": LifeStatus(status).value,
        "status_changed_at": now(),
        "status_author_id": gate.principal.id,
        "status_author_kind": by.value,
    }


def _check(starts: date | None, by: date | None) -> None:
    if starts and by and by < starts:
        raise Invalid("Ce qui est voulu vient après le début.", where="/aim_on", code="life_project.period")


def _at(starts: date | None) -> datetime:
    return datetime.combine(starts, time.min, PARIS).astimezone(UTC) if starts else now()
