"""« Envoyer le dossier »: a professional gives a partner a bundle, whole or a chosen part, under a ground (field.md §4).

They see first what would leave, what would stay here, and why. Under « échange » and « vital » they choose: the law asks
for what is strictly necessary. Source: CSP L1110-4.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, and_, bindparam, text
from sqlalchemy.dialects.postgresql import TIMESTAMP

from app.access import several
from app.access.acts import ACTS, Act
from app.access.arrivals import Arrivals
from app.access.gate import Gate, Listing, MayNot
from app.access.permissions import Action, Kind
from app.access.refusal import OutOfReach, refused
from app.access.several import Question
from app.access.together import together
from app.audit.vocabulary import Ground
from app.exchange import advice, dossier, journal, sent
from app.exchange.dossier import WHOSE, Asked, Piece, Reader, Way
from app.exchange.grounds import Stays, check_recipient, check_said, stays
from app.exchange.handover import WHOM
from app.exchange.models import Exchange
from app.exchange.sending_schemas import Held, Leaves, SendingIn, SendingPlan, SentOut, staying
from app.fhir.registry import Registry
from app.kernel.errors import Invalid
from app.kernel.objects import Objects
from app.security import scopes
from app.security.principal import Professional

CHOSEN = (Ground.ECHANGE, Ground.VITAL)  # what is strictly necessary is said
MANY = 1_000  # rows told at once
WORDS = {
    Stays.APART: "Ce qui touche à la justice ou aux alertes se transmet à part.",
    Stays.RESERVED: "Réservé à quelques personnes de l'équipe.",
    Stays.WITHHELD: "Retenu : cela peut parler de quelqu'un d'autre.",
    Stays.WAITING: "Reçu, pas encore accepté.",
    Stays.THEIRS: "Ce partenaire l'a envoyé : il l'a déjà.",
    Stays.NOT_AGREED: "L'accord de la personne ne le couvre pas.",
    Stays.OUT_OF_SCOPE: "Ce partenaire n'a pas de droit sur ces éléments.",
}
SENT = text(
    """SELECT e.id, e.ground, e.recorded_at, e.entries, e.sha256, e.body, e.body_key, p.name AS partner
    FROM exchange e JOIN partner p ON p.organisation_id = e.organisation_id AND p.id = e.partner_id
    WHERE e.organisation_id = :organisation AND e.id = :exchange AND e.direction = 'sent' AND e.decided_by = :me
    AND e.body IS NOT NULL"""
).columns(recorded_at=TIMESTAMP(timezone=True), body=LargeBinary(), body_key=LargeBinary())


@dataclass(frozen=True, slots=True)
class Prepared:
    """What would leave, once every rule was asked, and what stays."""

    partner: str
    pieces: list[Piece]
    staying: list[Held]


async def prepare(
    gate: Gate, registry: Registry, said: SendingIn, objects: Objects | None = None, *, tried: bool = True
) -> Prepared:
    """What stays is counted when it is only `tried`. Raises OutOfReach for a person one does not read, Conflict when they
    oppose, Invalid naming what is missing.
    """
    who = gate.principal
    if not (isinstance(who, Professional) and who.role in ACTS[Act.HAND_OVER]):
        raise refused(MayNot, Act.HAND_OVER, Kind.EXCHANGE)
    await gate.require(Act.HAND_OVER, at=said.structure_id)
    check_said(said)
    if said.kinds is None and said.ground in CHOSEN:
        raise Invalid(
            "Sur ce fondement ne part que ce qui est strictement nécessaire : choisissez quoi.",
            where="/kinds",
            code="sending.not_chosen",
        )
    asked = {"usager": said.usager_id, "to": said.partner_id, "from_structure": said.structure_id}
    [found] = await together(gate, (WHOM,), **asked)
    if not found:
        raise refused(OutOfReach, Action.CREATE, Kind.EXCHANGE, [], usager_id=None, where="/usager_id")
    partner = check_recipient(said, found[0])
    under = {"to": said.partner_id, "ground": said.ground}
    chosen = Asked(said.usager_id, kinds=frozenset(said.kinds or ()), start=said.start, end=said.end)
    rows = await dossier.gather(gate, registry, Way.PUSH, chosen, Reader(objects=objects), **under)
    may = frozenset(found[0].scopes or ())
    leaving = [piece for piece in rows if scopes.cover(may, piece.type_name, "r")]
    beyond = Counter((piece.kind.value, Stays.OUT_OF_SCOPE) for piece in rows if piece not in leaving)
    staying = await _staying(gate, registry, said, beyond, **under) if tried else []
    leaving = await dossier.with_named(gate, registry, leaving, partial(scopes.cover, may, letter="r"))
    return Prepared(partner, leaving, staying)


async def send(
    gate: Gate, registry: Registry, said: SendingIn, origin: str, objects: Objects | None = None
) -> Exchange:
    """Raises as `prepare`; Invalid when nothing would leave. The caller settles the gate."""
    prepared = await prepare(gate, registry, said, objects, tried=False)
    if not prepared.pieces:
        raise Invalid("Rien de ce dossier ne peut partir ainsi.", where="/kinds", code="sending.nothing")
    body = sent.written(dossier.bundle(origin, said.usager_id, prepared.pieces), in_xml=said.format == "xml")
    where = {"to": said.partner_id, "structure_id": said.structure_id}
    return sent.keep(gate, prepared.pieces, body, **where, ground=Ground(said.ground), by=gate.principal.id)


def plan(said: SendingIn, prepared: Prepared) -> SendingPlan:
    rows = [Leaves(p.type_name, p.kind.value, p.id, p.version) for p in prepared.pieces]
    told = dossier.counts(prepared.pieces)
    return SendingPlan(
        prepared.partner, said.ground, len(rows), told, rows, prepared.staying, advice.of(said, prepared.pieces)
    )


async def told(gate: Arrivals, id: UUID) -> SentOut:
    """What left, to who sent it. Raises OutOfReach."""
    found, body = await _left(gate, id)
    profiles = dossier.counted(entry["resource"] for entry in sent.read_again(body)["entry"])
    at, sha256 = found["recorded_at"], found["sha256"].hex()
    return SentOut(str(id), found["partner"], found["ground"], at, found["entries"], len(body), sha256, profiles)


async def bundle_of(gate: Arrivals, id: UUID) -> bytes:
    """The bundle as it left, to who sent it. Raises OutOfReach."""
    _, body = await _left(gate, id)
    gate.tell(Action.READ, Kind.EXCHANGE, [id], usager_id=None)
    return body


async def _left(gate: Arrivals, id: UUID) -> tuple[Any, bytes]:
    found = await gate.consult(SENT, exchange=id)
    if not found:
        raise refused(OutOfReach, Action.READ, Kind.EXCHANGE, [id])
    return found[0], journal.opened(gate.keyring, id, found[0]["body"], found[0]["body_key"])


async def _staying(
    gate: Gate, registry: Registry, said: SendingIn, beyond: Counter[Any], **under: object
) -> list[Held]:
    """Of all that was asked for, whatever its number."""
    tables = [t for t in dossier.tables(registry) if said.kinds is None or t.KIND in said.kinds]
    asked = {WHOSE: said.usager_id, "start": said.start, "end": said.end, **under}
    questions, found, after = _questions(tuple(tables)), Counter(beyond), tuple[object, ...]()
    while True:
        rows = await several.page(gate, questions, MANY + 1, after, WHOSE, **asked)  # one more: is there a next page?
        found.update((tables[row.place].KIND.value, Stays(row.view.why)) for row in rows[:MANY])
        if len(rows) <= MANY:
            break
        after = rows[MANY - 1].at
    return [Held(kind, why.value, WORDS[why], many) for (kind, why), many in sorted(found.items())]


def _questions(tables: tuple[Any, ...]) -> tuple[Question, ...]:
    return tuple(_question(table) for table in tables)


@lru_cache
def _question(table: Any) -> Question:
    mine = table.usager_id == bindparam(WHOSE, type_=Uuid())
    return Question(staying(table), Listing(and_(mine, dossier.in_period(table), stays(table).is_not(None))))
