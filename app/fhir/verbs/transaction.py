"""A transaction: what it asks, whom each entry is about, what is answered. Pure: no row, no statement.

TDDUI is this one interaction. Entries come in any order; references lead by `urn:uuid:`, by absolute fullUrl or by
`Type/id`. Source: https://hl7.org/fhir/R4/http.html#trules
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from app.fhir import references
from app.fhir.known_types import R4_TYPES
from app.fhir.mapping import Json
from app.fhir.outcomes import Issue, outcome
from app.fhir.reading import Entry
from app.fhir.references import Links
from app.fhir.types import moment
from app.kernel.errors import Fault

# Named by many dossiers, these tell nobody's: an entry is not about the persons its practitioner is about.
OUTSIDE = frozenset({"Organization", "Practitioner", "PractitionerRole", "Location"})
ABOUT = frozenset({"subject", "patient", "for", "beneficiary", "actor", "entity"})
PERSON = "Patient"
WHOM = ("subject", "patient", "for", "beneficiary")  # where a resource says its one person
STATUSES = {200: "200 OK", 201: "201 Created", 204: "204 No Content", 304: "304 Not Modified"}
NOBODY = "On ne peut pas dire de quelle personne parle cet élément. Ajoutez une référence (subject, patient…)."
LOST = (
    "Cette référence ne mène à aucune personne que vous ayez envoyée : joignez sa ressource Patient à l'envoi, "
    "ou donnez son identifiant (identifier)."
)
SEVERAL = "Cet élément parle de plusieurs personnes. Envoyez-en un par personne."
Lead = tuple[references.Found, int | None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A transaction, and which of its entries, by place, are written: the others name a row or ask for one."""

    entries: tuple[Entry, ...]
    links: Links
    places: frozenset[int]
    _leads: dict[int, tuple[Lead, ...]] = field(default_factory=dict)

    @property
    def arriving(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.at in self.places)

    def _files(self, place: int) -> Iterator[Lead]:
        """The Binary entries that a DocumentReference names by their address: they are about whom it is about."""
        for at, content in enumerate(self.entries[place].resource.get("content", ())):
            if self.entries[place].kind != "DocumentReference":
                return
            target = content.get("attachment", {}).get("url", "")
            led = self.links.lead(target, place) if target else None
            if led is not None and self.entries[led].kind == "Binary":
                yield references.Found(("content", at, "attachment", "url"), target), led

    def leads(self, place: int) -> tuple[Lead, ...]:
        """The references of an entry, and the entries they lead to; None for what is not in the bundle."""
        if place not in self._leads:
            found = references.found(self.entries[place].resource)
            leads = [(one, self.links.lead(one.target, place)) for one in found]
            self._leads[place] = (*leads, *self._files(place))
        return self._leads[place]


def asked(entries: tuple[Entry, ...], places: Iterable[int]) -> Asked:
    return Asked(entries, Links(entries), frozenset(places))


