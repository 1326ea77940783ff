"""REST for staff applications: what is kept from the person, why and until when."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.access.http import PAGE, After, Limit, StaffGate, StaffReading, acted, page
from app.access.withholding import Withheld
from app.features.withholding import service
from app.features.withholding.schemas import VIEWS, TellIn, WithheldKind, WithholdIn
from app.kernel.clock import today

router = APIRouter(prefix="/withheld", tags=["withheld"])


@router.post("", operation_id="withhold")
async def withhold(said: WithholdIn, gate: StaffGate) -> Response:
    """Kept from the person from their next look, on every path. Again: the same."""
    return await acted(gate, VIEWS[said.kind], said.entry_id, lambda: service.withhold(gate, said))


@router.get("", operation_id="listWithheld")
async def listed(
    gate: StaffReading,
    kind: Annotated[WithheldKind, Query()] = "transmission",
    reason: Withheld | None = None,
    due: bool = False,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """What is kept, one kind at a time. `due`: what is to be read again today, or should have been."""
    asked = {"due_by": today() if due else None, "reason": reason.value if reason else None}
    return await page(gate, VIEWS[kind], service.KEPT[kind], limit, after, f"withheld:{kind}", **asked)


@router.post("/tell", operation_id="tellWithheld")
async def tell(said: TellIn, gate: StaffGate) -> Response:
    """Told the person again, at once and whole."""
    return await acted(gate, VIEWS[said.kind], said.entry_id, lambda: service.tell(gate, said))
