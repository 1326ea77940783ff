"""What the entries of a partner's request are about here: the rows they name, or that meet their conditions.

Looked for with the caller's own rights, in the transaction of the work: a row out of reach is no match. A partner changes
what it sent, and only that; what it reads by a consent is another's.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Boolean, Integer, LargeBinary, Text, Uuid, text

from app.access.arrivals import Arrivals
from app.access.entry import DossierEntry, View
from app.access.permissions import Action
from app.access.reading import Reading
from app.access.refusal import MayNot, OutOfReach, refused
from app.access.several import Found, those
from app.access.versions import about
from app.exchange.models import OutsideParty
from app.exchange.resolution import Named
from app.exchange.sought import match
from app.features.settings.chosen import chosen
from app.fhir.keeping import same
from app.fhir.mapping import AnyMap, Json, as_read, plain
from app.fhir.questions import by_ids
from app.fhir.registry import Registry
from app.fhir.verbs import acts, patch
from app.fhir.verbs.acts import Act
from app.fhir.verbs.asking import as_asked, asking_of, told
from app.kernel.db import Base
from app.kernel.errors import Fault, Gone, Invalid, MethodNotAllowed, Stale, Unreadable
from app.kernel.ids import chosen_by, kept_for
from app.security.principal import Partner

PERSON = "Patient"
ANOTHER = "L'identifiant de la ressource (id) n'est pas celui de l'élément que la condition désigne : dites le sien, ou retirez-le."
GIVEN_HERE = (
    "Aucun élément ne répond à cette condition : il serait créé, et l'identifiant d'un élément (id) se donne ici. "
    "Retirez celui de la ressource."
)
CHANGED = "Cet élément a changé depuis votre lecture. Relisez-le, puis recommencez."
NEVER_BY_ID = (
    "PUT Type/id ne crée pas ; pour créer ou mettre à jour, dites l'identifiant de la ressource : PUT Type?identifier=…"
)
OR_BY_YOURS = ", ou un id de votre espace (UUID de version 8 finissant par {})."
CONDITIONS_MOST = 50  # acts under a condition of one request
NO_VERSION = 'Dites la version que vous avez lue (If-Match: W/"3") : cette structure le demande.'
# Two requests that change one row follow each other; the snapshot of the next statement is taken after the locks.
# `asks`: whether this house wants to be told which version was read; `creates`: whether an update may create.
ONE_BY_ONE = text(
    f"""SELECT pg_advisory_xact_lock(hashtextextended(k, 11)), {chosen("fhir.require_if_match", "w")}::boolean AS asks,
        {chosen("fhir.update_create", "w")}::boolean AS creates
    FROM (SELECT k FROM unnest(CAST(:keys AS text[])) k ORDER BY k OFFSET 0) sorted,
        (SELECT CAST(:organisation AS uuid) AS organisation_id, CAST(:structure AS uuid) AS structure_id) w"""  # noqa: S608
).columns(asks=Boolean(), creates=Boolean())
AS_SENT = text(
    """SELECT DISTINCT ON (v.entry_id) v.entry_id, v.kind, v.usager_id, v.version, v.snapshot, k.wrapped
    FROM entry_version v JOIN usager_key k ON k.organisation_id = v.organisation_id AND k.usager_id = v.usager_id
    WHERE v.organisation_id = :organisation AND v.entry_id = ANY(:ids) AND v.origin_partner_id = :me
        AND v.version = v.origin_version ORDER BY v.entry_id, v.version DESC"""
).columns(
    entry_id=Uuid(), kind=Text(), usager_id=Uuid(), version=Integer(), snapshot=LargeBinary(), wrapped=LargeBinary()
)
PARTY_GONE = text(
    """UPDATE outside_party SET deleted_at = clock_timestamp(), updated_at = clock_timestamp(), version = version + 1,
        changed_xid = pg_current_xact_id()
    WHERE organisation_id = :organisation AND id = ANY(:ids) AND origin_partner_id = :me RETURNING id, version"""
).columns(id=Uuid(), version=Integer())


@dataclass(frozen=True, slots=True)
class Target:
    """The row that an entry is about, as its caller reads it."""

    its_map: AnyMap
    found: Found
    gone: bool
    resource: Json
    partner: str

    @property
    def id(self) -> UUID:
        return UUID(str(self.found.view.id))

    @property
    def mine(self) -> bool:
        """Its caller sent it: where its bundle stands is told to nobody else."""
        return self.found.state is not None or getattr(self.found.view, "origin_partner_id", None) == self.partner

    @property
    def usager_id(self) -> UUID | None:
        told = getattr(self.found.view, "usager_id", None)
        return UUID(told) if told else None

    def named(self) -> Named:
        return Named(self.its_map.view.TABLE.KIND.value, self.id, self.usager_id)


@dataclass(slots=True)
class Targets:
    """By place. `standing`: what a conditional creation found, that is not written again; `new`: the id, chosen by its
    sender, of what an update creates.
    """

    rows: dict[int, Target] = field(default_factory=dict)
    standing: dict[int, Target] = field(default_factory=dict)
    new: dict[int, UUID] = field(default_factory=dict)

    def told(self, place: int) -> Target:
        return self.standing.get(place) or self.rows[place]


async def resolve(gate: Arrivals, plan: Sequence[Act], registry: Registry, origin: str) -> Targets:
    """Raises OutOfReach, MayNot, Stale (several match, or a version that is no longer the last), Gone."""
    wanted = [act for act in plan if act.method != acts.READ and (act.method != acts.CREATE or act.query is not None)]
    targets = Targets()
    if not wanted:
        return targets
    _check_conditions(wanted)
    keys = [str(act.id) if act.id else f"{act.kind}?{act.query}" for act in wanted]
    locked = [f"{gate.principal.organisation_id} {key}" for key in keys]
    structure = gate.principal.structure_id if isinstance(gate.principal, Partner) else None
    [told, *_] = await gate.consult(ONE_BY_ONE, keys=locked, structure=structure)
    if told["asks"]:
        _check_versions(wanted)
    ids: dict[int, UUID] = {}
    for act in wanted:
        found = act.id
        if act.query is not None:
            found = await match(gate, registry, origin, act.kind, act.query, act.asked)
        if found:
            ids[act.at] = found
    read = await _read(gate.outside(), {*ids.values()}, registry, origin, {act.kind for act in wanted})
    for act in wanted:
        one = read.get(ids[act.at]) if act.at in ids else None
        if one and _type(one) != act.kind:
            one = None
        if (no := _not_its_id(act, one)) is not None:
            raise Unreadable(no, where=f"{act.entry.where}.resource.id", code="wrong_id")
        if act.method == acts.CREATE and one:
            targets.standing[act.at] = one
        elif told["creates"] and act.id and act.id not in read and _may_create(act, act.id, gate):
            targets.new[act.at] = act.id
        elif one or act.query is None or act.method == acts.PATCH:
            targets.rows[act.at] = _judged(act, one, registry, kept_for(gate.principal.id) if told["creates"] else "")
    return targets


def _may_create(act: Act, id: UUID, gate: Arrivals) -> bool:
    """None but its sender's rows are where its sender chooses ids: what is not found there is not there. Of a person it is
    never chosen: the trail, and what was erased, know them by it for ever.
    """
    asks = act.method == acts.UPDATE and act.kind != PERSON and act.version is None
    return asks and chosen_by(id, gate.principal.id)


def _not_its_id(act: Act, one: Target | None) -> str | None:
    """Why an update under a condition may not say this id: it is not the match's; none is given by who sends.

    https://hl7.org/fhir/R4/http.html#cond-update
    """
    told = act.entry.resource.get("id") if act.method == acts.UPDATE and act.query is not None else None
    if told is None or (one is not None and told == one.resource.get("id")):
        return None
    return ANOTHER if one is not None else GIVEN_HERE


async def as_they_stand(
    gate: Arrivals, ids: Collection[UUID], kinds: Collection[str], registry: Registry, origin: str
) -> dict[UUID, Json]:
    """What was just written, as its sender reads it; one statement whatever their number."""
    read = await _read(gate, ids, registry, origin, kinds)
    return {id: one.resource for id, one in read.items()}


def _check_conditions(wanted: Iterable[Act]) -> None:
    """Raises Invalid beyond `CONDITIONS_MOST`: each is a search."""
    if sum(act.query is not None for act in wanted) > CONDITIONS_MOST:
        message = f"Un envoi porte {CONDITIONS_MOST} gestes sous condition au plus : faites-en plusieurs, ou un batch."
        raise Invalid(message, where="Bundle", code="too_many")


def check_unmoved(plan: Sequence[Act], found: Targets, took: Mapping[UUID, int]) -> None:
    """Once written, by the versions that rows took: another request of this sender may have come between the reading and
    the lock of the row. What the team wrote meanwhile is beside, not over: `Arrivals`. Raises Stale.
    """
    for act in plan:
        one = found.rows.get(act.at)
        if act.version is not None and one and took.get(one.id, act.version + 1) != act.version + 1:
            raise Stale(CHANGED, where=f"{act.entry.where}.request.ifMatch")


def _check_versions(wanted: Iterable[Act]) -> None:
    """Raises Unreadable naming each change made without saying which version was read."""
    changes = [act for act in wanted if act.method in (acts.UPDATE, acts.PATCH, acts.DELETE) and act.version is None]
    if changes:
        faults = [Fault(f"{act.entry.where}.request.ifMatch", "required", NO_VERSION) for act in changes]
        raise Unreadable("Il manque la version lue.", faults=faults)


async def _read(
    gate: Reading, ids: Iterable[UUID], registry: Registry, origin: str, kinds: Collection[str]
) -> dict[UUID, Target]:
    if not (wanted := sorted(ids)):
        return {}
    everywhere = asking_of(gate, registry, origin, kinds)
    found = await those(gate, tuple(map(by_ids, everywhere.maps)), wanted)
    read = {}
    for id, (gone, one) in found.items():
        its_map = everywhere.maps[one.place]
        read[id] = Target(its_map, one, gone, plain(told(everywhere, its_map, one)), str(gate.principal.id))
    return read


def _type(target: Target) -> str:
    return target.its_map.type_name or str(target.found.view.type_name)


def _judged(act: Act, target: Target | None, registry: Registry, kept: str = "") -> Target:
    """`kept`: how the ids end under which an update of this caller may create."""
    action = Action.DELETE if act.method == acts.DELETE else Action.UPDATE
    where = f"{act.entry.where}.request.url"
    if target is None:
        kind = registry.of_type(act.kind)[0].view.TABLE.KIND
        why = NEVER_BY_ID + (OR_BY_YOURS.format(kept) if kept else ".") if act.method == acts.UPDATE else ""
        raise refused(OutOfReach, action, kind, [act.id] if act.id else [], where=where, why=why)
    kind = target.its_map.view.TABLE.KIND
    if not target.mine:
        raise refused(MayNot, action, kind, [target.id], usager_id=target.usager_id, where=where)
    if act.version is not None and act.version != target.found.view.version:
        raise Stale(CHANGED, where=f"{act.entry.where}.request.ifMatch")
    if target.gone and act.method == acts.PATCH:
        raise Gone("Cet élément a été supprimé.", where=where)
    if act.method == acts.DELETE and act.kind == PERSON:
        raise MethodNotAllowed("Un dossier ne se supprime pas par ici : demandez-le à la structure.", where=where)
    return target


def resource_of(act: Act, targets: Targets) -> Json:
    """What an update or a patch makes of its resource. Raises Unreadable, Invalid."""
    where = f"{act.entry.where}.resource"
    if act.method == acts.PATCH:
        operations = patch.of_binary(act.entry.resource, where)
        return as_asked(patch.patched(targets.rows[act.at].resource, operations, where), where)
    return as_asked(act.entry.resource, where)


async def withdrawn(gate: Arrivals, going: Sequence[Target]) -> dict[UUID, Any]:
    """The rows of these targets, deleted as their sender knows them; two statements whatever their number."""
    parties = [one.id for one in going if one.its_map.view.TABLE is OutsideParty]
    ids = [one.id for one in going if one.id not in parties]
    rows: dict[UUID, Any] = {row.id: gate.withdraw(row) for row in await _as_sent(gate, ids)}
    for line in await gate.consult(PARTY_GONE, ids=parties) if parties else ():
        gate.tell(Action.DELETE, OutsideParty.KIND, [line["id"]], usager_id=None)
        rows[line["id"]] = OutsideParty(id=line["id"], version=line["version"])
    return rows


async def stood(gate: Arrivals, again: Iterable[Named], registry: Registry) -> dict[UUID, View]:
    """Of what comes again otherwise than by its id, the rows that its map asks about (`ResourceMap.recalls`), as their
    sender last sent them; one statement when there is any.
    """
    views = {each.view.TABLE.KIND.value: each.view for each in registry.maps if each.recalls}
    rows = await _as_sent(gate, sorted(one.id for one in again if one.kind in views))
    return {row.id: as_read(views[row.KIND.value], row) for row in rows}


async def _as_sent(gate: Arrivals, ids: Sequence[UUID]) -> list[DossierEntry]:
    tables = {m.class_.KIND: m.class_ for m in Base.registry.mappers if issubclass(m.class_, DossierEntry)}
    rows = []
    for sent in await gate.consult(AS_SENT, ids=ids) if ids else ():
        key = gate.knows(sent["usager_id"], sent["wrapped"])
        values = orjson.loads(key.open(sent["snapshot"], about(sent["kind"], sent["entry_id"], sent["version"])))
        rows.append(tables[sent["kind"]](**{**values, "id": sent["entry_id"], "usager_id": sent["usager_id"]}))
    return rows


def unchanged(target: Target, resource: Json) -> bool:
    """Whether what came says what its sender reads already."""
    stands = as_asked(target.resource, "")
    return not target.gone and same({**resource, "id": ""}, {**stands, "id": ""})
