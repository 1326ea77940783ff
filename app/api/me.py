"""For applications of the person: who is there, for whom, and what they may see."""

from datetime import UTC, date, datetime
from typing import Annotated

import msgspec
from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import PersonReading, gate_at, whom
from app.access.notice import Noting
from app.access.permissions import READABLE
from app.access.refusal import NOT_FOUND
from app.audit.vocabulary import Door
from app.features.contacts.record import THEIRS, RecordRow
from app.kernel.answers import told
from app.kernel.errors import NotFound
from app.security.principal import Representative

router = APIRouter(prefix="/me", tags=["me"])
ROOMS = ("project", "events", "transmissions", "consents", "access", "copies", "exchanges")


class House(msgspec.Struct, frozen=True):
    name: str
    phone: str | None
    human: str | None


class Mandated(msgspec.Struct, frozen=True):
    """Who represents the person, and by what. `person_told`: it is recorded that the person knows."""

    contact_id: str
    relation: str | None
    mandate: str | None
    effect: str | None
    person_told: bool


class Me(msgspec.Struct, frozen=True):
    """`may_see`: the categories of rows this session reads, of what is shared; `rooms`: where to ask; `notice_due`: this
    card has not had the notice d'information read yet (`/vos-donnees`).
    """

    kind: str
    usager_id: str
    birth_family_name: str
    birth_given_names: str
    used_family_name: str | None
    used_given_name: str | None
    birth_date: date | None
    identity_status: str
    says_tu: bool
    house: House
    representative: Mandated | None
    may_see: list[str]
    rooms: dict[str, str]
    notice_due: bool
    expires_at: datetime


@router.get("", operation_id="readMe", responses={404: {}})
async def me(gate: PersonReading) -> Response:
    """« Mon dossier » : the person, the house, and in whose name one looks."""
    found = await gate.list(RecordRow, THEIRS, 1, usager=whom(gate))
    if not found:
        raise NotFound(NOT_FOUND)
    row, who = found[0], gate.principal
    behalf = None
    if isinstance(who, Representative):
        behalf = Mandated(str(who.id), row.relation, row.mandate, row.effect, bool(row.told))
    return told(
        Me(
            kind=who.shape.kind.value,
            usager_id=row.id,
            birth_family_name=row.birth_family_name,
            birth_given_names=row.birth_given_names,
            used_family_name=row.used_family_name,
            used_given_name=row.used_given_name,
            birth_date=row.birth_date,
            identity_status=row.identity_status,
            says_tu=row.says_tu,
            house=House(row.house, row.phone, row.human),
            representative=behalf,
            may_see=list(row.opens or ()) if behalf else [category.value for category in READABLE],
            notice_due=row.notice_due,
            rooms={room: f"/api/v1/me/{room}" for room in ROOMS},
            expires_at=datetime.fromtimestamp(who.expires, UTC),
        )
    )


@router.post("/notice", status_code=204, operation_id="readMyNotice")
async def notice(gate: Annotated[Noting, gate_at(Noting, Door.ME)]) -> Response:
    """La notice d'information (`/vos-donnees`) a été lue : noté une fois par carte, avec la date."""
    await gate.notice_read()
    return Response(status_code=204)
