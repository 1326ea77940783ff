"""Twin worlds: the same, but for rows that one caller may not read. Everything they are answered must be the same.

The hidden rows are written by the owner into the very world already asked: ids and instants are alike by construction.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any
from uuid import UUID

import orjson

from app.kernel.ids import uuid7
from tests.dossier import KINDS, TABLES, address, insert, row_of
from tests.oracle.facts import known
from tests.oracle.joined import ALWAYS, LINKS
from tests.oracle.leading import DANGLING, LATER, pointing
from tests.oracle.paths import FHIR, QUESTIONS, STAFF_LISTS
from tests.oracle.truth import Truth, Who
from tests.oracle.worlds import CATEGORIES, FACTS, LEADS, MOMENTS, PLACES, Drawn, when
from tests.world import Headers, World

Hidden = tuple[str, UUID, UUID]  # kind, id, usager
SOME = 16  # of the ways through another row, for each caller: a text is long to write the first time
CONDITIONED = ("Task", "DocumentReference", "ServiceRequest", "CarePlan")
TOLD = ("etag", "last-modified", "location", "content-type", "retry-after", "cache-control", "repr-digest")
# Not « Qui a vu mon dossier »: it holds the visits that asking makes (its twins are with the log's tests).
SCREENS = ("", "/projet", "/agenda", "/accords", "/journal")
# Said once by each connection, of a pool that closes those that rest.
OF_CONNECTION = "SELECT set_config('dui.organisation', $1, false)"
# What is drawn at each answer, and says nothing: sealed places, the secret of a form, the instant of a bundle.
RANDOM = (
    (re.compile(r"(after|_page|avant)=[A-Za-z0-9_%=-]+"), r"\1=…"),
    (re.compile(r'("next":")[^"]+'), r"\1…"),
    (re.compile(r'("request_id":")[^"]+'), r"\1…"),
    (re.compile(r'("timestamp":")[^"]+'), r"\1…"),
    (re.compile(r'(name="csrf" value=")[^"]+'), r"\1…"),
    (re.compile(r'("(?:location|lastModified)":")[^"]+'), r"\1…"),  # of what was only tried
)


@dataclass(frozen=True)
class Request:
    method: str
    bearer: str
    path: str
    version: int | None = None
    body: str | None = None
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/fhir+json"),)

    def __str__(self) -> str:
        return f"{self.method} {self.path} as {self.bearer} {(self.body or '')[:160]}".strip()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[str | None, ...]
    body: str
    statements: int


def answered(world: World, one: Request) -> Answer:
    headers: Headers = {**world.bearers[one.bearer], **dict(one.headers)}
    if one.version is not None:
        headers["If-Match"] = f'W/"{one.version}"'
    world.client.cookies.clear()
    with world.statements() as statements:
        said = world.client.request(one.method, one.path, headers=headers, content=one.body, follow_redirects=False)
    body = said.text
    for drawn, kept in RANDOM:
        body = drawn.sub(kept, body)
    asked = sum(sql != OF_CONNECTION for sql in statements.sql)
    return Answer(said.status_code, tuple(said.headers.get(name) for name in TOLD), body, asked)


def requests(world: Drawn, who: Who, hidden: list[Hidden]) -> list[Request]:
    """Everything they may ask: lists, counts, pages, some rows they read, and each hidden one as if they knew its id."""
    places = [f"/fhir/{name}{more}" for name in FHIR for more in ("?_count=3", "?_count=0")]
    if who.staff:
        places += [f"/api/v1/{room}?limit=3" for room in (*STAFF_LISTS.values(), "judicial", "consignes")]
        places += [f"/api/v1/consents?kind={word}&limit=3" for word in QUESTIONS]
        for person in world.persons:
            one = f"/api/v1/usagers/{person.id}"
            places += [one, f"{one}/identifiers", f"{one}/emergency-sheet", f"/api/v1/projects/{person.project}"]
            places += [f"/api/v1/{room}?usager={person.id}" for room in ("transmissions", "events", "teams/members")]
            places += [f"/api/v1/contacts/{person.contact}/mandates"]
            places += [f"/api/v1/consents/{person.sharing_consent}/answers"]
        places += [f"/api/v1/events?unit={world.cast.world.ids[f'unit_{place}']}" for place in PLACES]
    if who.usager:
        places += [f"/api/v1/me{room}" for room in ("", "/project", "/events", "/transmissions")]
        places += [f"/api/v1/me/consents?kind={word}" for word in QUESTIONS] + ["/api/v1/me/consents/oppositions"]
    places += _joined(world, who)
    asked = [Request("GET", who.name, place) for place in places]
    if who.usager:
        page = "o_person_page" if who.kind == "usager" else "o_parent_page"
        asked += [Request("GET", page, f"/mon-dossier{screen}") for screen in SCREENS]
    asked += _unknown(who, hidden)
    return asked + _known(world, who) + [one for row in hidden for one in _guessed(world, who, *row)]


def _joined(world: Drawn, who: Who) -> list[str]:
    """Some of what one row tells of another, of the past, of a dossier whole, of an order."""
    places = [
        f"/fhir/{name}{more}" for name in FHIR for more in ("/_history?_count=3", "?_sort=-_lastUpdated&_count=3")
    ]
    for link in LINKS:
        if link.parameter != "patient" or link.type_name in ("Task", "DocumentReference"):
            here, there = f"/fhir/{link.type_name}", f"/fhir/{link.target}"
            chain, has = f"{link.parameter}.{ALWAYS}", f"_has:{link.type_name}:{link.parameter}:{ALWAYS}"
            places += [
                f"{here}?{chain}&_count=3",
                f"{here}?{chain}&_count=0",
                f"{here}?{chain}&_total=accurate&_count=1",
            ]
            places += [f"{there}?{has}&_count=3", f"{there}?{has}&_count=0"]
            places += [f"{here}?_include={link}&_count=3", f"{there}?_revinclude={link}&_count=3"]
    places += ["/fhir/CarePlan?_include=*&_revinclude:iterate=Task:*&_count=3"]
    places += [f"/fhir/Patient/{person.id}/$everything?_count=5" for person in world.persons[:3]]
    sorts = [place for place in places if "_sort" in place]
    return [*Random(who.kind).sample(places, SOME), *sorts[:2]]


def _known(world: Drawn, who: Who) -> list[Request]:
    truth = world.truths[who.name]
    rows = [(kind, row) for kind in KINDS for row in world.facts.rows[kind] if truth.reads(kind, row)]
    some = Random(world.seed).sample(rows, min(12, len(rows)))
    return [one for kind, row in some for one in _guessed(world, who, kind, row["id"], row["usager_id"])[:1]]


def _guessed(world: Drawn, who: Who, kind: str, id: UUID, usager: UUID) -> list[Request]:
    type_name = next((name for name, kinds in FHIR.items() if kind in kinds), "Device")
    place = address(kind, world.of(usager), id) if who.staff and kind != "kept_resource" else f"/fhir/{type_name}/{id}"
    asked = [Request("GET", who.name, place)]
    if who.staff and kind in ("transmission", "event", "stay", "contact"):
        asked += [Request("DELETE", who.name, place, 1)]
    return asked


def _unknown(who: Who, hidden: list[Hidden]) -> list[Request]:
    """The past of a hidden row of each type, and what is written on its condition: nothing of it stays written."""
    first = {name: id for kind, id, _ in reversed(hidden) for name in CONDITIONED if kind in FHIR[name]}
    return [one for name, id in first.items() for one in _under_conditions(who, name, id)]


def _under_conditions(who: Who, type_name: str, id: UUID) -> list[Request]:
    asked = [Request("GET", who.name, f"/fhir/{type_name}/{id}/_history{more}") for more in ("", "/1")]
    asked += [Request("DELETE", who.name, f"/fhir/{type_name}?_id={id}")]
    asked += [Request("PUT", who.name, f"/fhir/{type_name}?_id={id}", body=f'{{"resourceType":"{type_name}"}}')]
    asked += [Request("GET", who.name, f"/fhir/Patient?_has:{type_name}:patient:_id={id}&_count=0")]
    nowhere = {"request": {"method": "DELETE", "url": "Task/nowhere"}}
    for request in (
        {"method": "DELETE", "url": f"{type_name}?_id={id}"},
        {"method": "DELETE", "url": f"{type_name}/{id}", "ifMatch": 'W/"7"'},
    ):
        for kind, entries in (("batch", [{"request": request}]), ("transaction", [{"request": request}, nowhere])):
            said = orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries})
            asked += [Request("POST", who.name, "/fhir", body=said.decode())]
    return asked


Forms = Callable[[Drawn, Who, list[Hidden]], list[Request]]


def _lead_there(world: Drawn, who: Who, told: list[Hidden]) -> None:
    """Rows that they read lead to those that are not there yet: absent, then out of reach."""
    said = []
    for lead in DANGLING:
        mine = [row["id"] for row in world.truths[who.name].open(lead.kind)]
        there = [id for kind, id, _ in told if kind in lead.targets]
        if there:
            said.append(pointing(lead.kind, lead.column, zip(mine, cycle(there), strict=False)))
    world.cast.world.write(said)


def hidden(world: Drawn, who: Who, count: int = 2) -> list[tuple[str, dict[str, Any]]]:
    """Rows that close themselves to this caller: alerts in every table first, then one trait or another."""
    draw, w = Random(world.seed), world.cast.world
    rows = []
    for kind in KINDS:
        if kind in FACTS or kind == "usager":
            continue
        for n in range(count):
            person = draw.choice(world.persons)
            said: dict[str, Any] = {
                "category": "alert" if n == 0 else draw.choice(CATEGORIES),
                "visibility": draw.choice(("shared", "not_shared", "withheld")),
                "reserved_to": draw.choice((None, [uuid7()])),
                "occurred_at": draw.choice(MOMENTS),
                "consigne": draw.random() < 0.5,
            }
            if kind == "emergency_sheet":
                said |= {"origin_partner_id": w.ids["mdph"], "origin_version": 1}
            if kind == "event":
                said |= when(said["occurred_at"])
            if kind == "agreement":
                said |= {"answer": "no"}
            for column, targets in _leading(kind):
                theirs = [
                    row["id"] for name in targets for row in world.facts.rows[name] if row["usager_id"] == person.id
                ]
                said |= {column: draw.choice(theirs)} if theirs else {}
            rows.append((kind, row_of(w, kind, person, said)))
    return rows


def _leading(kind: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    if kind in LEADS:
        column, target = LEADS[kind]
        yield column, (target,)
    yield from ((lead.column, lead.targets) for lead in LATER if lead.kind == kind)


def differences(world: Drawn, who: Who, only: str = "", forms: Forms = requests) -> list[str]:
    """What told this caller that something had been written which they may not read; `only` of requests with these
    words."""
    w, new = world.cast.world, hidden(world, who)
    told = [(kind, row["id"], row["usager_id"]) for kind, row in _kept(world, who, new)]
    _lead_there(world, who, told)
    asked = [one for one in forms(world, who, told) if only in str(one)]
    for one in asked:
        answered(w, one)  # once for nothing: a connection tells its tenant, a statement is prepared
    before = [answered(w, one) for one in asked]
    for kind, row in new:
        if (kind, row["id"], row["usager_id"]) in told:
            insert(w, TABLES.get(kind, kind), [row])
    after = [answered(w, one) for one in asked]
    return [f"{one}: {_apart(a, b)}" for one, a, b in zip(asked, before, after, strict=True) if a != b]


def _kept(world: Drawn, who: Who, new: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    """Those of them that are indeed closed to this caller, by the truth: tried in the base, and taken back."""
    w = world.cast.world
    for kind, row in new:
        insert(w, TABLES.get(kind, kind), [row])
    facts = known(w)
    truth, ids = Truth(facts, who), {row["id"] for _, row in new}
    closed = [(kind, row) for kind, row in new if not truth.reads(kind, facts.of(kind, row["id"]))]
    was = {kind: world.truths[who.name].all(kind) for kind in KINDS}
    assert {kind: truth.all(kind) - ids for kind in KINDS} == was, "a hidden row would open or close others"
    for kind in KINDS:
        w.rows(f"DELETE FROM {TABLES.get(kind, kind)} WHERE id = ANY($1)", list(ids))
    return closed


def _apart(before: Answer, after: Answer) -> str:
    if before.status != after.status:
        return f"{before.status} then {after.status}"
    if before.statements != after.statements:
        return f"{before.statements} statements, then {after.statements}"
    if before.headers != after.headers:
        return "other headers"
    at = next((n for n, two in enumerate(zip(before.body, after.body, strict=False)) if two[0] != two[1]), -1)
    return f"other words: {before.body[max(0, at - 60) : at + 40]!r}, then {after.body[max(0, at - 60) : at + 40]!r}"
