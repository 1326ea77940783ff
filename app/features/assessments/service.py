"""The rules of an assessment: answers to a grid, held against it when we hold it; done, then approved, then validated.

Source: https://interop.esante.gouv.fr/ig/fhir/tddui/StructureDefinition/tddui-questionnaire-response
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, literal_column, or_, true

from app.access.entry import View, Who
from app.access.gate import Gate, Listing
from app.access.http import whom
from app.access.models import Professional
from app.access.permissions import Action, Category, Visibility
from app.features.assessments import answers, grids
from app.features.assessments.models import Assessment, AssessmentStatus
from app.features.assessments.schemas import AssessmentIn, AssessmentPatch, ItemIn, MyAssessmentIn, Whose
from app.fhir.questionnaires import Question, faults_of, in_rest
from app.kernel.clock import CLOCK_DRIFT, now
from app.kernel.errors import Conflict, Fault, Invalid

Values = dict[str, Any]
A, S = Assessment, AssessmentStatus
_of_usager = A.usager_id == bindparam("usager", type_=Uuid())
_grid = bindparam("questionnaire", type_=Text())
_url = func.split_part(A.questionnaire, literal_column("'|'"), literal_column("1"))
LATEST_FIRST = ("occurred_at", "id")
ALL = Listing(true(), LATEST_FIRST)
OF_USAGER = Listing(_of_usager, LATEST_FIRST, usager="usager")
OF_GRID = Listing(_of_usager & or_(A.questionnaire == _grid, _url == _grid), LATEST_FIRST, usager="usager")
MOVES = {  # what an assessment may become, and from what; one sent back is corrected, then approved again
    S.DONE: (S.APPROVED,),
    S.APPROVED: (S.DONE,),
    S.VALIDATED: (S.APPROVED,),
    S.CANCELLED: (S.DONE, S.APPROVED, S.VALIDATED),
}
WORDS = {S.DONE: "terminée", S.APPROVED: "approuvée", S.VALIDATED: "validée", S.CANCELLED: "annulée"}
NOT_THE_GRID = "Ces réponses ne suivent pas la grille."


class _Known(View, frozen=True):
    TABLE: ClassVar = Professional


KNOWN = Listing(Professional.id == bindparam("id", type_=Uuid()))


async def write(gate: Gate, said: AssessmentIn) -> Assessment:
    """Answers noted by the team, theirs or the person's. The caller settles. Raises Invalid naming each question at fault."""
    if said.self_assessment and said.assessor_id:
        raise Invalid(
            "Une auto-évaluation est faite par la personne : laissez l'évaluateur vide.",
            where="/assessor_id",
            code="assessment.own",
        )
    await _check_known(gate, "assessor_id", said.assessor_id)
    await _check_known(gate, "responsible_id", said.responsible_id)
    values = said.model_dump(exclude={"items", "self_assessment", "category", "visibility", "assessor_id"})
    whose = (said.usager_id, Who.USAGER) if said.self_assessment else (said.assessor_id or gate.principal.id, None)
    values |= {"assessor_id": whose[0], "assessor_kind": (whose[1] or Who.PROFESSIONAL).value}
    if said.self_assessment:
        values["holder_id"] = said.holder_id or said.structure_id
    values |= {"responsible_kind": Who.PROFESSIONAL.value if said.responsible_id else None}
    values |= {"recorder_id": gate.principal.id, "recorder_kind": Who.PROFESSIONAL.value}
    category = said.category or grids.category_of(said.questionnaire).value
    shown = said.visibility or (Visibility.NOT_SHARED if category == Category.CARE else Visibility.SHARED).value
    return gate.add(
        Assessment(
            category=category,
            visibility=shown,
            items=await _filled(gate, said.questionnaire, said.items),
            **values | _dated(said.assessed_at) | _moved(gate, S.DONE),
        )
    )


