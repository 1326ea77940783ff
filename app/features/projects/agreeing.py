"""Answers to a project, and the person's own acts: what they think, what they want to say. None blocks, none vanishes.

Law: CASF L311-3 7° (direct participation, with or through who represents them).
"""

from typing import Any
from uuid import UUID

from app.access.entry import Who
from app.access.gate import Gate, MayNot, Reading
from app.access.permissions import Action, Category, Kind, Visibility
from app.features.projects.models import Agreement, Expectation, Goal
from app.features.projects.questions import MINE_IN_PREPARATION, MINE_RUNNING
from app.features.projects.schemas import AgreementIn, OpinionIn, PositionIn, WordsIn
from app.features.projects.seen import Seen, first_mine, mine, whole
from app.features.projects.service import check_period, opened
from app.features.projects.vocabulary import Origin, Party, ProjectStatus
from app.kernel.clock import CLOCK_DRIFT, now, today
from app.kernel.errors import Conflict, Invalid, NotFound
from app.security.principal import Representative, UsagerSelf

NOT_THEIRS = "Cette personne répond elle-même. Vous pouvez l'aider à lire son projet, pas y répondre à sa place."
SIGNERS = {
    Party.STRUCTURE: Who.PROFESSIONAL,
    Party.USAGER: Who.USAGER,
    Party.REPRESENTATIVE: Who.CONTACT,
    Party.CONTACT: Who.CONTACT,
}


async def record(gate: Gate, project_id: UUID, said: AgreementIn) -> Agreement:
    """An answer noted by the team: their own for the structure, or someone's, given on paper or aloud."""
    seen = await whole(gate, project_id)
    check_shown(seen, said.seen)
    check_period(said.starts, said.ends)
    if said.signed_at and said.signed_at > now() + CLOCK_DRIFT:
        raise Invalid("Un accord se note après avoir été donné.", where="/signed_at", code="agreement.future")
    signer = said.signer_id
    if said.party in (Party.REPRESENTATIVE, Party.CONTACT) and not (signer or said.signer_name):
        raise Invalid("Dites qui a répondu.", where="/signer_name", code="agreement.no_signer")
    if said.party is Party.STRUCTURE:
        signer = signer or gate.principal.id
    elif said.party is Party.USAGER:
        signer = UUID(seen.project.usager_id)
    values = said.model_dump(exclude={"seen", "signed_at", "signer_id"})
    return gate.add(_answer(seen, signer_id=signer, signed_at=said.signed_at or now(), **values))


async def take_position(gate: Gate, said: PositionIn) -> Agreement:
    """The answer of the person, or of who represents them, on what they have just read.

    Raises MayNot for who only assists: the person answers.
    """
    seen = await mine(gate, said.project_id)
    if not seen.may_answer:
        raise _not_theirs(seen)
    check_shown(seen, said.seen)
    party = Party.USAGER if isinstance(gate.principal, UsagerSelf) else Party.REPRESENTATIVE
    row = _answer(
        seen,
        party=party,
        answer=said.answer,
        comment=said.words,
        signed_at=now(),
        signer_id=gate.principal.id,
    )
    return gate.add(row)


def _not_theirs(seen: Seen) -> MayNot:
    no = MayNot(NOT_THEIRS, where="/answer", code="agreement.not_theirs")
    no.action, no.kind, no.usager_id = Action.CREATE, Kind.AGREEMENT, UUID(seen.project.usager_id)
    return no


def _answer(seen: Seen, *, party: Party, **values: Any) -> Agreement:
    """Of a minor, two parents may answer apart: each sees only their own answer, and the team both."""
    apart = party is Party.REPRESENTATIVE and seen.project.minor
    return Agreement(
        project_id=UUID(seen.project.id),
        usager_id=UUID(seen.project.usager_id),
        structure_id=UUID(seen.project.structure_id),
        category=Category.SUPPORT.value,
        visibility=(Visibility.NOT_SHARED if apart else Visibility.SHARED).value,
        party=party,
        signer_kind=SIGNERS[party].value,
        shown_version=seen.project.version,
        shown_sha256=seen.sha256,
        **values,
    )


def check_shown(seen: Seen, fingerprint: str | None) -> None:
    """Raises Conflict when the project is over, or no longer says what was read."""
    if seen.project.status == ProjectStatus.COMPLETED:
        raise Conflict("Ce projet est terminé.", where="/project_id", code="project.completed")
    if fingerprint is not None and fingerprint != seen.sha256:
        raise Conflict(
            "Le projet a changé depuis cette lecture. Relisez-le, puis répondez.",
            where="/seen",
            code="project.changed_since_seen",
        )


async def give_opinion(gate: Gate, said: OpinionIn) -> Goal:
    """« Pour moi, comment ça va ? » Theirs alone: who represents them has no such act. Words given before stay, unless
    others are given.
    """
    goal = await gate.entry(Goal, said.goal_id, Action.UPDATE)
    await opened(gate, goal.project_id, Action.READ)
    words = said.words if "words" in said.model_fields_set else goal.opinion_words
    return await gate.change(goal, opinion_feeling=said.feeling.value, opinion_words=words, opinion_at=now())


async def add_words(gate: Gate, said: WordsIn) -> Expectation:
    """Words of the person, or of who represents them, as they say them; after others when they add to these."""
    project = await opened(gate, said.project_id, Action.READ)
    if said.adds_to_id:
        former = await gate.entry(Expectation, said.adds_to_id, Action.READ)
        if former.project_id != project.id:
            raise Invalid("Ces mots sont d'un autre projet.", where="/adds_to_id", code="project.other")
    themselves = isinstance(gate.principal, UsagerSelf)
    return gate.add(
        Expectation(
            project_id=project.id,
            usager_id=project.usager_id,
            structure_id=project.structure_id,
            category=Category.SUPPORT.value,
            visibility=(Visibility.SHARED if themselves and not said.only_team else Visibility.NOT_SHARED).value,
            origin=(Origin.USAGER if themselves else Origin.FAMILLE).value,
            said_on=today(),
            words=said.words,
            adds_to_id=said.adds_to_id,
        )
    )


async def my_project(gate: Reading, *, in_preparation: bool = False) -> Seen:
    """The project under way; else, or when asked for, the one in preparation. Raises NotFound when there is none."""
    who = gate.principal
    if not isinstance(who, UsagerSelf | Representative):
        raise TypeError("Only the person, or who represents them, has a project of their own.")
    listings = (MINE_IN_PREPARATION,) if in_preparation else (MINE_RUNNING, MINE_IN_PREPARATION)
    for listing in listings:
        if seen := await first_mine(gate, listing, usager=who.usager_id):
            return seen
    raise NotFound("Votre projet n'est pas encore écrit.", code="project.none")
