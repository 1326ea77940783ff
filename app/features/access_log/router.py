"""REST: the trail of one dossier, for the DPO; « Qui a vu mon dossier », for the person and who represents them."""

from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, PersonReading, StaffReading
from app.features.access_log import service
from app.features.access_log.schemas import MyVisits
from app.kernel import paging
from app.kernel.answers import told

router = APIRouter(prefix="/access", tags=["access"])
me = APIRouter(prefix="/me/access", tags=["me"])
Before = Annotated[date | None, Query(description="Les visites des jours d'avant celui-ci, sur trente jours")]


@router.get("/trail", operation_id="readTrail")
async def trail(gate: StaffReading, usager: UUID, after: After = None, limit: Limit = PAGE) -> Response:
    """Every line of the trail that names this person, the latest first: ids and acts, never a note."""
    bound = f"{gate.principal.id}:trail:{usager}"
    place: paging.Position = ()
    if after:
        place = paging.position(cast(list[object], paging.unseal(gate.keyring, bound, after)["at"]), (datetime, UUID))
    lines = await service.trail(gate, usager, limit + 1, place)
    more = None
    if len(lines) > limit:
        lines = lines[:limit]
        more = paging.seal(gate.keyring, bound, {"at": [lines[-1].at, lines[-1].id]})
    return told({"items": lines, "next": more})


@me.get("", operation_id="readMyVisits")
async def mine(gate: PersonReading, before: Before = None) -> Response:
    """Thirty days of visits, the latest first; who represents the person reads their own only."""
    visits, earlier = await service.mine(gate, before)
    return told(MyVisits(visits, earlier.isoformat() if earlier else None))
