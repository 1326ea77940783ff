"""A bundle comes in: read, named, told whose it is, written whole or not at all (field.md §3).

The statements are the same for 2 entries and for 200: what is known of the bundle's names is asked once, each table is
written once, the rest is settled once.
"""

from collections.abc import Iterator
from uuid import UUID

from app.access.entry import DossierEntry
from app.exchange import journal
from app.exchange.arrival import Arrival
from app.exchange.journal import Receiving
from app.exchange.models import Exchange, ExternalId, OutsidePartyMention, State
from app.features.usagers import closing
from app.features.usagers.models import Usager
from app.fhir.mapping import Json, Registry
from app.fhir.reading import Bundle
from app.fhir.tolerance import tolerated
from app.fhir.verbs import transaction
from app.fhir.verbs.transaction import Asked, Done
from app.kernel.errors import DuiError, Fault, Forbidden
from app.security import scopes
from app.security.principal import Partner


async def receive(
    gate: Receiving,
    partner: Partner,
    body: bytes | None,
    read: Bundle | DuiError,
    registry: Registry,
    *,
    strict: bool,
    dry: bool,
) -> Json:
    """The `transaction-response`. `read` is the body as the door read it, or why it could not (None: not whole).

    Raises what it was refused for; the gate then keeps the bundle's line of the journal. A trial leaves nothing.
    """
    if gate.replay:
        return await _first_answer(gate, UUID(str(gate.replay.location).rpartition("/")[2]))
    line = gate.begin(partner, body)
    if dry:
        gate.line = None
    if isinstance(read, DuiError):
        raise read
    whole = body or b""
    line.entries = len(read.entries)
    asked = transaction.asked(read)
    _check_scopes(partner, asked)
    arrival = Arrival(gate, partner, line, asked, registry, strict)
    await arrival.resolve()
    if arrival.known.same and not dry:
        gate.line = None
        return await _first_answer(gate, arrival.known.same)
    arrival.identify()
    profiles = {profile for each in registry.maps for profile in (each.profile, *each.also)}
    overlooked = tolerated(read, profiles, arrival.leads_elsewhere(), strict=strict)
    arrival.warnings = {place: [*issues] for place, issues in overlooked.items()}
    arrival.place()
    await gate.flush()
    await _close(gate, arrival)
    done = arrival.done()
    if dry:
        await gate.undo()
    else:
        _keep(gate, arrival, done, whole)
        await gate.settle()
        gate.line = None
    return transaction.answer(done, line.recorded_at, dry=dry)


async def _close(gate: Receiving, arrival: Arrival) -> None:
    """A death, or a birth date put right, told by what entered a dossier: what it closes, in this transaction."""
    rows = [(place, row) for place, row in arrival.rows.items() if isinstance(row, Usager)]
    told = [(place, row) for place, row in rows if not row.held and row.id not in gate.waiting]
    for _, row in told:
        if row.died_on:
            await closing.at_death(gate, row, row.died_on)
    again = [row for place, row in told if place in arrival.before]
    await closing.at_majority(gate, [(row, row.birth_date) for row in again if row.birth_date])


async def _first_answer(gate: Receiving, exchange_id: UUID) -> Json:
    done, at = await gate.first_answer(exchange_id)
    gate.location = f"exchange/{exchange_id}"
    await gate.settle()
    return transaction.answer(done, at)


def _check_scopes(partner: Partner, asked: Asked) -> None:
    """Raises Forbidden naming the entries whose type this token may not create."""
    faults = [
        Fault(f"{entry.where}.resource", "scope", "Ce jeton ne permet pas de créer ce type de ressource.")
        for entry in asked.entries
        if not scopes.cover(partner.scopes, entry.kind, "c")
    ]
    if faults:
        raise Forbidden("Les droits de ce jeton (scope) n'ouvrent pas tout cet envoi.", code="scope", faults=faults)


def _keep(gate: Receiving, arrival: Arrival, done: list[Done], body: bytes) -> None:
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
        row, usager_id = arrival.rows[place], arrival.usagers.get(place)
        kind = row.KIND.value
        gate.note(journal.row_of(line, place, one, row, usager_id, waits=row.id in gate.waiting))
        for name, over in _names(arrival, place):
            gate.note(_external_id(arrival, name, kind, row.id, usager_id), over=over)
        if isinstance(row, DossierEntry):
            for party_id in arrival.parties(place):
                gate.note(_mention(line, party_id, kind, row.id), over=True)


def _waits_still(arrival: Arrival) -> bool:
    """Some row is held from an earlier bundle: a setting that changed since opens nothing by itself."""
    rows = [*arrival.rows.items(), *arrival.parts]
    held = [(place, row) for place, row in rows if isinstance(row, DossierEntry) and row.held]
    return any(row.usager_id == arrival.usagers.get(place) for place, row in held)  # else attached: held for good


def _names(arrival: Arrival, place: int) -> Iterator[tuple[bytes, bool]]:
    """Its name, the first time, which nobody else may take meanwhile; its address, which may be used again."""
    names = arrival.names[place]
    if names.own and not names.by_url and place not in arrival.before:
        yield names.own, False
    if names.url:
        new = names.by_url and names.url not in arrival.known.by_name
        yield names.url, not new


def _external_id(arrival: Arrival, name: bytes, kind: str, row_id: UUID, usager_id: UUID | None) -> ExternalId:
    return ExternalId(
        organisation_id=arrival.line.organisation_id,
        partner_id=arrival.partner.id,
        fingerprint=name,
        kind=kind,
        row_id=row_id,
        usager_id=usager_id,
    )


def _mention(line: Exchange, party_id: UUID, kind: str, entry_id: UUID) -> OutsidePartyMention:
    return OutsidePartyMention(organisation_id=line.organisation_id, party_id=party_id, kind=kind, entry_id=entry_id)
