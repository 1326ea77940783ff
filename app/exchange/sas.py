"""What waits for the secretary: « rattacher · créer · refuser » (field.md §3).

Accepting opens the rows of a bundle to the team, whoever arrives in it being created; attaching gives them to a person
who is here; refusing leaves them to their sender. All of it in one transaction.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Integer, LargeBinary, Text, Uuid, bindparam, text, true

from app.access import contents
from app.access.acts import Act
from app.access.arrivals import OF_THE_ROW, Arrivals
from app.access.entry import DossierEntry
from app.access.gate import Listing
from app.access.permissions import Action, Kind
from app.access.refusal import OutOfReach
from app.access.versions import about, values_of
from app.exchange import journal
from app.exchange.models import Exchange, ExternalId, State
from app.features.usagers import closing
from app.features.usagers.models import Usager
from app.fhir.identifiers import EXTERNAL_ID
from app.fhir.keeping import KNOWN_AS
from app.fhir.mapping import about_extra
from app.kernel.crypto import UsagerKey
from app.kernel.db import Base
from app.kernel.errors import Conflict, Invalid
from app.kernel.objects import Objects

ALL = Listing(true())
IN_STATE = Listing(Exchange.state == bindparam("state", type_=Text()))
WRITTEN = text(
    """SELECT position, type_name, kind, row_id, usager_id, version, beside, part, warnings FROM exchange_row
    WHERE organisation_id = :organisation AND exchange_id = :exchange ORDER BY position"""
).columns(
    position=Integer(), type_name=Text(), kind=Text(), row_id=Uuid(), usager_id=Uuid(), version=Integer(),
    beside=Boolean(), part=Boolean(), warnings=Text(),
)  # fmt: skip
OF_PERSON = text(
    """SELECT r.exchange_id, e.state, r.kind, r.row_id, r.usager_id, r.version, r.beside FROM exchange_row r
    JOIN exchange e ON e.organisation_id = r.organisation_id AND e.id = r.exchange_id
    WHERE r.organisation_id = :organisation AND r.usager_id = :person"""
).columns(
    exchange_id=Uuid(), state=Text(), kind=Text(), row_id=Uuid(), usager_id=Uuid(), version=Integer(), beside=Boolean()
)
HELD = text(
    "SELECT id FROM usager WHERE organisation_id = :organisation AND id = ANY(CAST(:ids AS uuid[])) AND held"
).columns(id=Uuid())
# `passed`: a later word of the same sender was taken, at once or by a decision, so that everyone reads it, or did.
AS_SENT = text(
    """SELECT entry_id, kind, v.usager_id, v.version, snapshot, EXISTS (
        SELECT FROM exchange_row r JOIN exchange e ON e.organisation_id = r.organisation_id AND e.id = r.exchange_id
        WHERE r.organisation_id = v.organisation_id AND r.usager_id = asked.usager AND r.row_id = v.entry_id
            AND r.version > v.version AND (NOT r.beside OR e.state = 'accepted')
            AND e.direction = 'received' AND e.partner_id = v.origin_partner_id AND EXISTS (
                SELECT FROM entry_version later
                WHERE later.organisation_id = v.organisation_id AND later.entry_id = v.entry_id
                    AND later.version >= r.version AND later.version = later.origin_version AND NOT later.held)) AS passed
    FROM entry_version v
    JOIN unnest(CAST(:ids AS uuid[]), CAST(:versions AS int[]), CAST(:usagers AS uuid[])) AS asked (id, n, usager)
      ON asked.id = v.entry_id AND asked.n = v.version
    WHERE v.organisation_id = :organisation ORDER BY v.version"""
).columns(entry_id=Uuid(), kind=Text(), usager_id=Uuid(), version=Integer(), snapshot=LargeBinary(), passed=Boolean())
ASKED_BY = {"ids": "row_id", "versions": "version", "usagers": "usager_id"}
RENAMED = text(
    """WITH x AS (UPDATE external_id SET usager_id = :usager WHERE organisation_id = :organisation
        AND usager_id = :person)
    UPDATE exchange_row SET usager_id = :usager WHERE organisation_id = :organisation AND usager_id = :person
    RETURNING row_id"""
).columns(row_id=Uuid())
STAYS_THEIRS = frozenset(
    {Kind.USAGER, Kind.USAGER_IDENTIFIER}
)  # an identity as its sender declares it, told to it alone

ELSEWHERE = (
    "Cette personne attend aussi dans une structure où vous ne décidez pas. "
    "Demandez à quelqu'un qui décide dans les deux."
)


class Decided(NamedTuple):
    """`left_out`: the rows of which a later word of the same sender stands already."""

    line: Exchange
    left_out: Sequence[UUID] = ()


async def waiting(gate: Arrivals, id: UUID) -> Exchange:
    """The line, locked. Raises MayNot, OutOfReach, or Conflict when it was decided already."""
    await gate.require(Act.DECIDE_INBOUND)
    line = await gate.entry(Exchange, id, Action.UPDATE)
    if line.state != State.TO_ATTACH:
        raise Conflict("Cet envoi n'attend plus de décision.", code="exchange.decided")
    return line


async def accept(gate: Arrivals, id: UUID) -> Decided:
    """Its rows open to the team as they came; who arrives is created. What waited beside a row takes its place, unless a
    later word of its sender has: the journal says so of that row.

    A death, or a birth date put right, told by it closes, in this transaction, what one told directly closes.
    """
    line = await waiting(gate, id)
    rows = await gate.consult(WRITTEN, exchange=id)
    sent, passed = await _as_sent(gate, [row for row in rows if row["beside"]])
    told_of = {row["row_id"]: row["usager_id"] for row in rows}
    opened = []
    for table, ids in _by_table(rows):
        for row in await gate.arrived(table, ids):
            theirs = _stays_theirs(row, told_of[row.id])
            if row.id in sent or (row.held and not theirs):
                opened.append(_as_came(row, sent.get(row.id, {}), held=theirs))
    await gate.rewrite(opened)
    people = [row for row in opened if isinstance(row, Usager) and not row.held]
    for row in people:
        if row.died_on:
            await closing.at_death(gate, row, date.fromisoformat(str(row.died_on)))
    await closing.at_majority(
        gate, [(row, date.fromisoformat(str(row.birth_date))) for row in people if row.birth_date]
    )
    late = [row for row in rows if row["beside"] and row["row_id"] in passed]
    line.warnings += await journal.overtaken(gate, id, [row for row in late if not row["part"]])
    return Decided(await _decided(gate, line, State.ACCEPTED, "accept"), [row["row_id"] for row in late])


async def refuse(gate: Arrivals, id: UUID) -> Decided:
    """Nobody but their sender reads what still waits of it; what was attached already is decided, and stays."""
    line = await waiting(gate, id)
    return Decided(await _decided(gate, line, State.ACCEPTED if line.decided_by else State.REFUSED, "refuse"))


async def attach(gate: Arrivals, id: UUID, usager_id: UUID, person_id: UUID | None, objects: Objects | None) -> Decided:
    """What was sent of who arrived is now about this person, who is here. Raises OutOfReach, Invalid.

    All of it, its files and earlier bundles that wait too: the sender names one person. What was refused before goes
    along and stays refused. The identity it declared stays its own word.
    """
    line = await waiting(gate, id)
    here = await gate.entry(Usager, usager_id, Action.READ)
    person = await _newcomer(gate, await gate.consult(WRITTEN, exchange=id), person_id)
    rows = await gate.consult(OF_PERSON, person=person)
    undecided = [row for row in rows if row["state"] == State.TO_ATTACH]
    others = [await _mine(gate, other) for other in sorted({row["exchange_id"] for row in undecided} - {id})]
    moving = [row for row in rows if row["row_id"] != person and row["kind"] not in STAYS_THEIRS]
    waited = {row["row_id"] for row in undecided}
    moved = await _moved(gate, moving, waited, person, here.id, objects)
    gate.note(_known_as(gate, line, person, here.id), over=True)
    await gate.consult(RENAMED, usager=here.id, person=person)
    for other in others:
        await _close(gate, other, here.id, moved)
    return Decided(await _close(gate, line, here.id, moved))


async def _mine(gate: Arrivals, id: UUID) -> Exchange:
    """Another bundle that tells of the person, locked. Raises Conflict when somebody else decides of it."""
    try:
        return await gate.entry(Exchange, id, Action.UPDATE)
    except OutOfReach:
        raise Conflict(ELSEWHERE, code="exchange.elsewhere") from None


async def _moved(
    gate: Arrivals,
    moving: Sequence[Any],
    waited: Collection[UUID],
    person: UUID,
    usager_id: UUID,
    objects: Objects | None,
) -> set[UUID]:
    """The rows given to who is here. What waited is opened, as it came. Raises Conflict when some stand out of reach."""
    theirs, new = await gate.key_of(person), await gate.key_of(usager_id)
    undecided = [row for row in moving if row["state"] == State.TO_ATTACH and row["beside"]]
    sent, _ = await _as_sent(gate, undecided)
    found = [row for table, ids in _by_table(moving) for row in await gate.arrived(table, ids)]
    if {row["row_id"] for row in moving} - {row.id for row in found}:
        raise Conflict(ELSEWHERE, code="exchange.elsewhere")
    came = [_as_came(row, sent.get(row.id, {}), held=row.held and row.id not in waited) for row in found]
    for row in came:  # one file at a time: a person may have many
        if file := await contents.sealed_anew(gate, row, new, usager_id, objects):
            gate.beside(file)
    await gate.rewrite([_given_to(usager_id, row, theirs, new) for row in came])
    return {row.id for row in found}


def _known_as(gate: Arrivals, line: Exchange, person: UUID, usager_id: UUID) -> ExternalId:
    """Even of someone whom the sender gave no name: what it reads back names them by the id it was given."""
    fingerprint = gate.keyring.blind(f"person\0{person}", EXTERNAL_ID)
    name = {"fingerprint": fingerprint, "kind": Kind.USAGER.value, "row_id": person, "usager_id": usager_id}
    return ExternalId(organisation_id=line.organisation_id, partner_id=line.partner_id, **name)


def _given_to(usager_id: UUID, row: DossierEntry, theirs: UsagerKey, new: UsagerKey) -> DossierEntry:
    """Whose it is, and whoever it names who is the same; its sender's words name them as before."""
    bound, person = about_extra(type(row), row.id), row.usager_id
    kept = orjson.loads(theirs.open(row.extra, bound)) if row.extra else {}
    row.extra = new.seal(orjson.dumps({**kept, KNOWN_AS: str(person)}), bound)
    for name, value in values_of(row).items():
        if name != "id" and str(value) == str(person):
            setattr(row, name, usager_id)
    return row


