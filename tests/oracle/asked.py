"""The other ways to ask for the same rows: compartments, several types, orders, shapes, negations, conditions, batches.

Whatever the way, what leaves is what the types searched hold within reach.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any
from uuid import UUID

from tests.dossier import LOCAL
from tests.oracle.answers import PAGE, Ask, counted, entries, followed, numbers
from tests.oracle.facts import Line
from tests.oracle.links import NO_SUBJECT, of_type
from tests.oracle.paths import FHIR, NOT_SEARCHED, Ids, Path, both, has, rows_of, searched
from tests.oracle.truth import Truth, Who
from tests.oracle.whole import ever, nothing
from tests.oracle.worlds import Drawn

PERSONS = 4  # of a house, whose dossiers are asked whole
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAIRS = tuple(combinations(FHIR, 2))
ANY = {"_id", "_lastUpdated"}
SORTS = {  # by `tests/access/test_oracle_links.py` those that the server takes
    "Patient": ANY | {
        "active", "address", "address-city", "address-country", "address-postalcode", "birthdate", "death-date", "deceased",
        "family", "gender", "given", "name",
    },
    "RelatedPerson": ANY | {"address", "address-city", "address-country", "address-postalcode", "name"},
    "Encounter": ANY | {"class", "date", "status"},
    "DocumentReference": ANY | {
        "category", "contenttype", "date", "description", "event", "facility", "format", "language", "period", "relation",
        "setting", "status", "type",
    },
    "Consent": ANY | {"category", "date", "period", "scope", "status"},
    "CarePlan": ANY | {"category", "date", "intent", "status"},
    "QuestionnaireResponse": ANY | {"authored", "status"},
    "Basic": ANY | {"code", "created"},
    "Observation": ANY | {"category", "code", "component-value-quantity", "date", "status", "value-concept"},
    "Goal": ANY | {"achievement-status", "category", "lifecycle-status", "start-date", "target-date"},
    "ServiceRequest": ANY | {"authored", "category", "code", "intent", "status"},
    "Task": ANY | {"code", "intent", "period", "status"},
    "Slot": ANY | {"appointment-type", "service-type", "start", "status"},
    "Schedule": ANY,
}  # fmt: skip
_WHOM, _WHAT = {"display": "?"}, {"text": "?"}
BODIES: dict[
    str, dict[str, Any]
] = {  # the least that R4 takes: what is refused before its condition is looked at tells nothing
    "Patient": {},
    "RelatedPerson": {"patient": _WHOM},
    "Encounter": {"status": "planned", "class": {"code": "AMB"}},
    "DocumentReference": {
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "eA=="}}],
    },
    "Consent": {"status": "active", "scope": _WHAT, "category": [_WHAT], "policyRule": _WHAT},
    "CarePlan": {"status": "draft", "intent": "plan", "subject": _WHOM},
    "QuestionnaireResponse": {"status": "completed"},
    "Basic": {"code": _WHAT},
    "Observation": {"status": "final", "code": _WHAT},
    "Goal": {"lifecycleStatus": "planned", "description": _WHAT, "subject": _WHOM},
    "ServiceRequest": {"status": "draft", "intent": "plan", "subject": _WHOM},
    "Task": {"status": "draft", "intent": "plan"},
    "Slot": {"schedule": _WHOM, "status": "busy", "start": "2026-01-05T09:00:00Z", "end": "2026-01-05T10:00:00Z"},
    "Schedule": {"actor": [_WHOM]},
}
SHOWN = ("_summary=true", "_summary=text", "_summary=data", "_elements=id", "_format=json")


def asked(world: Drawn, who: Who) -> Iterator[Path]:
    yield from _compartments(world)
    yield from _several()
    for name in FHIR:
        yield from _of_type(world, who, name)
    yield from _named(world, who)
    yield from _batches(world)
    yield from _under_condition(world, who)


def _compartments(world: Drawn) -> Iterator[Path]:
    for person in world.persons[:PERSONS]:
        place, mine = f"/fhir/Patient/{person.id}", person.id
        whole = both(*(of_type(name, of=mine) for name in FHIR), rows_of("kept_resource", of=mine))
        yield Path("compartment whole", searched(f"{place}/*"), whole)
        for name in FHIR:
            yield Path(f"compartment {name}", searched(f"{place}/{name}"), of_type(name, of=mine), about=name)
        for one, other in PAIRS[:: len(FHIR) - 1]:
            right = both(of_type(one, of=mine), of_type(other, of=mine))
            yield Path("compartment some", searched(f"{place}/*?_type={one},{other}"), right)
            yield Path("compartment form", _by_form(f"{place}/_search", f"_type={one},{other}"), right)


def _several() -> Iterator[Path]:
    for one, other in PAIRS:
        right, types = both(of_type(one), of_type(other)), f"_type={one},{other}"
        yield Path(f"several {one},{other}", searched(f"/fhir?{types}"), right, about=f"{one},{other}")
        yield Path(
            f"several sorted {one},{other}",
            entries(f"/fhir?{types}&_sort=-_lastUpdated"),
            right,
            about=f"{one},{other}",
        )
        yield Path(f"several form {one},{other}", _by_form("/fhir/_search", types), right, about=f"{one},{other}")


def _explained(place: str) -> Ask:
    """Refused to whose membership has ended, and to nobody else who keeps the server."""
    explained = f"{place}?_explain=true&_count={PAGE}"

    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.get(who.name, explained)
        refused = answer.status_code == 403
        assert refused is not world.truths[who.name].in_office, f"{explained}: {answer.status_code}"
        return set() if refused else followed(world, who, answer, explained, "match")

    return ask


def _of_type(world: Drawn, who: Who, name: str) -> Iterator[Path]:
    place, right = f"/fhir/{name}", of_type(name)

    def path(family: str, ask: Ask, those: Callable[[Truth], Ids] = right, how: str = "") -> Path:
        about = f"{how} {name}".strip()
        return Path(f"{family} {about}", ask, those, about=about)

    for key in sorted(SORTS[name]):
        for sign in ("", "-"):
            yield path("sort", entries(f"{place}?_sort={sign}{key}"), how=f"{sign}{key}")
    for how in SHOWN:
        yield path("shown", entries(f"{place}?{how}"), how=how)
    for how in ("_total=accurate&_count=1", "_total=estimate&_count=1", "_summary=count"):
        yield path("total", counted(place, how), lambda truth: numbers(right(truth)), how)
    if who.kind == "direction":
        yield path("explain", _explained(place))
    yield path("form", _by_form(f"{place}/_search", "_lastUpdated=gt2000"))
    yield path("narrowed", searched(f"{place}?_lastUpdated=gt2000&_id:missing=false"))
    for row in [row for kind in FHIR[name] for row in world.facts.rows[kind]][:40:8]:
        id = row["id"]
        yield path("not", entries(f"{place}?_id:not={id}"), lambda truth, id=id: right(truth) - {id})
        yield path(
            "by id",
            searched(f"{place}?_id={id},{world.persons[0].id}"),
            of_type(name, among({id, world.persons[0].id})),
        )
        yield path("had already", _had_already(f"{place}/{id}", id), of_type(name, has(id=id)))
    told = both(*(ever(kind) for kind in FHIR[name]))
    for span, those in (("_since=2000", told), ("_at=2026", told), ("_since=2900", nothing), ("_at=2001", nothing)):
        yield path(f"history {span}", entries(f"{place}/_history?{span}"), those)


def _named(world: Drawn, who: Who) -> Iterator[Path]:
    """Of someone as a partner named them: a partner knows its own names, the team all of them, nobody else any."""
    for line in [line for line in world.facts.rows["external_id"] if line["row_id"] == line["usager_id"]][:PERSONS]:
        knows = who.staff or (who.kind == "partner" and line["partner_id"] == who.id)
        number = f"{LOCAL}|{line['row_id'].hex}"
        for name in FHIR:
            mine = of_type(name, of=line["row_id"])
            for parameter in ("patient", "subject"):
                if name not in (NO_SUBJECT if parameter == "subject" else NOT_SEARCHED):
                    place = f"/fhir/{name}?{parameter}:identifier={number}"
                    yield Path(f"named {parameter} {name}", searched(place), mine if knows else nothing, about=name)


# Several questions in one request


def _batches(world: Drawn) -> Iterator[Path]:
    rows = [(name, kind, row) for name, kinds in FHIR.items() for kind in kinds for row in world.facts.rows[kind]]
    for start in range(0, 200, 40):
        some = rows[start :: max(1, len(rows) // 12)][:12]
        ids = {row["id"] for _, _, row in some}
        right = both(*(rows_of(kind, among(ids)) for _, kind, _ in some))
        yield Path("batch", _batch([f"{name}/{row['id']}" for name, _, row in some]), right)
        past = both(*(ever(kind, among(ids)) for _, kind, _ in some))
        yield Path("batch of pasts", _batch([f"{name}/{row['id']}/_history" for name, _, row in some]), past)
    for person in world.persons[:PERSONS]:
        types = [name for name in FHIR if name not in NOT_SEARCHED][world.seed % 3 :: 4]
        right = both(*(of_type(name, of=person.id) for name in types))
        yield Path("batch of searches", _batch([f"{name}?patient={person.id}&_count=200" for name in types]), right)
        everything = both(
            *(of_type(name, of=person.id) for name in FHIR),
            rows_of("kept_resource", of=person.id),
        )
        yield Path("batch of everything", _batch([f"Patient/{person.id}/$everything?_count=200"]), everything)


def among(ids: Ids) -> Callable[[Line], bool]:
    return lambda row: row["id"] in ids


def _batch(urls: Iterable[str]) -> Ask:
    """Every id that the answers of a batch tell."""
    said = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [{"request": {"method": "GET", "url": url}} for url in urls],
    }

    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.post(who.name, "/fhir", said)
        assert answer.status_code == 200, answer.text
        statuses = {one["response"]["status"][:3] for one in answer.json()["entry"]}
        assert statuses <= {"200", "404", "410"}, statuses
        return {UUID(id) for one in answer.json()["entry"] for id in _ids_in(one)}

    return ask


def _ids_in(entry: Any) -> Iterator[str]:
    told = entry.get("resource", {})
    if told.get("resourceType") == "Bundle":
        yield from (one["fullUrl"].rpartition("/")[2] for one in told.get("entry", ()) if "fullUrl" in one)
    elif "id" in told:
        yield told["id"]


# Under a condition


def _had_already(place: str, id: UUID) -> Ask:
    def ask(world: Drawn, who: Who) -> Ids:
        status = world.cast.world.get(who.name, place, headers={"If-None-Match": "*"}).status_code
        assert status in (304, 404, 410), f"{place}: {status}"
        return {id} if status == 304 else set()

    return ask


def _under_condition(world: Drawn, who: Who) -> Iterator[Path]:
    """A creation that would not be made twice, only tried: what stands is told."""
    for name, kinds in FHIR.items() if who.kind == "partner" else ():
        for row in [row for kind in kinds for row in world.facts.rows[kind]][:40:8]:
            right = of_type(name, has(id=row["id"]))
            yield Path(f"condition {name}", _standing(name, row["id"]), right, about=name)


def _standing(name: str, id: UUID) -> Ask:
    request = {"method": "POST", "url": name, "ifNoneExist": f"_id={id}"}
    entry = {
        "fullUrl": "urn:uuid:c1e1a9a4-7d0f-4d5a-9d2e-0a1b2c3d4e5f",
        "resource": {"resourceType": name, **BODIES[name]},
        "request": request,
    }
    said = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}

    def ask(world: Drawn, who: Who) -> Ids:
        answer = world.cast.world.post(who.name, "/fhir?dry-run=true", said)
        assert answer.status_code in (200, 400, 404, 422), f"{name}: {answer.status_code}"
        stands = answer.status_code == 200 and answer.json()["entry"][0]["response"]["status"].startswith("200")
        return {id} if stands else set()

    return ask


# How each is asked


def _by_form(place: str, form: str) -> Ask:
    """By POST, its pages by GET as anyone follows a link."""

    def ask(world: Drawn, who: Who) -> Ids:
        w = world.cast.world
        answer = w.client.post(place, content=form, headers={**w.bearers[who.name], **FORM})
        return followed(world, who, answer, place)

    return ask