async def write_mine(gate: Gate, said: MyAssessmentIn) -> Assessment:
    """Of the person, by themselves; given to the structure that holds their dossier."""
    usager = whom(gate)
    place = UUID((await gate.get(Whose, usager)).structure_id)
    return gate.add(
        Assessment(
            usager_id=usager,
            structure_id=place,
            category=grids.category_of(said.questionnaire).value,
            visibility=Visibility.SHARED.value,
            questionnaire=said.questionnaire,
            comment=said.comment,
            items=await _filled(gate, said.questionnaire, said.items),
            assessor_id=usager,
            assessor_kind=Who.USAGER.value,
            recorder_id=usager,
            recorder_kind=Who.USAGER.value,
            holder_id=place,
            status=S.DONE.value,
            status_changed_at=now(),
            **_dated(None),
        )
    )


async def correct(gate: Gate, id: UUID, version: int, said: AssessmentPatch) -> Assessment:
    """Raises Conflict when it is past being changed, or does not become that."""
    row = await gate.entry(Assessment, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True, exclude={"items"})
    to = S(values.pop("status", row.status))
    if to != row.status:
        if row.status not in MOVES[to]:
            raise _not_now(row)
        values |= _moved(gate, to)
    if row.status in (S.VALIDATED, S.CANCELLED) and (values.keys() - {"visibility"}) and to == row.status:
        raise _not_now(row)
    if "items" in said.model_fields_set:
        if row.status != S.DONE:
            raise _not_now(row)
        values["items"] = await _filled(gate, row.questionnaire, said.items)
    if "assessed_at" in values:
        values |= _dated(values["assessed_at"])
    if "responsible_id" in values:
        await _check_known(gate, "responsible_id", values["responsible_id"])
        kind = Who.PROFESSIONAL.value if values["responsible_id"] else None
        values |= {"responsible_kind": kind, "responsible_name": None}
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    row = await gate.entry(Assessment, id, Action.DELETE, version)
    if row.status == S.VALIDATED:
        raise Conflict(
            "Cette évaluation est validée : elle reste au dossier. Annulez-la si elle est fausse.",
            where="/status",
            code="assessment.validated",
        )
    await gate.remove(row)


def _not_now(row: Assessment) -> Conflict:
    return Conflict(
        f"Cette évaluation est {WORDS[S(row.status)]} : ce changement n'est pas possible.",
        where="/status",
        code="assessment.status",
    )


async def _filled(gate: Gate, questionnaire: str, items: Sequence[ItemIn]) -> str:
    """The answers as the row keeps them, the words of the grid beside them. Raises Invalid with every fault."""
    told = [item.model_dump(exclude_none=True) for item in items]
    grid = await grids.find(gate, questionnaire)
    if grid is None:
        return answers.written(told)
    found = faults_of(answers.in_fhir(told), grid.questions, grid.codes)
    if faults := [Fault(in_rest(steps), code, sentence) for steps, code, sentence in found]:
        raise Invalid(NOT_THE_GRID, code="assessment.not_the_grid", faults=faults)
    return answers.written([_worded(item, grid.questions) for item in told])


def _worded(item: Values, questions: Mapping[str, Question]) -> Values:
    """Read alone, years later, an answer still says what was asked."""
    question = questions[item["link_id"]]
    text = item.get("text") or question.item.get("text")
    worded = {"link_id": item["link_id"], **({"text": text} if text else {}), **item}
    if "items" in worded:
        worded["items"] = [_worded(inner, question.inside) for inner in worded["items"]]
    if "answers" in worded:
        worded["answers"] = [
            {**answer, "items": [_worded(inner, question.inside) for inner in answer["items"]]}
            if "items" in answer
            else answer
            for answer in worded["answers"]
        ]
    return worded


def _dated(moment: datetime | None) -> Values:
    at = moment or now()
    if at > now() + CLOCK_DRIFT:
        raise Invalid("Une évaluation se note après avoir été faite.", where="/assessed_at", code="assessment.future")
    return {"assessed_at": at, "occurred_at": at}


def _moved(gate: Gate, status: AssessmentStatus) -> Values:
    return {
        "status": status.value,
        "status_changed_at": now(),
        "status_author_id": gate.principal.id,
        "status_author_kind": Who.PROFESSIONAL.value,
    }


async def _check_known(gate: Gate, name: str, id: UUID | None) -> None:
    if id and not await gate.list(_Known, KNOWN, 1, id=id):
        raise Invalid("Ce professionnel n'est pas dans l'annuaire.", where=f"/{name}", code="professional.unknown")