async def _newcomer(gate: Arrivals, rows: Iterable[Any], asked: UUID | None) -> UUID:
    """The person of the bundle who may be attached: one who has no dossier open here."""
    named = {row["usager_id"] for row in rows if row["usager_id"]}
    new = {row.id for row in await gate.arrived(Usager, named) if row.held}
    if not new and await gate.consult(HELD, ids=sorted(named)):
        raise Conflict(ELSEWHERE, code="exchange.elsewhere")
    if not new:
        raise Conflict("Cette personne a déjà son dossier ici.", code="exchange.has_dossier")
    if (len(new) > 1 and asked is None) or asked not in (None, *new):
        raise Invalid(
            "Dites laquelle des personnes de cet envoi est à rattacher.", where="/person_id", code="exchange.which"
        )
    return asked or new.pop()


async def _close(gate: Arrivals, line: Exchange, usager_id: UUID, moved: Collection[UUID]) -> Exchange:
    """Accepted, unless something else of the bundle still waits."""
    gate.tell("attach", Exchange.KIND, [line.id], usager_id=usager_id)
    rows = [row for row in await gate.consult(WRITTEN, exchange=line.id) if row["row_id"] not in moved]
    told_of = {row["row_id"]: row["usager_id"] for row in rows}
    found = [row for table, ids in _by_table(rows) for row in await gate.arrived(table, ids)]
    waits = {row["row_id"] for row in rows if row["beside"]} | {row.id for row in found if row.held}
    waits -= {row.id for row in found if _stays_theirs(row, told_of[row.id])}
    state = State.TO_ATTACH if waits else State.ACCEPTED
    return await gate.change(line, state=state.value, decided_by=gate.principal.id)


