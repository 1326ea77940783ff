"""REST: the trail of one dossier, for the DPO; « Qui a vu mon dossier », for the person and who represents them."""

from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, PersonReading, StaffReading
from app.features.access_log import service
from app.features.access_log.schemas import Asked, MyVisits
from app.kernel import paging
from app.kernel.answers import told

router = APIRouter(prefix="/access", tags=["access"])
me = APIRouter(prefix="/me/access", tags=["me"])
LineId = Annotated[str, Path(max_length=64)]


class TrailQuery(Asked):
    after: After = None
    limit: Limit = PAGE


Before = Annotated[date | None, Query(description="Les visites des jours d'avant celui-ci, sur trente jours")]


@router.get("/trail", operation_id="readTrail", responses={403: {}})
async def trail(gate: StaffReading, asked: Annotated[TrailQuery, Query()]) -> Response:
    """The lines of the trail that meet every criterion, the latest first: ids and acts, never a note. Of one person, or of
    a period. `held_back` says which the person's page does not show, `released` which it shows all the same.
    """
    said = asked.model_dump(exclude={"after", "limit"}, mode="json")
    bound = f"{gate.principal.id}:trail:{sorted(said.items())}"
    place: paging.Position = ()
    if asked.after:
        place = paging.position(
            cast(list[object], paging.unseal(gate.keyring, bound, asked.after)["at"]), (datetime, UUID)
        )
    lines = await service.trail(gate, asked, asked.limit + 1, place)
    more = None
    if len(lines) > asked.limit:
        lines = lines[: asked.limit]
        more = paging.seal(gate.keyring, bound, {"at": lines[-1].place})
    return told({"items": lines, "next": more})


@router.get("/trail/{line_id}", operation_id="readTrailLine", responses={403: {}})
async def line(gate: StaffReading, line_id: LineId) -> Response:
    return told(await service.line(gate, line_id))


@router.put("/trail/{line_id}/release", status_code=204, operation_id="releaseTrailLine")
async def release(gate: StaffReading, line_id: LineId) -> Response:
    """The person's page shows this line from now on: it was held back (an alert, a request of the law). Twice is once."""
    await service.release(gate, line_id)
    return Response(status_code=204)


@me.get("", operation_id="readMyVisits")
async def mine(gate: PersonReading, before: Before = None) -> Response:
    """Thirty days of visits, the latest first; who represents the person reads their own only."""
    visits, earlier = await service.mine(gate, before)
    return told(MyVisits(visits, earlier.isoformat() if earlier else None))
