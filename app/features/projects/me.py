"""REST of the person's own applications: « Mon projet », for the person and for who represents them."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
from starlette.responses import Response

from app.access.http import PersonGate, PersonReading, changed, created, one
from app.features.projects import agreeing
from app.features.projects.parts import AgreementOut, ExpectationOut, GoalOut
from app.features.projects.router import told_whole
from app.features.projects.schemas import OpinionIn, PositionIn, WordsIn

me_router = APIRouter(prefix="/me/project", tags=["me"])
PATH = "/api/v1/me/project"


@me_router.get("", operation_id="readMyProject", responses={404: {}})
async def read(gate: PersonReading, state: Annotated[Literal["draft"] | None, Query()] = None) -> Response:
    """The project under way, else the one in preparation; `state=draft`: the one in preparation."""
    return told_whole(await agreeing.my_project(gate, in_preparation=state == "draft"))


@me_router.post("/position", status_code=201, operation_id="takePosition")
async def take_position(said: PositionIn, gate: PersonGate) -> Response:
    """« Est-ce que mon projet me convient ? » `seen` comes from the reading."""
    return await created(gate, AgreementOut, f"{PATH}/position", lambda: agreeing.take_position(gate, said))


@me_router.get("/position/{part_id}", operation_id="readMyPosition")
async def read_position(part_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(AgreementOut, part_id))


@me_router.post("/opinion", operation_id="giveOpinion")
async def give_opinion(said: OpinionIn, gate: PersonGate) -> Response:
    """« Pour moi, comment ça va ? »"""
    if gate.replay:
        return one(await gate.get(GoalOut, said.goal_id))
    return await changed(gate, GoalOut, await agreeing.give_opinion(gate, said))


@me_router.post("/words", status_code=201, operation_id="addWords")
async def add_words(said: WordsIn, gate: PersonGate) -> Response:
    """« J'ai quelque chose à dire »"""
    return await created(gate, ExpectationOut, f"{PATH}/words", lambda: agreeing.add_words(gate, said))


@me_router.get("/words/{part_id}", operation_id="readMyWords")
async def read_words(part_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(ExpectationOut, part_id))
