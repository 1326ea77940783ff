"""A line of the trail → AuditEvent (R4), in the shape of IHE's Basic Audit Log Patterns: who did what, of whom, never what it held.

Told to the DPO only. It goes out only: a trail is written by acts. A line has no version and is no row of the record:
it is read and searched through `app.access.log`, under the line's own name.
Sources: https://hl7.org/fhir/R4/auditevent.html; https://profiles.ihe.net/ITI/BALP/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import ClassVar
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Text, Uuid, all_, any_, column, func, or_, select, tuple_
from starlette.responses import Response

from app.access import log
from app.access.acts import Act
from app.access.gate import Reading
from app.access.log import Line, Wanted
from app.access.permissions import Action
from app.audit.lines import named
from app.audit.models import AuditEntry
from app.audit.vocabulary import Ground, Outcome
from app.features.access_log.service import LONGEST
from app.fhir import paging
from app.fhir.canonicals import OURS, code_system
from app.fhir.registry import Beside
from app.fhir.search.criteria import INSTANT, Around, Asked, Bind, Criterion, Reference, Token, When, has
from app.fhir.search.query import Query, Shape, condition, read
from app.fhir.search.values import alternatives, id_in, moment_of
from app.fhir.types import (
    AuditAgent,
    AuditEntity,
    AuditEvent,
    AuditSource,
    Bundle,
    BundleEntry,
    BundleLink,
    CodeableConcept,
    Coding,
    EntrySearch,
    Identifier,
    Meta,
    moment,
)
from app.fhir.types import Reference as Link
from app.fhir.types.exchange import AgentNetwork
from app.kernel import answers
from app.kernel.answers import FHIR_JSON, etag
from app.kernel.clock import now
from app.kernel.errors import Unreadable
from app.security.principal import Caller

TYPE = "AuditEvent"
PROFILE = f"{OURS}/StructureDefinition/trail-event"
ROLE, GROUND, ACT = code_system("role"), code_system("ground"), code_system("trail-act")
DCM = "http://dicom.nema.org/resources/ontology/DCM"
EVENT_TYPE = "http://terminology.hl7.org/CodeSystem/audit-event-type"
INTERACTION = "http://hl7.org/fhir/restful-interaction"
REST = Coding(EVENT_TYPE, "rest", "Restful Operation")
LOGIN, EXPORT = Coding(DCM, "110114", "User Authentication"), Coding(DCM, "110106", "Export")
OTHER = Coding(ACT, "act", "Geste")  # of the table of acts: what is no operation on a row
TYPES = {**{action.value: REST for action in Action}, "login": LOGIN, "export": EXPORT}
CODES = {Action.CREATE.value: "C", Action.READ.value: "R", Action.UPDATE.value: "U", Action.DELETE.value: "D"}
EXECUTE = "E"
OUTCOMES = {Outcome.SUCCESS.value: "0", Outcome.EMPTY.value: "0", Outcome.REFUSED.value: "4"}
WHO = {
    Caller.PROFESSIONAL.value: "Practitioner",
    Caller.USAGER.value: "Patient",
    Caller.REPRESENTATIVE.value: "RelatedPerson",
}
IN_DANGER = Coding("http://terminology.hl7.org/CodeSystem/v3-ActReason", "BTG", "break the glass")
USER = CodeableConcept((Coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP"),))
ENTITY, OBJECT = (f"http://terminology.hl7.org/CodeSystem/{name}" for name in ("audit-entity-type", "object-role"))
PERSON, ROW = Coding(ENTITY, "1", "Person"), Coding(ENTITY, "2", "System Object")
PATIENT, DOMAIN = Coding(OBJECT, "1", "Patient"), Coding(OBJECT, "4", "Domain Resource")
REQUEST = Coding("https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId")
SERVER = Link(display="dui-serveur")
APPLICATION = Coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")
BY_ADDRESS = "2"  # https://hl7.org/fhir/R4/valueset-network-type.html: an IP address
OF_SOME, OF_A_TIME = {"patient", "_id"}, {"date", "_lastUpdated"}
EVER = datetime.min.replace(tzinfo=UTC)
NO_START, NO_END = ("lt", "le", "eb", "ne"), ("gt", "ge", "sa", "ne")
A = AuditEntry


def to_fhir(line: Line) -> AuditEvent:
    return AuditEvent(
        id=line.id,
        meta=Meta(versionId="1", lastUpdated=moment(line.at), profile=(PROFILE,)),
        type=TYPES.get(line.action, OTHER),
        subtype=(Coding(INTERACTION, line.action) if line.action in CODES else Coding(display=line.action),),
        action=CODES.get(line.action, EXECUTE),
        recorded=moment(line.at),
        outcome=OUTCOMES[line.outcome],
        outcomeDesc=line.outcome,
        purposeOfEvent=_ground(line.ground),
        agent=(_agent(line),),
        source=AuditSource(site=line.door, observer=SERVER, type=(APPLICATION,)),
        entity=(*_person(line), *_rows(line), _request(line)),
    )


def _ground(ground: str | None) -> tuple[CodeableConcept, ...]:
    if ground is None:
        return ()
    ours = Coding(GROUND, ground)
    return (CodeableConcept((ours, IN_DANGER) if ground == Ground.URGENCE else (ours,)),)


def _agent(line: Line) -> AuditAgent:
    return AuditAgent(
        type=USER,
        role=(CodeableConcept((Coding(ROLE, line.role),)),) if line.role else (),
        who=_who(line),
        requestor=True,
        network=AgentNetwork(address=line.address, type=BY_ADDRESS) if line.address else None,
    )


def _who(line: Line) -> Link:
    """A partner, or nobody known, is no resource of ours: told by its id, or by what kind of caller it was."""
    kind = WHO.get(line.principal_kind)
    if line.principal_id is None:
        return Link(display=line.principal_kind)
    if kind is None:
        return Link(identifier=_urn(line.principal_id), display=line.principal_kind)
    return Link(f"{kind}/{line.principal_id}")


def _person(line: Line) -> tuple[AuditEntity, ...]:
    if line.usager_id is None:
        return ()
    return (AuditEntity(what=Link(f"Patient/{line.usager_id}"), type=PERSON, role=PATIENT),)


def _rows(line: Line) -> tuple[AuditEntity, ...]:
    """By their ids, under our own word for what they are: which FHIR type tells them is their map's to say."""
    whats: list[Link | None] = [Link(identifier=_urn(id)) for id in line.entry_ids]
    return tuple(AuditEntity(what=what, type=ROW, role=DOMAIN, name=line.kind) for what in whats or [None])


