"""REST for staff applications: what a child asks to keep from their parents."""

from fastapi import APIRouter
from starlette.responses import Response

from app.access.http import StaffGate
from app.features.minor_secret import service
from app.features.minor_secret.schemas import SecretIn, SecretOut
from app.kernel.answers import told

router = APIRouter(prefix="/secrets", tags=["secrets"])


@router.post("", operation_id="keepSecret")
async def keep(said: SecretIn, gate: StaffGate) -> Response:
    """Closed to the parents from the next request, on every path: title, place, line, count. Again: the same."""
    if gate.replay:
        return told(await service.kept(gate, said), headers={"Idempotency-Replayed": "true"})
    row = await service.keep(gate, said)
    await gate.settle()
    return told(SecretOut(row.KIND.value, str(row.id), row.minor_secret, row.version))
