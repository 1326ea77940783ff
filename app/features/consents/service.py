"""The rules of questions, answers and oppositions. REST, FHIR and the page all come here.

Source: CSP L1110-4 III (sharing outside the team), RGPD art. 7, C. civ. 459; design: field.md §4 and §5.
"""

import hashlib
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, bindparam, or_, true

from app.access.gate import Gate, Listing
from app.access.models import Opposition, SharingConsent
from app.access.permissions import AROUND, ATTENDANCE, LIFE, ORIENTATION, PROJECT, Action, Kind, Visibility
from app.features.consents.models import Answer, ConsentAnswer, MinorAct, QuestionKind
from app.features.consents.schemas import ConsentIn, ConsentPatch
from app.features.consents.standing import STANDS
from app.kernel.clock import today
from app.kernel.errors import Conflict, Invalid

LATEST_FIRST = ("occurred_at", "id")
_usager = bindparam("usager", type_=Uuid())
_state = bindparam("state", type_=Text())
_of_kind = and_(
    SharingConsent.kind == bindparam("question_kind", type_=Text()),
    or_(_state.is_(None), STANDS == _state),
)
OF_KIND = Listing(_of_kind, LATEST_FIRST)
OF_USAGER = Listing(and_(_of_kind, SharingConsent.usager_id == _usager), LATEST_FIRST, usager="usager")
OF_PERSON = Listing(SharingConsent.usager_id == _usager, LATEST_FIRST, usager="usager")  # every kind: to be told apart
ANSWERS = Listing(ConsentAnswer.consent_id == bindparam("consent", type_=Uuid()), ("recorded_at", "id"))
AS_RECORDED = ("recorded_at", "id")  # what each page tells, so that the next one can start there
OPPOSITIONS = Listing(true(), AS_RECORDED)
OPPOSITIONS_OF = Listing(Opposition.usager_id == _usager, AS_RECORDED, usager="usager")
SHARED_KINDS = (
    Kind.USAGER, Kind.USAGER_IDENTIFIER, Kind.CONTACT, Kind.STAY, Kind.EMERGENCY_SHEET, Kind.TRANSMISSION, Kind.EVENT,
    *ATTENDANCE, *AROUND, *LIFE, *ORIENTATION, Kind.DEATH,
    *PROJECT, Kind.ASSESSMENT, Kind.KEPT_RESOURCE,
)  # fmt: skip


def ask(gate: Gate, said: ConsentIn) -> SharingConsent:
    """A question to the person, that nobody has answered yet. The caller settles the gate."""
    _check(said)
    values = said.model_dump(exclude={"kinds", "starts", "kind", "act"})
    sharing = said.kind is QuestionKind.SHARING
    return gate.add(
        SharingConsent(
            kind=said.kind.value,
            kinds=_kinds(said) if sharing else None,
            starts=said.starts or today(),
            act=(said.act or (MinorAct.USUEL if said.kind is QuestionKind.OTHER else MinorAct.NON_USUEL)).value,
            wording_sha256=wording(said.question, said.if_yes, said.if_no),
            visibility=Visibility.SHARED.value,
            **values,
        )
    )


def wording(question: str, if_yes: str, if_no: str) -> str:
    """The fingerprint of what was shown: the three sentences, one a line."""
    return hashlib.sha256(f"{question}\n{if_yes}\n{if_no}".encode()).hexdigest()


async def change(gate: Gate, id: UUID, version: int, said: ConsentPatch) -> SharingConsent:
    """Mend a question nobody has answered; afterwards only stop it sooner, or note that the person cannot say."""
    row = await gate.entry(SharingConsent, id, Action.UPDATE, version)
    values: dict[str, Any] = said.model_dump(exclude_unset=True, exclude={"cannot_express"})
    reworded = values.keys() & {"question", "if_yes", "if_no"}
    if row.answered_at is not None and reworded:
        raise Conflict(
            "Quelqu'un a déjà répondu à cette question. Posez-en une autre.",
            where=f"/{min(reworded)}",
            code="consent.answered",
        )
    if "ends" in values:
        _check_end(row, values["ends"])
    for name in reworded:
        if values[name] is None:
            raise Invalid("Cette phrase ne peut pas être vide.", where=f"/{name}", code="consent.no_wording")
    if reworded:
        shown = [values.get(name, getattr(row, name)) for name in ("question", "if_yes", "if_no")]
        values["wording_sha256"] = wording(*shown)
    if said.cannot_express is not None:
        values |= _cannot_express(gate, row, said.cannot_express)
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    """A question asked by mistake. Raises Conflict once answered: an answer is a proof, and is kept."""
    row = await gate.entry(SharingConsent, id, Action.DELETE, version)
    if row.answered_at is not None:
        raise Conflict("Quelqu'un a répondu : la question et sa réponse sont gardées.", code="consent.answered")
    await gate.remove(row)


def _check(said: ConsentIn) -> None:
    sharing = said.kind is QuestionKind.SHARING
    if sharing and said.partner_id is None:
        raise Invalid("Dites avec qui partager.", where="/partner_id", code="consent.no_partner")
    if sharing and not said.categories:
        raise Invalid("Dites ce qui serait partagé.", where="/categories", code="consent.no_category")
    if not sharing and (said.partner_id or said.categories or said.kinds or said.data_from or said.data_until):
        raise Invalid(
            "Seule une question de partage nomme un partenaire et des données.",
            where="/kind",
            code="consent.no_sharing",
        )
    if said.kind is not QuestionKind.OTHER and said.act not in (None, MinorAct.NON_USUEL):
        raise Invalid(
            "Partager dehors et l'image demandent les deux parents d'un mineur.",
            where="/act",
            code="consent.both_parents",
        )
    if said.about and said.kind is not QuestionKind.OTHER:
        raise Invalid("L'accord à une évaluation est une question « autre ».", where="/about", code="consent.about")
    if said.data_from and said.data_until and said.data_until <= said.data_from:
        raise Invalid("Cette période finit avant de commencer.", where="/data_until", code="consent.period")
    if said.ends and said.ends <= (said.starts or today()):
        raise Invalid("L'accord finirait avant de commencer.", where="/ends", code="consent.period")


def _kinds(said: ConsentIn) -> list[str]:
    """Always told, so that a kind invented later is not shared by an answer given before."""
    asked = set(said.kinds) if said.kinds else {kind.value for kind in SHARED_KINDS}
    if Kind.PROJECT.value in asked:
        asked |= {kind.value for kind in PROJECT}
    if Kind.PRESENCE.value in asked:
        asked |= {kind.value for kind in ATTENDANCE}
    return sorted(asked)


def _check_end(row: SharingConsent, ends: date | None) -> None:
    later = ends is None or (row.ends is not None and ends > row.ends)
    if row.answered_at is not None and (later and row.ends is not None):
        raise Conflict(
            "La réponse valait jusqu'à une date. Pour aller plus loin, posez une autre question.",
            where="/ends",
            code="consent.answered",
        )
    if ends is not None and ends < row.starts:
        raise Invalid("L'accord finirait avant de commencer.", where="/ends", code="consent.period")


def _cannot_express(gate: Gate, row: SharingConsent, cannot: bool) -> dict[str, Any]:
    """Dated, for this question. Taken back, what a representative answered no longer counts."""
    if cannot:
        return {"cannot_express_on": today(), "cannot_express_by": gate.principal.id}
    undone: dict[str, Any] = {"cannot_express_on": None, "cannot_express_by": None}
    if row.cannot_express_on and row.answered_by_kind == "representative":
        undone["answer"] = Answer.ASKED.value
    return undone