def _request(line: Line) -> AuditEntity:
    return AuditEntity(what=Link(identifier=Identifier(value=line.request_id)), type=REQUEST)


def _urn(id: str) -> Identifier:
    return Identifier(system="urn:ietf:rfc:3986", value=f"urn:uuid:{id}")


@dataclass(frozen=True, eq=False)
class Names(Criterion):
    """`_id`: the lines of these names."""

    type: ClassVar = "token"

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        found = [place for place in map(named, alternatives(text)) if place]
        return Asked("any", ([at for at, _ in found], [id for _, id in found]))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        names = func.unnest(bind(0, ARRAY(INSTANT)), bind(1, ARRAY(Uuid())))
        places = names.table_valued(column("at", INSTANT), column("id", Uuid())).render_derived(name="named")
        return tuple_(A.at, A.id).in_(select(places.c.at, places.c.id))

    def told(self) -> ColumnElement[bool]:
        return has(A.id)


@dataclass(frozen=True, eq=False)
class Agent(Criterion):
    """`agent=Practitioner/…`, of whatever kind: ids are ours."""

    type: ClassVar = "reference"

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        return Asked("any", ([id for piece in alternatives(text) for id in _ids(piece, around.origin)],))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        return A.principal_id == any_(bind(0, ARRAY(Uuid())))

    def told(self) -> ColumnElement[bool]:
        return has(A.principal_id)


def _ids(piece: str, origin: str) -> list[UUID]:
    found = {id_in(piece, kind, origin) for kind in WHO.values()}
    return [id for id in found if id]


@dataclass(frozen=True, eq=False)
class Done(Criterion):
    """Which act it was, as `codes` say it, under the systems `systems`; `other` stands for every act they do not say."""

    type: ClassVar = "token"
    codes: Mapping[str, str]  # our word → FHIR's code
    systems: Mapping[str, str]  # FHIR's code → its system
    other: str

    def value(self, text: str, around: Around, modifier: str) -> Asked:
        pieces = [(system, code) for system, _, code in (piece.rpartition("|") for piece in alternatives(text))]
        codes = {code for system, code in pieces if system in ("", self.systems.get(code, ""))}
        words = [word for word, code in self.codes.items() if code in codes]
        return Asked("others", (words, [*self.codes])) if self.other in codes else Asked("any", (words,))

    def found(self, shape: str, bind: Bind) -> ColumnElement[bool]:
        told = A.action == any_(bind(0, ARRAY(Text())))
        return told if shape == "any" else or_(told, A.action != all_(bind(1, ARRAY(Text()))))

    def told(self) -> ColumnElement[bool]:
        return has(A.action)


