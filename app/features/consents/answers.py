"""Answering: by the person, by who may stand for them, or noted by a professional; taken back as easily as given.

A « non » of the person to a sharing is an opposition, whoever else says yes. What closes closes in this transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.access.acts import Act
from app.access.gate import Gate, MayNot
from app.access.mandates import majority
from app.access.models import Opposition, SharingConsent
from app.access.permissions import Action, Visibility
from app.features.consents.models import Answer, ConsentAnswer, GivenBy, MinorAct, QuestionKind
from app.features.consents.schemas import AnswerIn, GuardianIn, NotedIn
from app.features.consents.standing import Standing
from app.features.contacts.models import Contact
from app.kernel.clock import now, today
from app.kernel.errors import Conflict, Invalid, Stale
from app.security.principal import UsagerSelf

DECIDES_ALONE = "Cette personne décide elle-même. Vous pouvez l'aider à lire la question, pas y répondre à sa place."
NOT_RECORDED = (
    "Votre réponse ne compte que si un professionnel a noté, pour cette question, que la personne ne peut pas exprimer "
    "sa volonté. Parlez-en avec le service."
)
KEPT_BY_OTHERS = (
    "Pour cette question, c'est l'aide sociale à l'enfance ou la maison qui répond. Parlez-en avec le service."
)
DIED = "Cette personne est décédée : personne ne répond plus pour elle. Ses proches s'adressent à la direction."
NO_AUTHORITY = "L'autorité parentale n'est pas enregistrée ici pour vous. Parlez-en avec le service."

GUARDIANS = (GivenBy.ASE, GivenBy.HOUSE)


@dataclass(frozen=True, slots=True)
class Heard:
    """One answer: what was said, by whom, heard by whom."""

    answer: Answer
    given_by: UUID
    kind: GivenBy
    noted_by: UUID | None = None
    assisted_by: str | None = None


async def give(gate: Gate, id: UUID, said: AnswerIn) -> ConsentAnswer:
    """The caller's own answer: the person, or who stands for them. The caller settles the gate.

    Raises Stale when the question is no longer the one shown, MayNot when this answer would not count.
    """
    row = await gate.entry(SharingConsent, id, Action.UPDATE)
    if said.answer == "yes":
        _check_shown(row, said.wording_sha256)
    kind = GivenBy.USAGER if isinstance(gate.principal, UsagerSelf) else GivenBy.REPRESENTATIVE
    return await _hear(gate, row, Heard(Answer(said.answer), gate.principal.id, kind))


async def note(gate: Gate, id: UUID, said: NotedIn) -> ConsentAnswer:
    """What the person, or `contact_id`, said to a professional; the person is asked « c'est bien ça ? »."""
    row = await gate.entry(SharingConsent, id, Action.UPDATE)
    kind = GivenBy.REPRESENTATIVE if said.contact_id else GivenBy.USAGER
    giver = said.contact_id or row.usager_id
    return await _hear(gate, row, Heard(Answer(said.answer), giver, kind, gate.principal.id, said.assisted_by))


async def guard(gate: Gate, id: UUID, said: GuardianIn) -> ConsentAnswer:
    """What who has the keeping of a minor answers, ASE or house. Raises MayNot, Conflict for another act or an adult."""
    await gate.require(Act.ANSWER_AS_GUARDIAN)
    row = await gate.entry(SharingConsent, id, Action.UPDATE)
    if row.act != MinorAct.GARDIEN:
        raise Conflict(
            "Cette question n'est pas de celles auxquelles répond la maison ou l'ASE.",
            where="/by",
            code="consent.not_guardian",
        )
    if said.contact_id:
        contact = await gate.entry(Contact, said.contact_id, Action.READ)
        if contact.usager_id != row.usager_id:
            raise Invalid("Ce contact est celui d'une autre personne.", where="/contact_id", code="consent.contact")
    kind, giver = GivenBy(said.by), said.contact_id or row.structure_id
    return await _hear(gate, row, Heard(Answer(said.answer), giver, kind, gate.principal.id))


async def confirm(gate: Gate, id: UUID, right: bool) -> ConsentAnswer:
    """« C'est bien ça ? » Oui: it is theirs. Non: nobody has answered, and nothing is shared under it."""
    row = await gate.entry(SharingConsent, id, Action.UPDATE)
    if not isinstance(gate.principal, UsagerSelf):
        raise _refused(row, DECIDES_ALONE)
    if row.answered_by_kind != "professional" or row.confirmed_at is not None:
        raise Conflict("Il n'y a pas de réponse à confirmer ici.", code="consent.nothing_noted")
    answer = Answer(row.answer) if right else Answer.ASKED
    return await _hear(gate, row, Heard(answer, gate.principal.id, GivenBy.USAGER))


async def _hear(gate: Gate, row: SharingConsent, heard: Heard) -> ConsentAnswer:
    """Once the row is locked, what others said is read as committed: two parents who answer at once are both heard."""
    standing = await gate.get(Standing, row.id)
    if standing.dead:
        raise Conflict(DIED, where="/answer", code="consent.died")
    if heard.kind is GivenBy.REPRESENTATIVE:
        _check_stands(row, standing, heard.given_by)
    elif heard.kind in GUARDIANS:
        if not _minor(standing):
            raise Conflict(DECIDES_ALONE, where="/by", code="consent.of_age")
    elif heard.noted_by and heard.answer is Answer.YES and _own_no(standing):
        raise Conflict(
            "Cette personne a répondu non elle-même. Elle seule peut changer sa réponse, avec vous à côté si elle veut.",
            where="/answer",
            code="consent.own_no",
        )
    await _oppose_or_lift(gate, row, standing, heard)
    shown = row.version
    before = row.answer
    outcome = resolved(row, standing, heard)
    await gate.change(row, **_kept(row, standing, heard, outcome, before))
    return gate.add(
        ConsentAnswer(
            usager_id=row.usager_id,
            structure_id=row.structure_id,
            consent_id=row.id,
            answer=heard.answer.value,
            given_by=heard.given_by,
            given_by_kind=heard.kind.value,
            noted_by=heard.noted_by,
            assisted_by=heard.assisted_by,
            wording_sha256=row.wording_sha256,
            consent_version=shown,
            visibility=(Visibility.SHARED if heard.kind is GivenBy.USAGER else Visibility.NOT_SHARED).value,
            minor_secret=row.minor_secret,  # what a child keeps is the question and their answer
        )
    )


