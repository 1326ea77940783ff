"""REST for who answers for access in a house: why someone reads or does not, who could, before and after a consent."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.access.explaining import Explaining
from app.access.http import gate_at
from app.audit.vocabulary import Door
from app.features.explain import service
from app.kernel.answers import told

router = APIRouter(prefix="/access/explain", tags=["access"])


@router.get("", operation_id="explainAccess", responses={403: {}, 404: {}})
async def explain(
    gate: Annotated[Explaining, gate_at(Explaining, Door.API)],
    what: Annotated[str, Query(max_length=80)],
    who: Annotated[str | None, Query(max_length=80)] = None,
    consent: UUID | None = None,
    answer: Literal["yes", "no"] | None = None,
) -> Response:
    """`what`: `transmission/<id>`, of a row you read. Without `who`, everyone who reads it; with `who`
    (`professional/<id>`, `representative/<id>`, `partner/<id>`, `usager/<id>`), why they do or do not. With `consent`
    and `answer`, the same had this question that answer; nothing is written.
    """
    return told(await service.explain(gate, what, who, consent, answer))
