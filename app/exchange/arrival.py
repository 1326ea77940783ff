"""One bundle on its way in: its entries named, told whose they are, made rows. What it asks of the base it asks once."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from app.access.contents import Content
from app.access.entry import Row, View
from app.access.permissions import Kind, Visibility
from app.exchange import identity, kept, persons, resolution, targets
from app.exchange.identity import Identity
from app.exchange.journal import Receiving
from app.exchange.models import Exchange
from app.exchange.ours import Ours
from app.exchange.parties import Parties
from app.exchange.persons import PERSON
from app.exchange.refusing import Refusals
from app.exchange.resolution import Known, Named
from app.exchange.targets import Targets
from app.features.usagers.models import Usager
from app.fhir import references
from app.fhir.identifiers import keys_of
from app.fhir.mapping import Arrived, Inbound, Json, Neighbours
from app.fhir.outcomes import Issue
from app.fhir.reading import Entry
from app.fhir.registry import Registry
from app.fhir.search.values import uuid_of
from app.fhir.verbs.transaction import OUTSIDE, WHOM, Asked, Done, Whose, turned
from app.kernel.errors import Conflict, Fault, Invalid
from app.kernel.ids import uuid7
from app.security.principal import Partner

# What arrives starts not shared with the person, except what was made with them, or that they have answered to;
# their own identity opens their page.
SHARED = frozenset(
    {Kind.PROJECT, Kind.EXPECTATION, Kind.NEED, Kind.GOAL, Kind.ACTION, Kind.SERVICE, Kind.MEANS, Kind.REVIEW,
     Kind.AGREEMENT, Kind.LIFE_PROJECT, Kind.EVENT, Kind.SHARING_CONSENT, Kind.USAGER}
)  # fmt: skip
TWICE = "Un autre élément de l'envoi porte le même identifiant : un seul peut être écrit."
MOVED = "Un élément ne passe pas du dossier d'une personne à celui d'une autre : envoyez-en un nouveau."
OTHER_KIND = (
    "Cet identifiant désigne déjà, dans ce que vous avez envoyé, un élément que celui-ci ne remplace pas : il lui manque "
    "ce qui le rattache (le projet, par exemple). Envoyez-le avec, ou donnez-lui un autre identifiant."
)
OF_ANOTHER_TYPE = "Cet id désigne déjà un élément d'un autre type, que vous avez envoyé : choisissez-en un autre."
OF_ANOTHER = "Cet identifiant désigne déjà, dans ce que vous avez envoyé, un élément d'une autre personne."


@dataclass(slots=True)
class Arrival:
    """`rows` are those the entries became, by place; `parts` those that came with them."""

    gate: Receiving
    partner: Partner
    line: Exchange
    asked: Asked
    registry: Registry
    strict: bool
    targets: Targets = field(default_factory=Targets)
    sought: dict[str, UUID] = field(default_factory=dict)  # what conditional references lead to
    known: Known = field(default_factory=Known)
    names: dict[int, Identity] = field(default_factory=dict)
    before: dict[int, Named] = field(default_factory=dict)
    stood: dict[UUID, View] = field(default_factory=dict)  # of what comes again, where its map asks
    ids: dict[int, UUID] = field(default_factory=dict)
    usagers: dict[int, UUID] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    parts: list[tuple[int, Row]] = field(default_factory=list)
    along: list[Content] = field(default_factory=list)  # what the rows hold elsewhere
    warnings: dict[int, list[Issue]] = field(default_factory=dict)
    around: Neighbours = field(default_factory=Neighbours)
    unchanged: set[int] = field(default_factory=set)  # updates that say what stands already
    _outside: dict[tuple[int, str], list[bytes | UUID]] = field(default_factory=dict)
    parties: Parties = field(init=False)

    def __post_init__(self) -> None:
        self.parties = Parties(self.asked, self.ids, self._named)

    async def resolve(self) -> None:
        """What this partner named before, of all that the bundle names."""
        for entry in self.asked.arriving:
            self.names[entry.at] = identity.of(self.gate.keyring, entry.resource, entry.full_url)
            for target, name in self._leads_out(entry):
                self._outside.setdefault((entry.at, target), []).append(name)
        outside = [name for names in self._outside.values() for name in names]
        own = {name for one in self.names.values() for name in (one.own, one.url) if name}
        [answer] = await self.gate.consult(
            resolution.ASK,
            sha256=self.line.sha256,
            strict=self.strict,
            fingerprints=list(own | {name for name in outside if isinstance(name, bytes)}),
            ids=[
                *(name for name in outside if isinstance(name, UUID)),
                *self.targets.new.values(),
                *(one.id for one in (*self.targets.rows.values(), *self.targets.standing.values()) if one.mine),
            ],
        )
        self.known = resolution.read(answer)

    def leads_elsewhere(self) -> set[tuple[int, str]]:
        """The references, by place, that lead to what this partner sent in an earlier bundle, of the same person."""
        return {(place, target) for place, target in self._outside if self._of_the_same(place, target)}

    def _of_the_same(self, place: int, target: str) -> Named | None:
        before = self._named(place, target)
        return before if before and before.usager_id in (None, self.usagers.get(place)) else None

    def identify(self) -> None:
        """What each entry is here, and whom it is about. Raises Invalid or Conflict naming each entry at fault."""
        for entry in self.asked.arriving:
            self._identify(entry)
        refusals = Refusals()
        for told in (self._refuse_doubles, self._tell_whose):
            try:
                told()
            except Invalid as no:
                refusals.add(no)
        refusals.tell()
        self._refuse_moves()

    async def recall(self) -> None:
        """What stands of what comes again: an update's is in hand."""
        again = (before for at, before in self.before.items() if at not in self.targets.rows)
        self.stood = await targets.stood(self.gate, again, self.registry)

    def place(self) -> None:
        """Every entry becomes a row, added to the gate. Raises Invalid with why each of those at fault can't be one."""
        names = {at: f"{self.asked.entries[at].kind}/{one.id}" for at, one in self.targets.standing.items()}
        names |= {entry.at: f"{entry.kind}/{self.ids[entry.at]}" for entry in self.asked.arriving}
        ours = Ours(self.asked, names, self.targets.standing, self.usagers, self._of_the_same)
        rewritten = {entry.at: ours.rewritten(entry) for entry in self.asked.arriving}
        self.around = Neighbours({names[at]: resource for at, (resource, _) in rewritten.items()})
        refusals = Refusals()
        for entry in self.asked.arriving:
            try:
                self._place(entry, *rewritten[entry.at], ours.as_told(entry))
            except Invalid as no:
                refusals.add(no, f"{entry.where}.resource")
        refusals.tell()

    def _place(self, entry: Entry, resource: Json, local: dict[str, UUID], as_told: Json | None) -> None:
        target = self.targets.rows.get(entry.at)
        if target and targets.unchanged(target, as_told or resource):
            self.unchanged.add(entry.at)
        elif entry.kind in OUTSIDE:
            self._outside_party(entry, resource, as_told)
        else:
            self._dossier_row(entry, resource, local, as_told)

    def done(self, entry: Entry) -> Done:
        """What became of it, once the base has said which version it is."""
        warnings, target = self.warnings.get(entry.at, ()), self.targets.rows.get(entry.at)
        if target and entry.at in self.unchanged:
            view = target.found.view
            return Done(entry.kind, target.id, view.version, warnings, 200, at=view.updated_at)
        row = self.rows[entry.at]
        return Done(entry.kind, row.id, row.version, warnings, 200 if target else 201, at=self.line.recorded_at)

    def _leads_out(self, entry: Entry) -> Iterator[tuple[str, bytes | UUID]]:
        """What is not in the bundle, by each name under which it may be known here."""
        keyring = self.gate.keyring
        base = entry.full_url.rpartition(f"{entry.kind}/")[0]
        for reference, place in self.asked.leads(entry.at):
            if place is None and (searched := identity.of_search(keyring, reference.target)):
                yield reference.target, searched
            if reference.target in self.sought:
                yield reference.target, self.sought[reference.target]
            if place is not None or (named := references.literal(reference.target)) is None:
                continue
            if url := identity.of_url(keyring, f"{named.base or base}{named.kind}/{named.id}"):
                yield reference.target, url
            if its_own := uuid_of(named.id):
                yield reference.target, its_own
        for element in WHOM:
            said = entry.resource.get(element)
            if isinstance(said, dict) and "reference" not in said and "identifier" in said:
                for key in keys_of({"identifier": said["identifier"]})[:1]:
                    yield element, identity.of_identifier(keyring, said.get("type", PERSON), key.system, key.value)

    def _named(self, place: int, target: str) -> Named | None:
        for name in self._outside.get((place, target), ()):
            named = self.known.by_name.get(name) if isinstance(name, bytes) else self.known.by_id.get(name)
            if named:
                return named
        return None

    def _identify(self, entry: Entry) -> None:
        """The row it was before, when this partner sent it before; else a new id."""
        own, target = self.names[entry.at].own, self.targets.rows.get(entry.at)
        if chosen := self.targets.new.get(entry.at):
            if chosen in self.known.by_id:
                raise Conflict(OF_ANOTHER_TYPE, where=f"{entry.where}.resource.id", code="other_kind")
            self.ids[entry.at] = chosen
            return
        before = self.known.by_name.get(own) if own else None
        if before and entry.kind == PERSON and before.id not in self.known.keys:
            before = None  # it was no person: each has a key of their own
        if target:
            before = self.known.by_id.get(target.id) or target.named()
        if before and (before.kind == Kind.OUTSIDE_PARTY) != (entry.kind in OUTSIDE):
            before = None  # an address used again for another thing
        if before:
            self.before[entry.at] = before
        self.ids[entry.at] = before.id if before else uuid7()

    def _refuse_doubles(self) -> None:
        """Nor may an update take the name of another row."""
        seen: set[bytes | UUID] = {one.id for at, one in self.targets.rows.items() if at not in self.asked.places}
        faults = []
        for entry in self.asked.arriving:
            own = self.names[entry.at].own
            mine, named = {self.ids[entry.at], own or self.ids[entry.at]}, self.known.by_name.get(own) if own else None
            if mine & seen or (named and not self.names[entry.at].by_url and named.id != self.ids[entry.at]):
                faults.append(Fault(f"{entry.where}.resource.identifier", "duplicate_identifier", TWICE))
            seen |= mine
        if faults:
            raise Invalid("Deux éléments de cet envoi n'en font qu'un.", faults=faults)

    def _tell_whose(self) -> None:
        known = {entry.at: self._person(entry) for entry in self.asked.arriving if entry.kind == PERSON}
        known |= {at: whose for at, one in self.targets.standing.items() if one.mine and (whose := one.usager_id)}
        named: dict[tuple[int, str], UUID] = {}
        sent: dict[bytes | UUID, UUID] = {
            own: whose for at, whose in known.items() if at in self.names and (own := self.names[at].own)
        }
        for (place, target), names in self._outside.items():
            before = self._named(place, target)
            whose = before.usager_id if before else next(filter(None, map(sent.get, names)), None)
            if whose:
                named[place, target] = whose
                if target in WHOM:
                    known.setdefault(place, whose)
        changed = {at: whose for at, one in self.targets.rows.items() if (whose := one.usager_id)}
        changed = {at: whose for at, whose in changed.items() if not self._leads_to_nobody(at, named)}
        again = {at: one.usager_id for at, one in self.before.items() if one.usager_id and not self.names[at].by_url}
        self.usagers, faults = Whose(self.asked, known, named, changed, again).tell()
        if faults:
            raise Invalid("On ne peut pas ranger cet envoi dans un dossier.", faults=faults)

    def _leads_to_nobody(self, place: int, named: Collection[tuple[int, str]]) -> bool:
        """Whom the row is about is said otherwise than it stands: its own person is no answer."""
        said = turned(self.asked.entries[place].resource, self.targets.rows[place].resource)
        return any((place, to) not in named and self.asked.links.lead(to, place) is None for to in said)

    def _person(self, entry: Entry) -> UUID:
        """Who this is here: someone new, whom we knew by the same name, or to whom the secretary attached them."""
        before = self.before.get(entry.at)
        return before.usager_id if before and before.usager_id else self.ids[entry.at]

    def _refuse_moves(self) -> None:
        """A row never passes from one person to another; an address may be used again, for a new row."""
        faults = []
        for entry in self.asked.arriving:
            before = self.before.get(entry.at)
            if before is None or entry.kind in OUTSIDE or before.usager_id == self.usagers[entry.at]:
                continue
            if self.names[entry.at].by_url and entry.at not in self.targets.rows:
                del self.before[entry.at]
                self.ids[entry.at] = uuid7()
            else:
                faults.append(self._moved(entry))
        if faults:
            raise Conflict("Cet envoi ferait passer un élément d'un dossier à un autre.", faults=faults)

    def _moved(self, entry: Entry) -> Fault:
        if entry.at in self.targets.rows:
            return Fault(f"{entry.where}.resource", "other_person", MOVED)
        return Fault(f"{entry.where}.resource.identifier", "other_person", OF_ANOTHER)

    def _outside_party(self, entry: Entry, resource: Json, as_told: Json | None) -> None:
        row = kept.party(resource, as_told, self.ids[entry.at], self.partner.id, self.line.id, self.gate.keyring)
        self.rows[entry.at] = self.gate.send_again(row) if entry.at in self.before else self.gate.add(row)

    def _dossier_row(self, entry: Entry, resource: Json, local: dict[str, UUID], as_told: Json | None) -> None:
        inbound = self._inbound(entry, resource, local, as_told)
        arrived = self._arrived(entry, resource, inbound)
        rows = [arrived.row, *arrived.beside]
        if entry.kind == PERSON and not isinstance(arrived.row, Usager):
            rows.append(persons.provisional(resource, inbound))
        for row in rows:
            row.visibility = (Visibility.SHARED if row.KIND in SHARED else Visibility.NOT_SHARED).value
            (self.gate.send_again if entry.at in self.before else self.gate.add)(row)
        self.rows[entry.at] = arrived.row
        self.along += arrived.along
        self.parts += [(entry.at, row) for row in rows[1:]]
        self.warnings.setdefault(entry.at, []).extend(inbound.warnings)

    def _arrived(self, entry: Entry, resource: Json, inbound: Inbound) -> Arrived:
        """By the map of the resource; by the generic one as long as the row it was before stands there."""
        before, generic = self.before.get(entry.at), self.registry.kept
        if before and before.kind == Kind.KEPT_RESOURCE and generic:
            return generic.received(resource, inbound)
        _, arrived = self.registry.received(resource, inbound, lenient=not self.strict)
        if before and entry.kind != PERSON and arrived.row.KIND != before.kind:
            raise Conflict(OTHER_KIND, where=f"{entry.where}.resource", code="other_kind")
        return arrived

    def _inbound(self, entry: Entry, resource: Json, local: dict[str, UUID], as_told: Json | None) -> Inbound:
        usager_id = self.ids[entry.at] if entry.kind == PERSON else self.usagers[entry.at]
        wrapped = self.known.keys.get(usager_id)
        key = self.gate.knows(usager_id, wrapped) if wrapped else self.gate.opens(usager_id)
        target = self.targets.rows.get(entry.at)
        return Inbound(
            id=self.ids[entry.at],
            usager_id=usager_id,
            structure_id=self.partner.structure_id,
            partner_id=self.partner.id,
            key=key,
            keyring=self.gate.keyring,
            where=f"{entry.where}.resource",
            exchange_id=self.line.id,
            held=not self.known.accepts or usager_id != self.usagers[entry.at],  # attached: its sender's word alone
            known_as=None if entry.kind == PERSON else persons.known_as(resource, local),
            strict=self.strict,
            as_told=as_told,
            stands=target.found.view if target else self.stood.get(self.ids[entry.at]),
            local=local,
            around=self.around,
        )