CRITERIA: dict[str, Criterion] = {
    "_id": Names(),
    "_lastUpdated": When(A.at),
    "date": When(A.at),
    "patient": Reference(A.usager_id, "Patient"),
    "agent": Agent(),
    "type": Done(
        {word: str(coding.code) for word, coding in TYPES.items()},
        {str(coding.code): str(coding.system) for coding in (REST, LOGIN, EXPORT, OTHER)},
        str(OTHER.code),
    ),
    "action": Done(CODES, {}, EXECUTE),
    "outcome": Token(A.outcome, {"0": (Outcome.SUCCESS, Outcome.EMPTY), "4": (Outcome.REFUSED,)}),
}
TRAIL = Beside(
    TYPE, PROFILE, CRITERIA, "La trace : qui a lu ou écrit quoi. Pour le DPO. Une recherche dit de qui ou de quand."
)


@lru_cache(maxsize=1_000)
def _wanted(shape: Shape) -> Wanted:
    return Wanted(condition(CRITERIA, shape, 0))


async def one(reading: Reading, name: str) -> Response:
    """Raises MayNot for whoever is not the DPO, NotFound."""
    await reading.require(Act.READ_TRAIL)
    return answers.told(to_fhir(await log.line(reading, name)), FHIR_JSON, headers={"ETag": etag(1)})


async def search(reading: Reading, origin: str, said: paging.Said, *, lenient: bool = False) -> Response:
    """A searchset, the latest first. Raises MayNot for whoever is not the DPO, Unreadable."""
    await reading.require(Act.READ_TRAIL)
    after: tuple[object, ...] = ()
    link = [text for name, text in said if name == paging.PAGE]
    if link:
        opened = paging.opened(reading.keyring, reading.principal, TYPE, link[0])
        said, after = opened.said, opened.after
    query = read(said, [CRITERIA], Around(origin, reading.keyring, TYPE), lenient=lenient)
    if not link:
        _check_bounded(query)
    if query.asked_count == 0:
        raise Unreadable("La trace se lit page à page : elle ne se compte pas ici.", where="_count", code="too_costly")
    usager = query.values[query.usager] if query.usager else None
    [shape] = query.shapes
    found = await log.search(reading, _wanted(shape or ()), query.count + 1, after, **query.values, usager=usager)
    shown, following = found[: query.count], None
    if len(found) > len(shown):
        following = paging.following(reading.keyring, reading.principal, origin, TYPE, query.said, shown[-1].place)
    return _searchset(origin, query, shown, following)


def _check_bounded(query: Query) -> None:
    """Raises Unreadable for the trail of everyone, over more than the period that REST allows."""
    names = {name for name, _ in query.said}
    if names & OF_SOME:
        return
    if not names & OF_A_TIME:
        raise Unreadable("Dites de qui (patient) ou de quand (date).", where="date", code="too_costly")
    spans = [_span(text) for name, text in query.said if name in OF_A_TIME]
    first, last = max(low for low, _ in spans), min(high for _, high in spans)
    if last - first > LONGEST:
        raise Unreadable(
            "Sans dire de qui, une période d'un an au plus : date=ge… et date=lt….", where="date", code="too_costly"
        )


def _span(text: str) -> tuple[datetime, datetime]:
    """What a criterion of time lets through, from its first moment to its last; up to now when it says no end."""
    moments = [moment_of(piece) for piece in alternatives(text)]
    starts = [EVER if m.prefix in NO_START else m.high if m.prefix in ("gt", "sa") else m.low for m in moments]
    ends = [now() if m.prefix in NO_END else m.low if m.prefix in ("lt", "eb") else m.high for m in moments]
    return min(starts), max(ends)


def _searchset(origin: str, query: Query, shown: list[Line], following: str | None) -> Response:
    links = [BundleLink("self", paging.first(origin, TYPE, query.said))]
    links += [BundleLink("next", following)] if following else []
    match = EntrySearch("match")
    entries = tuple(
        BundleEntry(fullUrl=f"{origin}/fhir/{TYPE}/{line.id}", resource=to_fhir(line), search=match) for line in shown
    )
    return answers.told(Bundle(type="searchset", timestamp=moment(now()), link=tuple(links), entry=entries), FHIR_JSON)