def resolved(row: SharingConsent, standing: Standing, heard: Heard) -> Answer:
    """Where the question stands with this answer. The person's own no stands whoever else says yes."""
    said = {giver: answer for giver, answer, _ in map(_read, standing.last)} | {heard.given_by: heard.answer}
    person = said.get(row.usager_id, Answer.ASKED)
    if person is Answer.NO:
        return Answer.NO
    if not _minor(standing):
        return heard.answer
    if row.act == MinorAct.GARDIEN:
        return _narrowest([answer for giver, answer in said.items() if giver != row.usager_id])
    parents = [said.get(UUID(id), Answer.ASKED) for id in standing.parents]
    voices = [*parents, person]
    if Answer.NO in voices:
        return Answer.DISAGREEMENT if Answer.YES in parents else Answer.NO
    if Answer.TALK in voices:
        return Answer.TALK
    if row.act == MinorAct.NON_USUEL:
        both = bool(parents) and not standing.awaited and all(a is Answer.YES for a in parents)
        return Answer.YES if both else Answer.ASKED
    return Answer.YES if Answer.YES in voices else Answer.ASKED


def _narrowest(answers: Sequence[Answer]) -> Answer:
    """Of those who have the keeping of a minor: any no, then any doubt, wins."""
    return next((one for one in (Answer.NO, Answer.TALK, Answer.YES) if one in answers), Answer.ASKED)


def _kept(row: SharingConsent, standing: Standing, heard: Heard, outcome: Answer, before: str) -> dict[str, Any]:
    by_person = heard.kind is GivenBy.USAGER
    values: dict[str, Any] = {
        "answer": outcome.value,
        "answered_at": now(),
        "answered_by_kind": "professional" if by_person and heard.noted_by else heard.kind.value,
        "noted_by": heard.noted_by,
        "assisted_by": heard.assisted_by,
        "confirmed_at": now() if by_person and heard.noted_by is None else None,
        "withdrawn_at": row.withdrawn_at,
        "lapses_on": None,
    }
    if outcome is Answer.YES:
        values["withdrawn_at"] = None
        if standing.born and _minor(standing):  # what parents allowed ends with their authority
            values["lapses_on"] = majority(standing.born)
    elif before == Answer.YES:
        values["withdrawn_at"] = now()
    return values


async def _oppose_or_lift(gate: Gate, row: SharingConsent, standing: Standing, heard: Heard) -> None:
    if heard.kind is not GivenBy.USAGER or row.kind != QuestionKind.SHARING or row.partner_id is None:
        return
    if heard.answer is Answer.NO and standing.opposition_id is None:
        gate.add(
            Opposition(
                usager_id=row.usager_id,
                structure_id=row.structure_id,
                partner_id=row.partner_id,
                consent_id=row.id,
                starts=today(),
                visibility=Visibility.SHARED.value,
                minor_secret=row.minor_secret,
            )
        )
    if heard.answer in (Answer.YES, Answer.ASKED) and standing.opposition_id:
        against = await gate.entry(Opposition, UUID(standing.opposition_id), Action.UPDATE)
        await gate.change(against, ends=today())


def _check_stands(row: SharingConsent, standing: Standing, giver: UUID) -> None:
    """Raises MayNot: scope must cover the person, effect be représentation, and the person unable to say (adults)."""
    if _minor(standing):
        if row.act == MinorAct.GARDIEN:
            raise _refused(row, KEPT_BY_OTHERS)
        if str(giver) not in standing.parents:
            raise _refused(row, NO_AUTHORITY)
    elif str(giver) not in standing.deciders:
        raise _refused(row, DECIDES_ALONE)
    elif row.cannot_express_on is None:
        raise _refused(row, NOT_RECORDED)


def _check_shown(row: SharingConsent, shown: str | None) -> None:
    if shown is None:
        raise Invalid("Dites quelle question a été montrée.", where="/wording_sha256", code="consent.not_shown")
    if shown != row.wording_sha256:
        raise Stale("La question a changé. Relisez-la, puis répondez.", where="/wording_sha256")


def _refused(row: SharingConsent, sentence: str) -> MayNot:
    no = MayNot(sentence, where="/answer", code="consent.not_theirs")
    no.action, no.kind, no.ids, no.usager_id = Action.UPDATE, row.KIND, (row.id,), row.usager_id
    return no


def _read(line: str) -> tuple[UUID, Answer, bool]:
    giver, answer, *noted = line.split()
    return UUID(giver), Answer(answer), not noted


def _own_no(standing: Standing) -> bool:
    """The person refused by their own hand."""
    person = UUID(standing.usager_id)
    return any(giver == person and answer is Answer.NO and own for giver, answer, own in map(_read, standing.last))


def _minor(standing: Standing) -> bool:
    return standing.born is not None and majority(standing.born) > today()
