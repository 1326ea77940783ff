"""A bundle comes in: read, named, told whose it is, written whole or not at all (field.md §3).

The statements are the same for 2 entries and for 200: what is known of the bundle's names is asked once, each table is
written once, the rest is settled once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from app.access import contents
from app.access.entry import DossierEntry
from app.access.writing import Line
from app.exchange import journal, refusing, sought, targets
from app.exchange.arrival import Arrival
from app.exchange.journal import Receiving
from app.exchange.models import Exchange, ExternalId, OutsidePartyMention, State
from app.exchange.refusing import Refusals, Taking
from app.exchange.targets import Targets
from app.features.usagers import closing
from app.features.usagers.models import Usager
from app.fhir.mapping import Json
from app.fhir.packages.held import held_at
from app.fhir.profiles import judging
from app.fhir.reading import Bundle, Entry, NotR4
from app.fhir.registry import Registry
from app.fhir.tolerance import tolerated
from app.fhir.verbs import acts, transaction
from app.fhir.verbs.acts import Act
from app.fhir.verbs.transaction import Done
from app.kernel.clock import now
from app.kernel.errors import DuiError, Fault, Forbidden, Invalid, Unreadable
from app.kernel.objects import Objects
from app.security import scopes
from app.security.principal import Partner

ASIDE, HEAVY = 20, 64 * 1024  # entries, or bytes, beyond which what profiles ask is judged beside the event loop
Looks = Callable[[Receiving, Entry], Awaitable[Json | None]]


@dataclass(frozen=True, slots=True)
class How:
    """How a bundle is to be taken. `origin`: our own address; `looks` answers an entry that reads."""

    registry: Registry
    origin: str
    looks: Looks
    strict: bool = False
    dry: bool = False
    whole: bool = False  # the answer holds what was written, as its sender reads it
    objects: Objects | None = None
    size: int = 0  # bytes


async def receive(
    gate: Receiving, partner: Partner, body: bytes | None, read: Bundle | DuiError, how: How
) -> list[Done]:
    """What became of each entry. `read` is the body as the door read it, or why it could not (None: not whole).

    Raises what it was refused for; the gate then keeps the bundle's line of the journal. A trial leaves nothing.
    """
    if gate.replay:
        return await _first_answer(gate, UUID(str(gate.replay.location).rpartition("/")[2]), read, how)
    line = gate.begin(partner, body)
    if how.dry:
        gate.line = None
    read, plan = await _planned(gate, read, how)
    line.entries = len(read.entries)
    _check_scopes(partner, plan)
    found = await targets.resolve(gate, plan, how.registry, how.origin)
    _check_scopes(partner, plan, found.new)
    arrival = await _resolved(gate, partner, line, plan, found, how)
    if arrival.known.same and not (how.dry or _changes(plan)):
        gate.line = None
        return await _first_answer(gate, arrival.known.same, read, how)
    await _place(gate, arrival, read, how)
    gone = await _write(gate, arrival, plan, found, how)
    took = {row.id: row.version for row in (*arrival.rows.values(), *gone.values()) if row.id not in gate.waiting}
    targets.check_unmoved(plan, found, took)
    done = [_done(act, arrival, found, gone) for act in plan]
    done = [one if one.at else replace(one, at=line.recorded_at) for one in done]
    if how.dry:
        await gate.undo()
        return done
    _keep(gate, arrival, done, gone, body or b"")
    await gate.settle()
    gate.line = None
    await _look(gate, plan, done, how)
    return await _shown(gate, done, how)


async def _planned(gate: Receiving, read: Bundle | DuiError, how: How) -> tuple[Bundle, tuple[Act, ...]]:
    """The bundle, and what each entry asks. Raises what it is refused for, with what the next checks say of it."""
    taking = Taking(how.registry, how.origin, how.strict)
    if isinstance(read, NotR4):
        raise await refusing.of_r4(gate, read, taking)
    if isinstance(read, DuiError):
        raise read
    try:
        return read, acts.read(read, how.origin)
    except Unreadable as no:
        wrong = no
    raise await refusing.further(gate, wrong, read, taking)


async def _place(gate: Receiving, arrival: Arrival, read: Bundle, how: How) -> None:
    """Every entry is named, judged, made a row. Raises Invalid with what each of these refuses, Conflict for the first."""
    refusals = Refusals()
    try:
        arrival.identify()
    except Invalid as no:
        refusals.add(no)
    named = not refusals.told
    try:
        await _judge(gate, arrival, read, how)
    except Invalid as no:
        refusals.add(no if named else refusing.led_within(no))
    if named:
        await arrival.recall()
        try:
            arrival.place()
        except Invalid as no:
            refusals.add(no)
    refusals.tell()


async def _resolved(
    gate: Receiving, partner: Partner, line: Exchange, plan: Sequence[Act], found: Targets, how: How
) -> Arrival:
    """What its entries leave, and what their references and names lead to."""
    if any(act.method == acts.PATCH for act in plan):
        entries = await asyncio.to_thread(lambda: tuple(_made(act, found) for act in plan))
    else:
        entries = tuple(_made(act, found) for act in plan)
    asked = transaction.asked(entries, _arriving(plan, found))
    led = await sought.sought(gate, asked, how.registry, how.origin)
    arrival = Arrival(gate, partner, line, asked, how.registry, how.strict, found, led)
    await arrival.resolve()
    return arrival


async def _write(gate: Receiving, arrival: Arrival, plan: Sequence[Act], found: Targets, how: How) -> dict[UUID, Any]:
    """All rows at once. What was deleted, by its id."""
    for content in arrival.along:
        gate.beside(content)
        await contents.put_away(content, None if how.dry else how.objects)
    going = {act.at: found.rows[act.at] for act in plan if act.method == acts.DELETE and act.at in found.rows}
    gone = await targets.withdrawn(gate, [one for one in going.values() if not one.gone])
    arrival.line.recorded_at = now()  # told of each entry (lastModified), and by each resource (lastUpdated)
    for row in (*arrival.rows.values(), *(part for _, part in arrival.parts), *gone.values()):
        row.updated_at = arrival.line.recorded_at
    await gate.flush()
    await _close(gate, arrival)
    return gone


async def _judge(gate: Receiving, arrival: Arrival, read: Bundle, how: How) -> None:
    """What profiles ask of each entry: warnings, or all told at once to the letter. Many are judged beside the loop."""
    judge = judging.judge(how.registry, await held_at(arrival.known.packages, gate.public))
    made = replace(read, entries=arrival.asked.entries)
    asks = refusing.asking(judge, made, arrival.asked.links)
    elsewhere = arrival.leads_elsewhere()
    knows = partial(tolerated, judged=judge.installed, versions=judge.versions)
    work = partial(knows, made, judge.known, elsewhere, also=asks, strict=how.strict)
    patched = any(entry.method == acts.PATCH for entry in read.entries)  # as long as what it changes, not as what came
    aside = len(read.entries) > ASIDE or how.size > HEAVY or patched
    overlooked = await asyncio.to_thread(work) if aside else work()
    arrival.warnings = {place: [*issues] for place, issues in overlooked.items()}


def _changes(plan: Sequence[Act]) -> bool:
    """Something else than creations: made again, it is another request."""
    return any(act.method in (acts.UPDATE, acts.PATCH, acts.DELETE) or act.query is not None for act in plan)


def _arriving(plan: Sequence[Act], found: Targets) -> list[int]:
    writes = (acts.CREATE, acts.UPDATE, acts.PATCH)
    return [act.at for act in plan if act.method in writes and act.at not in found.standing]


def _made(act: Act, found: Targets) -> Entry:
    """The entry with the resource it leaves: what a patch makes of what stands."""
    if act.method not in (acts.UPDATE, acts.PATCH):
        return act.entry
    return replace(act.entry, resource=targets.resource_of(act, found))


def _done(act: Act, arrival: Arrival, found: Targets, gone: Mapping[UUID, Any]) -> Done:
    if act.at in found.standing:
        one = found.standing[act.at]
        return Done(act.kind, one.id, one.found.view.version, status=200, at=one.found.view.updated_at)
    if act.method == acts.DELETE:
        row = gone.get(found.rows[act.at].id) if act.at in found.rows else None
        return Done(act.kind, row.id if row else None, row.version if row else 0, status=204)
    if act.method == acts.READ:
        return Done(act.kind, None, 0, status=200)
    return arrival.done(arrival.asked.entries[act.at])


async def _look(gate: Receiving, plan: Sequence[Act], done: list[Done], how: How) -> None:
    """What the entries that read ask for, of what the others have just written. Raises what refuses one of them."""
    for act in plan:
        if act.method == acts.READ:
            try:
                told = await how.looks(gate, act.entry)
            except DuiError as no:
                raise _of_entry(no, f"{act.entry.where}.request.url") from None
            head = act.entry.method == acts.HEAD
            done[act.at] = replace(done[act.at], told=told, head=head, status=304 if told is None else 200)


async def _shown(gate: Receiving, done: list[Done], how: How) -> list[Done]:
    """With what each entry wrote, when the answer is to hold it."""
    if not how.whole:
        return done
    theirs = gate.principal.scopes if isinstance(gate.principal, Partner) else frozenset[str]()
    kinds = {one.type_name for one in done if any(scopes.cover(theirs, one.type_name, letter) for letter in "rs")}
    written = {one.id: one.type_name for one in done if one.id and one.told is None and one.status != 204}
    written = {id: kind for id, kind in written.items() if kind in kinds}
    read = await targets.as_they_stand(gate, written.keys(), {*written.values()}, how.registry, how.origin)
    return [replace(one, told=read[one.id]) if one.id in read and one.told is None else one for one in done]


def _of_entry(no: DuiError, where: str) -> DuiError:
    no.faults = tuple(replace(fault, where=where) for fault in no.faults) or (Fault(where, no.told, no.message),)
    return no


async def _close(gate: Receiving, arrival: Arrival) -> None:
    """A death, or a birth date put right, told by what entered a dossier: what it closes, in this transaction."""
    rows = [(place, row) for place, row in arrival.rows.items() if isinstance(row, Usager)]
    told = [(place, row) for place, row in rows if not row.held and row.id not in gate.waiting]
    for _, row in told:
        if row.died_on:
            await closing.at_death(gate, row, row.died_on)
    again = [row for place, row in told if place in arrival.before]
    await closing.at_majority(gate, [(row, row.birth_date) for row in again if row.birth_date])


async def _first_answer(gate: Receiving, exchange_id: UUID, read: Bundle | DuiError, how: How) -> list[Done]:
    """What was answered to this bundle; what it reads is read again."""
    if isinstance(read, DuiError):
        raise read
    plan = acts.read(read, how.origin)
    gate.replayed = True
    known = await gate.first_answer(exchange_id)
    gate.location = f"exchange/{exchange_id}"
    await gate.settle()
    done = [known.get(act.at, Done(act.kind, None, 0, status=200 if act.method == acts.READ else 204)) for act in plan]
    await _look(gate, plan, done, how)
    return await _shown(gate, done, how)


def _check_scopes(partner: Partner, plan: Sequence[Act], new: Collection[int] = ()) -> None:
    """Raises Forbidden naming the entries whose type this token may not write so. `new`: updates that create."""
    faults = [
        Fault(
            f"{act.entry.where}.{'resource' if act.entry.resource else 'request.url'}",
            "scope",
            f"Ce jeton n'ouvre pas ce geste : il y faut system/{act.kind}.{_letters(act, act.at in new)}.",
        )
        for act in plan
        if not all(scopes.cover(partner.scopes, act.kind, letter) for letter in _letters(act, act.at in new))
    ]
    if faults:
        raise Forbidden("Les droits de ce jeton (scope) n'ouvrent pas tout cet envoi.", code="scope", faults=faults)


def _letters(act: Act, creates: bool) -> str:
    """A condition is a search; an update under one may create. What an entry reads is asked when it is read."""
    if act.method == acts.READ:
        return ""
    if creates:
        return "cu"
    searched = "" if act.query is None else "sc" if act.method == acts.UPDATE else "s"
    return acts.LETTERS[act.method] + searched


def _keep(gate: Receiving, arrival: Arrival, done: list[Done], gone: Mapping[UUID, Any], body: bytes) -> None:
    """The lines that go with the rows: the journal's, the names they bear, who is named in them."""
    line = arrival.line
    waits = bool(gate.waiting) or not arrival.known.accepts or _waits_still(arrival)
    line.state = (State.TO_ATTACH if waits else State.ACCEPTED).value
    line.warnings = sum(len(one.warnings) for one in done)
    journal.sealed(gate.keyring, line, body)
    gate.note(line)
    gate.tell(journal.RECEIVE, Exchange.KIND, [line.id], usager_id=None)
    gate.location = f"exchange/{line.id}"
    for position, (place, part) in enumerate(arrival.parts, len(done)):
        whose, waits = arrival.usagers.get(place), part.id in gate.waiting
        gate.note(journal.row_of(line, position, done[place], part, whose, waits=waits, part=True))
    for place, one in enumerate(done):
        if one.id is None:
            continue
        row = arrival.rows.get(place) or gone.get(one.id)
        if row is None:
            gate.note(journal.row_stood(line, place, one, arrival.targets.told(place)))
            continue
        usager_id = arrival.usagers.get(place) or getattr(row, "usager_id", None)
        gate.note(journal.row_of(line, place, one, row, usager_id, waits=row.id in gate.waiting))
        for name, over in _names(arrival, place) if place in arrival.rows else ():
            gate.note(_external_id(arrival, name, row.KIND.value, row.id, usager_id), over=over)
        if isinstance(row, DossierEntry):
            for party_id in arrival.parties.of(place):
                gate.note(_mention(line, party_id, row.KIND.value, row.id), over=True)