async def _decided(gate: Arrivals, line: Exchange, state: State, act: str) -> Exchange:
    gate.tell(act, Exchange.KIND, [line.id], usager_id=None)
    return await gate.change(line, state=state.value, decided_by=gate.principal.id, warnings=line.warnings)


async def _as_sent(gate: Arrivals, rows: Collection[Any]) -> tuple[dict[UUID, dict[str, Any]], set[UUID]]:
    """What came and waited, by the row beside which it stands; sealed under the key of whom it was about then. And the
    rows of which a later word of its sender came first.
    """
    if not rows:
        return {}, set()
    asked = {name: [row[of] for row in rows] for name, of in ASKED_BY.items()}
    sent, passed = dict[UUID, dict[str, Any]](), set[UUID]()
    for kept in await gate.consult(AS_SENT, **asked):
        if kept["passed"]:
            passed.add(kept["entry_id"])
            continue
        key = await gate.key_of(kept["usager_id"])
        plain = key.open(kept["snapshot"], about(kept["kind"], kept["entry_id"], kept["version"]))
        sent[kept["entry_id"]] = orjson.loads(plain)
    return sent, passed


def _as_came(row: DossierEntry, sent: dict[str, Any], *, held: bool) -> DossierEntry:
    for name, value in sent.items():
        if name == "deleted_at":
            row.deleted_at = row.deleted_at or value  # what its sender took back; what the team deleted stays so
        elif name not in OF_THE_ROW and name not in ("version", "origin_version"):
            setattr(row, name, bytes.fromhex(value.removeprefix("\\x")) if name == "extra" and value else value)
    row.held = held
    return row


def _stays_theirs(row: DossierEntry, told_of: UUID | None) -> bool:
    """The identity declared of someone who was attached to another: what is told of them is no longer told of this."""
    return row.KIND in STAYS_THEIRS and row.usager_id != told_of


def _by_table(rows: Iterable[Any]) -> list[tuple[type[DossierEntry], list[UUID]]]:
    tables = {m.class_.KIND: m.class_ for m in Base.registry.mappers if issubclass(m.class_, DossierEntry)}
    grouped: dict[str, set[UUID]] = {}
    for row in rows:
        if row["kind"] in tables:
            grouped.setdefault(row["kind"], set()).add(row["row_id"])
    return [(tables[Kind(kind)], sorted(ids)) for kind, ids in grouped.items()]
