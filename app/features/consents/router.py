"""REST: for staff under `/consents`, for the person and who represents them under `/me/consents`."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query
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
    acted,
    changed,
    created,
    one,
    page,
    removed,
    whom,
)
from app.features.consents import answers, oppositions, service
from app.features.consents.models import QuestionKind
from app.features.consents.schemas import (
    AnswerIn,
    AnswerOut,
    ConfirmIn,
    ConsentIn,
    ConsentOut,
    ConsentPatch,
    GuardianIn,
    MyConsentOut,
    MyOppositionIn,
    NotedIn,
    OppositionIn,
    OppositionOut,
)

router = APIRouter(prefix="/consents", tags=["consents"])
me = APIRouter(prefix="/me/consents", tags=["me"])
PATH, MINE = "/api/v1/consents", "/api/v1/me/consents"
KindAsked = Annotated[QuestionKind, Query(alias="kind")]  # one kind a list: they are never mixed
State = Annotated[Literal["asked", "yes", "no", "talk", "disagreement"] | None, Query(alias="answer")]


@router.post("", status_code=201, operation_id="askConsent")
async def ask(said: ConsentIn, gate: StaffGate) -> Response:
    return await created(gate, ConsentOut, PATH, lambda: service.ask(gate, said))


@router.get("", operation_id="listConsents")
async def listed(
    gate: StaffReading,
    kind: KindAsked = QuestionKind.SHARING,
    usager: UUID | None = None,
    answer: State = None,
    after: After = None,
    limit: Limit = PAGE,
) -> Response:
    """The latest first, one kind at a time. `answer` narrows: `talk` and `disagreement` wait for someone."""
    asked = {"question_kind": kind.value, "state": answer}
    if usager:
        return await page(gate, ConsentOut, service.OF_USAGER, limit, after, "of_usager", usager=usager, **asked)
    return await page(gate, ConsentOut, service.OF_KIND, limit, after, "all", **asked)


@router.post("/oppositions", status_code=201, operation_id="writeOpposition")
async def oppose(said: OppositionIn, gate: StaffGate) -> Response:
    return await created(gate, OppositionOut, f"{PATH}/oppositions", lambda: oppositions.oppose(gate, said))


@router.get("/oppositions", operation_id="listOppositions")
async def opposed(gate: StaffReading, usager: UUID | None = None, after: After = None, limit: Limit = PAGE) -> Response:
    if usager:
        return await page(gate, OppositionOut, service.OPPOSITIONS_OF, limit, after, "opposed", usager=usager)
    return await page(gate, OppositionOut, service.OPPOSITIONS, limit, after, "opposed")


@router.get("/oppositions/{opposition_id}", operation_id="readOpposition")
async def opposition(opposition_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(OppositionOut, opposition_id))


@router.post("/oppositions/{opposition_id}/lift", operation_id="liftOpposition")
async def lift(opposition_id: UUID, gate: StaffGate) -> Response:
    return await acted(gate, OppositionOut, opposition_id, lambda: oppositions.lift(gate, opposition_id))


@router.get("/{consent_id}", operation_id="readConsent")
async def read(consent_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(ConsentOut, consent_id))


@router.patch("/{consent_id}", operation_id="changeConsent", responses={409: {}})
async def change(consent_id: UUID, said: ConsentPatch, version: Version, gate: StaffGate) -> Response:
    return await changed(gate, ConsentOut, await service.change(gate, consent_id, version, said))


@router.delete("/{consent_id}", status_code=204, operation_id="removeConsent", responses={409: {}})
async def remove(consent_id: UUID, version: Version, gate: StaffGate) -> Response:
    await service.remove(gate, consent_id, version)
    return await removed(gate)


@router.post("/{consent_id}/answer", status_code=201, operation_id="noteConsentAnswer")
async def note(consent_id: UUID, said: NotedIn, gate: StaffGate) -> Response:
    """What the person said, noted for them. They are then asked « C'est bien ça ? »."""
    return await created(gate, AnswerOut, f"{PATH}/{consent_id}/answers", lambda: answers.note(gate, consent_id, said))


