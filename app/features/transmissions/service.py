"""The rules of a transmission. REST, FHIR and the page all come here."""

import re
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, true

from app.access.gate import Gate, Listing
from app.access.permissions import Action
from app.features.transmissions import masking
from app.features.transmissions.models import EntryKind, Transmission
from app.features.transmissions.schemas import LineIn, TransmissionIn, TransmissionPatch
from app.kernel.clock import CLOCK_DRIFT, now
from app.kernel.errors import Conflict, Invalid
from app.kernel.ids import uuid7

NEWEST_FIRST = ("occurred_at", "id")
ALL = Listing(true(), NEWEST_FIRST)
OF_USAGER = Listing(Transmission.usager_id == bindparam("usager", type_=Uuid()), NEWEST_FIRST, usager="usager")
OF_TARGET = Listing(
    (Transmission.usager_id == bindparam("usager", type_=Uuid()))
    & (Transmission.target == bindparam("target", type_=Text())),
    NEWEST_FIRST,
    usager="usager",
)
OF_THREAD = Listing(
    Transmission.thread_id == bindparam("thread", type_=Uuid()), ("occurred_at", "id"), newest_first=False
)

_PARTS = re.compile(r"(?:^|(?<=\s))([DAR])\s*:\s*", re.IGNORECASE)
_KINDS = {"D": EntryKind.DATA, "A": EntryKind.ACTION, "R": EntryKind.RESULT}


async def write(gate: Gate, said: TransmissionIn, id: UUID | None = None) -> Transmission:
    """Add an entry to a dossier, or to the thread it names. The caller settles the gate.

    Raises Invalid when it is dated in the future, or when a reply names no thread; OutOfReach for a thread out of reach.
    """
    occurred_at = said.occurred_at or now()
    if occurred_at > now() + CLOCK_DRIFT:
        raise Invalid(
            "Une transmission dit ce qui a été vu : elle ne peut pas être dans le futur.",
            where="/occurred_at",
            code="transmission.future",
        )
    if said.kind is EntryKind.REPLY and said.thread_id is None:
        raise Invalid(
            "Une réponse dit à quelle transmission elle répond.", where="/thread_id", code="transmission.no_thread"
        )
    id = id or uuid7()
    target, secret = said.target, False
    if said.thread_id:
        first = await gate.entry(Transmission, said.thread_id, Action.READ)
        if first.usager_id != said.usager_id:
            raise Invalid("Ce fil parle d'une autre personne.", where="/thread_id", code="transmission.other_person")
        target, secret = target or first.target, first.minor_secret  # what a child keeps is the whole thread
    values = said.model_dump(exclude={"occurred_at", "target", "thread_id"})
    thread = said.thread_id or id
    told = {"target": target, "occurred_at": occurred_at, "minor_secret": secret}
    return gate.add(Transmission(id=id, thread_id=thread, **told, **values))


async def write_line(gate: Gate, said: LineIn) -> list[Transmission]:
    """One line told as `D: … A: … R: …` becomes up to three entries of one thread; without a mark, one narrative."""
    common = said.model_dump(exclude={"line"})
    written: list[Transmission] = []
    for kind, text in parts(said.line):
        entry = await write(gate, TransmissionIn(**common, kind=kind, text=text))
        if written:
            entry.thread_id = written[0].id
        written.append(entry)
    return written


def parts(line: str) -> list[tuple[EntryKind, str]]:
    """`D: chute A: examen R: rien` → data, action, result; what stands before the first mark joins it.

    « 14 h : repas » holds no mark: only D, A or R alone before a colon.
    """
    pieces = _PARTS.split(line)
    if len(pieces) == 1:
        return [(EntryKind.NARRATIVE, line)]
    told = [(_KINDS[mark.upper()], text.strip()) for mark, text in zip(pieces[1::2], pieces[2::2], strict=True)]
    before = pieces[0].strip()
    if before:
        told[0] = (told[0][0], f"{before} {told[0][1]}".strip())
    return [(kind, text) for kind, text in told if text] or [(EntryKind.NARRATIVE, line)]


async def correct(gate: Gate, id: UUID, version: int, said: TransmissionPatch) -> Transmission:
    """A new version of an entry; the former stays readable in its history. What is masked stays so: Raises Conflict, Invalid."""
    row = await gate.entry(Transmission, id, Action.UPDATE, version)
    values = said.model_dump(exclude_unset=True)
    if row.masked is not None:
        if "visibility" in values:
            raise Conflict(
                "Des mots de cette note sont masqués. Rendez-la d'abord entière à la personne.",
                where="/visibility",
                code="transmission.masked",
            )
        values |= masking.of(values.get("text", row.text), row.masked)
    return await gate.change(row, **values)


async def remove(gate: Gate, id: UUID, version: int) -> None:
    await gate.remove(await gate.entry(Transmission, id, Action.DELETE, version))
