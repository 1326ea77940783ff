"""Asking for the copy of a dossier, and answering: each part has its clock, set by the house within the law.

The copy itself is made by `app.vault.copy`. Source: CSP L1111-7; RGPD art. 12 §3; design: field.md §1, §6.
"""

from datetime import datetime, timedelta
from uuid import UUID

from dateutil.relativedelta import relativedelta
from sqlalchemy import Uuid, bindparam

from app.access.acts import Act
from app.access.gate import Gate, Listing, MayNot, Reading
from app.access.http import whom
from app.access.permissions import Action
from app.access.refusal import NOT_FOUND, refused
from app.access.several import refuse
from app.features.copies.models import CopyAnswer, CopyRequest, Part, about
from app.features.copies.schemas import Asking, CopyAnswerIn, CopyAskedIn, Taken
from app.kernel.clock import CLOCK_DRIFT, PARIS, now
from app.kernel.errors import Conflict, Invalid, NotFound

C = CopyRequest
SOONEST_DUE = ("due_on", "id")
_of_usager = C.usager_id == bindparam("usager", type_=Uuid())
WAITING = Listing(C.answer.is_(None), SOONEST_DUE, newest_first=False)
ALL = Listing(C.id == C.id, ("recorded_at", "id"))
OF_USAGER = Listing(_of_usager, ("recorded_at", "id"), usager="usager")
NOT_THEIRS = (
    "Vous ne pouvez pas demander cette copie à la place de cette personne. Elle peut la demander elle-même, avec votre "
    "aide si elle veut."
)

NOT_BY_RIGHT = (
    "Ce contact ne représente pas la personne : la demande ne peut pas être faite par lui. La personne peut la faire, avec "
    "son aide si elle veut."
)
LONGEST_AGO = timedelta(days=366)


async def ask(gate: Gate, *parts: Part) -> list[CopyRequest]:
    """By the person, or who represents them by right. Raises MayNot; Conflict, once written, for a part that waits."""
    asking = await gate.get(Asking, whom(gate))
    usager, structure = UUID(asking.usager_id), UUID(asking.structure_id)
    if not asking.may_ask:
        no = MayNot(NOT_THEIRS, code="copy.not_theirs")
        no.action, no.kind, no.ids, no.usager_id = Action.CREATE, C.KIND, (), usager
        raise no
    return [gate.add(_asked(part, usager, structure, asking, now())) for part in parts]


async def enter(gate: Gate, said: CopyAskedIn) -> CopyRequest:
    """Asked of the caller: theirs, who asked, to read and to take. Raises OutOfReach; Invalid for a contact without the
    right, a moment to come, or longer ago than any answer may take.
    """
    asking, at = await gate.get(Asking, said.usager_id), said.asked_at or now()
    if said.contact_id and str(said.contact_id) not in asking.by_right:
        raise Invalid(NOT_BY_RIGHT, where="/contact_id", code="copy.not_theirs")
    if not now() - LONGEST_AGO < at <= now() + CLOCK_DRIFT:
        raise Invalid(
            "Dites quand cette demande a été faite : depuis un an au plus.", where="/asked_at", code="copy.when"
        )
    row = _asked(said.part, said.usager_id, UUID(asking.structure_id), asking, at)
    row.author_id, row.author_kind = (
        said.contact_id or said.usager_id,
        "representative" if said.contact_id else "usager",
    )
    row.entered_by, row.asked_how, row.asked_at = gate.principal.id, said.how.value, at
    return gate.add(row)


def _asked(part: Part, usager: UUID, structure: UUID, clocks: Asking, at: datetime) -> CopyRequest:
    day, row = at.astimezone(PARIS).date(), C(usager_id=usager, structure_id=structure, part=part.value)
    match part:
        case Part.CARE:
            row.due_on = day + timedelta(days=clocks.care_days)
        case Part.OLD_CARE:
            row.due_on = day + relativedelta(months=clocks.old_care_months)
        case Part.REST:
            row.due_on = day + relativedelta(months=clocks.rest_months)
            return row
    row.not_before = at + timedelta(hours=clocks.care_hours)
    row.old_before = day - relativedelta(years=clocks.old_care_years)
    return row


async def sign_care(gate: Gate, id: UUID) -> CopyRequest:
    """A health professional signs the care part; the direction prepares it then. Raises MayNot, Conflict."""
    await gate.require(Act.PREPARE_COPY_OF_CARE)
    row = await waiting(gate, id)
    if row.part == Part.REST:
        raise Conflict("Cette partie ne contient pas de soins : la direction la prépare seule.", code="copy.no_care")
    if row.care_signed_by is not None:
        raise Conflict("La partie soins est déjà signée.", code="copy.signed")
    signed = {"care_signed_by": gate.principal.id, "care_signed_at": now()}
    return await gate.change(row, action=Act.PREPARE_COPY_OF_CARE, **signed)


async def answer(gate: Gate, id: UUID, said: CopyAnswerIn) -> CopyRequest:
    """Given in another way, or refused in words. Raises MayNot, Invalid for a refusal that says nothing."""
    await gate.require(Act.PREPARE_COPY)
    if said.answer == CopyAnswer.REFUSED.value and said.words is None:
        raise Invalid("Un refus dit pourquoi, et à qui s'adresser.", where="/words", code="copy.why")
    row = await waiting(gate, id)
    told = {"answer": said.answer, "words": said.words, "answered_by": gate.principal.id, "answered_at": now()}
    return await gate.change(row, action=Act.PREPARE_COPY, **told)


async def waiting(gate: Gate, id: UUID) -> CopyRequest:
    """The request, locked. Raises OutOfReach, MayNot; Conflict once answered."""
    row = await gate.entry(C, id, Action.UPDATE)
    if row.answer is not None:
        raise Conflict("Cette demande a déjà sa réponse.", code="copy.answered")
    return row


async def mine(reading: Reading, id: UUID, name: str) -> bytes:
    """The copy, for who asked for it. Raises OutOfReach, NotFound while there is none."""
    return _opened(reading, await reading.get(Taken, id), name)


async def for_staff(reading: Reading, id: UUID, name: str) -> bytes:
    """The same, to print and hand over: by the direction; what holds care, by the health professional who signed it."""
    taken = await reading.get(Taken, id)
    if taken.part == Part.REST:
        await reading.require(Act.PREPARE_COPY)
    elif taken.care_signed_by != str(reading.principal.id):
        await refuse(reading, Act.PREPARE_COPY_OF_CARE, C.KIND, [id])
        raise refused(MayNot, Act.PREPARE_COPY_OF_CARE, C.KIND, [id], usager_id=UUID(taken.usager_id))
    return _opened(reading, taken, name)


def _opened(reading: Reading, taken: Taken, name: str) -> bytes:
    sealed = getattr(taken, name)
    if sealed is None:
        raise NotFound(NOT_FOUND)
    return reading.key_beside(taken.usager_id, taken.wrapped).open(sealed, about(taken.id, name))