@router.post("/{consent_id}/guardian", status_code=201, operation_id="noteGuardianAnswer")
async def guard(consent_id: UUID, said: GuardianIn, gate: StaffGate) -> Response:
    """What the ASE or the house decides for a minor, for an act that is theirs."""
    return await created(gate, AnswerOut, f"{PATH}/{consent_id}/answers", lambda: answers.guard(gate, consent_id, said))


@router.get("/{consent_id}/answers", operation_id="listConsentAnswers")
async def given(consent_id: UUID, gate: StaffReading, after: After = None, limit: Limit = PAGE) -> Response:
    """The proof: each answer, by whom, on which wording. The latest first."""
    return await page(gate, AnswerOut, service.ANSWERS, limit, after, "answers", consent=consent_id)


@router.get("/{consent_id}/answers/{answer_id}", operation_id="readConsentAnswer")
async def one_given(consent_id: UUID, answer_id: UUID, gate: StaffReading) -> Response:
    return one(await gate.get(AnswerOut, answer_id))


@me.get("", operation_id="listMyConsents")
async def mine(
    gate: PersonReading, kind: KindAsked = QuestionKind.SHARING, after: After = None, limit: Limit = PAGE
) -> Response:
    """« Mes accords », one kind at a time."""
    asked = {"usager": whom(gate), "question_kind": kind.value, "state": None}
    return await page(gate, MyConsentOut, service.OF_USAGER, limit, after, "mine", **asked)


@me.post("/oppositions", status_code=201, operation_id="writeMyOpposition", responses={404: {}})
async def oppose_mine(said: MyOppositionIn, gate: PersonGate) -> Response:
    return await created(gate, OppositionOut, f"{MINE}/oppositions", lambda: oppositions.oppose_mine(gate, said))


@me.get("/oppositions", operation_id="listMyOppositions")
async def my_oppositions(gate: PersonReading, after: After = None, limit: Limit = PAGE) -> Response:
    return await page(gate, OppositionOut, service.OPPOSITIONS_OF, limit, after, "opposed", usager=whom(gate))


@me.get("/oppositions/{opposition_id}", operation_id="readMyOpposition")
async def my_opposition(opposition_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(OppositionOut, opposition_id))


@me.post("/oppositions/{opposition_id}/lift", operation_id="liftMyOpposition")
async def lift_mine(opposition_id: UUID, gate: PersonGate) -> Response:
    return await acted(gate, OppositionOut, opposition_id, lambda: oppositions.lift(gate, opposition_id))


@me.get("/{consent_id}", operation_id="readMyConsent")
async def read_mine(consent_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(MyConsentOut, consent_id))


@me.post("/{consent_id}/answer", status_code=201, operation_id="answerMyConsent", responses={412: {}})
async def answer(consent_id: UUID, said: AnswerIn, gate: PersonGate) -> Response:
    """Je dis oui · Je dis non · Je veux en parler. The next answer replaces it: taking back is as easy as giving."""
    return await created(gate, AnswerOut, f"{MINE}/{consent_id}/answers", lambda: answers.give(gate, consent_id, said))


@me.post("/{consent_id}/confirm", status_code=201, operation_id="confirmMyConsent")
async def confirm(consent_id: UUID, said: ConfirmIn, gate: PersonGate) -> Response:
    """« C'est bien ça ? » Oui, or non: then nobody has answered yet."""
    place = f"{MINE}/{consent_id}/answers"
    return await created(gate, AnswerOut, place, lambda: answers.confirm(gate, consent_id, said.right))


@me.get("/{consent_id}/answers/{answer_id}", operation_id="readMyConsentAnswer")
async def my_answer(consent_id: UUID, answer_id: UUID, gate: PersonReading) -> Response:
    return one(await gate.get(AnswerOut, answer_id))
