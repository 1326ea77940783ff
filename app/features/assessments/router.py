"""REST for staff applications; and for the person's own."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from app.access.http import (
    PAGE,
    After,
    Limit,
    PersonGate,
    PersonReading,
    StaffGate,
    StaffReading,
    Version,
    changed,
    created,
    page,
    removed,
)
from app.features.assessments import catalogue, service
from app.features.assessments.schemas import (
    AssessmentIn,
    AssessmentOut,
    AssessmentPatch,
    Canonical,
    MyAssessmentIn,
    MyAssessmentOut,
)
from app.kernel.answers import etag, told

router = APIRouter(prefix="/assessments", tags=["assessments"])
me = APIRouter(prefix="/me/assessments", tags=["me"])
PATH, MINE = "/api/v1/assessments", "/api/v1/me/assessments"
GridId = Annotated[str, Path(pattern=r"^[A-Za-z0-9.-]{1,64}$")]
OfGrid = Annotated[Canonical | None, Query()]


@router.post("", status_code=201, operation_id="writeAssessment")
async def write(said: AssessmentIn, gate: StaffGate) -> Response:
    return await created(gate, AssessmentOut, PATH, lambda: service.write(gate, said))


@router.get("", operation_id="listAssessments")
async def listed(
    gate: StaffReading,
    usager: UUID | None = None,
    questionnaire: OfGrid = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """The latest first. `usager` narrows to one dossier, `questionnaire` to one grid of it: what was answered then and now."""
    if usager and questionnaire:
        asked = {"usager": usager, "questionnaire": questionnaire}
        return await page(gate, AssessmentOut, service.OF_GRID, limit, after, "of_grid", **asked)
    if usager:
        return await page(gate, AssessmentOut, service.OF_USAGER, limit, after, "of_usager", usager=usager)
    return await page(gate, AssessmentOut, service.ALL, limit, after, "all")


@router.get("/questionnaires", operation_id="listQuestionnaires")
async def questionnaires(gate: StaffReading) -> Response:
    """The grids that may be answered here: SERAFIN-PH, and those of the installed packages."""
    return await catalogue.listed(gate)


@router.get("/questionnaires/{questionnaire_id}", operation_id="readQuestionnaire")
async def questionnaire(questionnaire_id: GridId, gate: StaffReading) -> Response:
    return await catalogue.whole(gate, questionnaire_id)


@router.get("/{assessment_id}", operation_id="readAssessment")
async def read(assessment_id: UUID, gate: StaffReading) -> Response:
    row = await gate.get(AssessmentOut, assessment_id)
    return told(row.told_by(gate), headers={"ETag": etag(row.version)})


@router.patch("/{assessment_id}", operation_id="correctAssessment", responses={409: {}})
async def correct(assessment_id: UUID, said: AssessmentPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, AssessmentOut, await service.correct(gate, assessment_id, version, said))


@router.delete("/{assessment_id}", status_code=204, operation_id="removeAssessment", responses={409: {}})
async def remove(assessment_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, assessment_id, version)
    return await removed(gate)


@me.get("", operation_id="listMyAssessments")
async def mine(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    """The latest first: what the team shares, and what the person said of themselves."""
    return await page(gate, MyAssessmentOut, service.ALL, limit, after, "mine")


@me.post("", status_code=201, operation_id="writeMyAssessment")
async def write_mine(said: MyAssessmentIn, gate: PersonGate) -> Response:
    """« Pour moi, comment ça va ? », by the grid: a self-assessment."""
    return await created(gate, MyAssessmentOut, MINE, lambda: service.write_mine(gate, said))


@me.get("/questionnaires", operation_id="listMyQuestionnaires")
async def my_questionnaires(gate: PersonReading) -> Response:
    return await catalogue.listed(gate)


@me.get("/questionnaires/{questionnaire_id}", operation_id="readMyQuestionnaire")
async def my_questionnaire(questionnaire_id: GridId, gate: PersonReading) -> Response:
    return await catalogue.whole(gate, questionnaire_id)


@me.get("/{assessment_id}", operation_id="readMyAssessment")
async def read_mine(assessment_id: UUID, gate: PersonReading) -> Response:
    row = await gate.get(MyAssessmentOut, assessment_id)
    return told(row.told_by(gate), headers={"ETag": etag(row.version)})