def _waits_still(arrival: Arrival) -> bool:
    """Some row is held from an earlier bundle: a setting that changed since opens nothing by itself."""
    rows = [*arrival.rows.items(), *arrival.parts]
    held = [(place, row) for place, row in rows if isinstance(row, DossierEntry) and row.held]
    return any(row.usager_id == arrival.usagers.get(place) for place, row in held)  # else attached: held for good


def _names(arrival: Arrival, place: int) -> Iterator[tuple[bytes, bool]]:
    """Its name, the first time, which nobody else may take meanwhile; its address, which may be used again."""
    names = arrival.names[place]
    if names.own and not names.by_url and names.own not in arrival.known.by_name:
        yield names.own, False
    if names.url:
        new = names.by_url and names.url not in arrival.known.by_name
        yield names.url, not new


def _external_id(arrival: Arrival, name: bytes, kind: str, row_id: UUID, usager_id: UUID | None) -> Line:
    values = {
        "organisation_id": arrival.line.organisation_id,
        "partner_id": arrival.partner.id,
        "fingerprint": "\\x" + name.hex(),
        "kind": kind,
        "row_id": row_id,
        "usager_id": usager_id,
    }
    return Line(ExternalId, values)


def _mention(line: Exchange, party_id: UUID, kind: str, entry_id: UUID) -> Line:
    values = {"organisation_id": line.organisation_id, "party_id": party_id, "kind": kind, "entry_id": entry_id}
    return Line(OutsidePartyMention, values)