@dataclass(slots=True)
class Whose:
    """Whom each entry is about, by its place: a person of the bundle, or one whom a reference already names here.

    First what the entry says itself (`subject`…), then whose the row it changes is, then what it refers to, nearest first,
    then what refers to it, then what it refers to in an earlier bundle, then the only person of the bundle, last whose the
    row it was before is. The official project's Consent says nobody: the CarePlan that names it does. Of one that says
    somebody who is nowhere, nothing else decides but the row it changes: a mistyped reference puts nothing in the dossier of
    another.
    """

    asked: Asked
    known: Mapping[int, UUID]  # the persons of the bundle, by place
    named: Mapping[tuple[int, str], UUID]  # (place, reference) that leads out of the bundle → whose row that is
    changed: Mapping[int, UUID] = field(default_factory=dict)  # by place: whose row an update is about
    again: Mapping[int, UUID] = field(default_factory=dict)  # by place: whose row comes again by its identifier
    _found: dict[int, UUID] = field(default_factory=dict)
    _torn: set[int] = field(default_factory=set)  # about several, or someone lost: nothing decides for them
    _lost: dict[int, str] = field(default_factory=dict)  # where each of those says someone who is nowhere
    _to: dict[int, set[int]] = field(default_factory=dict)
    _far: dict[int, set[UUID]] = field(default_factory=dict)  # persons of earlier bundles, whom it names in passing

    def tell(self) -> tuple[dict[int, UUID], list[Fault]]:
        """By place, and a fault for each entry about nobody, or about several."""
        about = [entry for entry in self.asked.arriving if entry.kind not in OUTSIDE]
        self._found |= self.known
        for entry in about:
            self._look(entry)
        back: dict[int, set[int]] = {}
        for place, targets in self._to.items():
            for target in targets:
                back.setdefault(target, set()).add(place)
        self._spread(self._to, back)
        self._spread(back, self._to)
        for place, far in self._far.items():
            self._decide(place, far)
        self._spread(self._to, back)
        self._spread(back, self._to)
        persons = set(self._found.values())
        if len(persons) == 1:
            self._found |= {entry.at: next(iter(persons)) for entry in about if entry.at not in self._torn}
        for place, whose in self.again.items():
            self._decide(place, {whose})
        return self._found, [self._fault(entry) for entry in about if entry.at not in self._found]

    def _look(self, entry: Entry) -> None:
        """What the entry says by itself; and where it leads."""
        said: set[UUID] = set()
        others: set[UUID] = set()
        targets = self._to.setdefault(entry.at, set())
        for reference, place in self.asked.leads(entry.at):
            person = self.known.get(place) if place is not None else self.named.get((entry.at, reference.target))
            if place is not None and self.asked.entries[place].kind not in OUTSIDE:
                targets.add(place)
            if person is None:
                continue
            if _last_name(reference) in ABOUT:
                said.add(person)
            elif place is not None:
                others.add(person)
            else:
                self._far.setdefault(entry.at, set()).add(person)
        its_row = {self.changed[entry.at]} if entry.at in self.changed else set()
        if not (said or its_row or self._decided(entry.at)) and (lost := self._lost_in(entry)):
            self._lost[entry.at] = lost
            self._torn.add(entry.at)
        self._decide(entry.at, said or its_row or others)

    def _lost_in(self, entry: Entry) -> str:
        """The element that says whom it is about, when that leads nowhere; empty when there is none."""
        inside = {f"#{each.get('id', '')}" for each in entry.resource.get("contained", ())}
        for reference, place in self.asked.leads(entry.at):
            out = place is None and reference.target not in inside and (entry.at, reference.target) not in self.named
            if out and _says_someone(reference):
                return references.where(entry.resource, reference).partition(".")[2]
        for name in WHOM:
            said = entry.resource.get(name)
            if isinstance(said, dict) and "reference" not in said and "identifier" in said:
                return name
        return ""

    def _spread(self, ways: Mapping[int, set[int]], back: Mapping[int, set[int]]) -> None:
        """One step at a time, so that the nearest decides; `back` is `ways` the other way. Each way is gone once.

        A place of which no way led to anyone is reached only by those whom the last step found.
        """
        fresh = set(self._found)
        while fresh:
            reached = {place for found in fresh for place in back.get(found, ()) if not self._decided(place)}
            told = {place: {self._found[target] for target in ways[place] & fresh} for place in reached}
            for place, persons in told.items():
                self._decide(place, persons)
            fresh = {place for place in reached if place in self._found}

    def _decided(self, place: int) -> bool:
        return place in self._found or place in self._torn

    def _decide(self, place: int, persons: set[UUID]) -> None:
        if self._decided(place) or not persons:
            return
        if len(persons) > 1:
            self._torn.add(place)
        else:
            self._found[place] = next(iter(persons))

    def _fault(self, entry: Entry) -> Fault:
        if lost := self._lost.get(entry.at):
            return Fault(f"{entry.where}.resource.{lost}", "no_usager", LOST)
        return Fault(f"{entry.where}.resource", "no_usager", SEVERAL if entry.at in self._torn else NOBODY)


def _says_someone(reference: references.Found) -> bool:
    """By a name that may be a person's: of what is told by its type, a Patient's alone."""
    literal = references.literal(reference.target)
    kind = literal.kind if literal else reference.target.partition("?")[0]
    if kind in R4_TYPES:
        return kind == PERSON and _last_name(reference) in ABOUT
    return len(reference.path) == 1 and reference.path[0] in WHOM


def turned(resource: Json, stood: Json) -> list[str]:
    """The references by which a resource says whom it is about, where it stood otherwise; empty for one that is gone."""
    said = [(_target(resource[name]), _target(stood.get(name))) for name in WHOM if name in resource]
    return [told for told, before in said if told != before]


def _target(reference: object) -> str:
    return str(reference.get("reference") or "") if isinstance(reference, Mapping) else ""


def _last_name(reference: references.Found) -> str:
    return next((step for step in reversed(reference.path) if isinstance(step, str)), "")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one entry. `id` None: nothing was there to delete. `told` is the answer to a reading, of which a HEAD
    keeps the `head` alone.
    """

    type_name: str
    id: UUID | None
    version: int
    warnings: Sequence[Issue] = ()
    status: int = 201
    told: Json | None = None
    head: bool = False
    at: datetime | None = None  # when, when it was before this request


def answer(done: Iterable[Done], at: datetime, *, dry: bool = False) -> Json:
    """The `transaction-response`, entries in the order received. A trial names no row: there is none."""
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": [_entry(d, at, dry) for d in done]}


def _entry(done: Done, at: datetime, dry: bool) -> Json:
    response: Json = {"status": STATUSES[done.status]}
    if not dry and done.id:
        response |= {
            "location": f"{done.type_name}/{done.id}/_history/{done.version}",
            "etag": f'W/"{done.version}"',
            "lastModified": moment(done.at or at),
        }
    if done.warnings:
        response["outcome"] = outcome(done.warnings)
    if done.told is None:
        return {"response": response}
    response = {**_as_read(done.told), **response}
    return {"response": response} if done.head else {"resource": done.told, "response": response}


def _as_read(told: Json) -> Json:
    """Which version an entry that reads was told; a list is of none."""
    meta = told.get("meta", {})
    if "versionId" not in meta:
        return {}
    return {"etag": f'W/"{meta["versionId"]}"', "lastModified": meta["lastUpdated"]}
