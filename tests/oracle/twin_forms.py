"""Every form of FHIR search, and every condition that is one, about rows that may not be read: asked before and after they
are written.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from random import Random
from typing import Any
from uuid import UUID

import orjson

from tests.dossier import LOCAL
from tests.oracle.asked import BODIES, SHOWN, SORTS
from tests.oracle.joined import ALWAYS, NEVER
from tests.oracle.links import LINKS, Link
from tests.oracle.paths import FHIR
from tests.oracle.truth import Who
from tests.oracle.twins import Hidden, Request
from tests.oracle.worlds import Drawn

FORM, BUNDLE, PATCH = "application/x-www-form-urlencoded", "application/fhir+json", "application/json-patch+json"
NOWHERE = UUID(int=7)
EACH = 3


def forms(world: Drawn, who: Who, hidden: list[Hidden], each: int = EACH) -> list[Request]:
    """Of each form, `each` of the types and links it may be asked of."""
    draw = Random(f"{who.kind} {world.seed}")
    known = dict[str, list[Request]]()
    for form, request in _known(draw, world, who, hidden):
        known.setdefault(form, []).append(request)
    return [one for those in known.values() for one in draw.sample(those, min(each, len(those)))]


def all_forms(world: Drawn, who: Who, hidden: list[Hidden]) -> list[Request]:
    return forms(world, who, hidden, each=len(LINKS))


def _known(draw: Random, world: Drawn, who: Who, hidden: list[Hidden]) -> Iterator[tuple[str, Request]]:
    """A hidden row of each type, its person, and all that may be asked of them: the form, and the request."""

    def read(form: str, places: Iterable[str]) -> Iterator[tuple[str, Request]]:
        return ((f"{form} {n}", Request("GET", who.name, place)) for n, place in enumerate(places))

    first = {name: row for row in reversed(hidden) for name, kinds in FHIR.items() if row[0] in kinds}
    for name, (_, id, usager) in first.items():
        yield from read("type", _of_type(draw, name, id))
        yield from read("person", _of_person(draw, usager, name))
        mine = next((row["id"] for kind in FHIR[name] for row in world.truths[who.name].open(kind)), NOWHERE)
        bundles = _in_bundles(who, name, id, usager, mine)
        written = (*_as_had(who, name, id), *bundles, *_by_form(who, name, usager))
        yield from ((f"written {n}", request) for n, request in enumerate(written))
        if not who.staff:
            yield from read("export", _exported(usager, name))
        if who.kind == "direction":
            yield from read("explain", [f"/fhir/{name}?_explain=true&_count=2"])
    for link in LINKS:
        yield from read("through", _through(link))
    yield from read("name", _by_name(hidden))


def _exported(usager: UUID, name: str) -> Iterator[str]:
    for how in ("", "?manifest=true", f"?_type={name},Goal", "?start=2026-01-01&end=2026-12-31"):
        yield f"/fhir/Patient/{usager}/$tddui-export{how}"


def _of_type(draw: Random, name: str, id: UUID) -> Iterator[str]:
    place = f"/fhir/{name}"
    rising, falling = draw.sample(sorted(SORTS[name]), 2)
    yield f"{place}?_sort={rising}&_count=2"
    yield f"{place}?_sort=-{falling}&_count=2"
    yield f"{place}?{draw.choice(SHOWN)}&_count=2"
    yield f"{place}?{draw.choice(('_total=accurate', '_total=estimate'))}&_count=1"
    yield f"{place}?_summary=count"
    yield f"{place}?_id:not={id}&_count=0"
    yield f"{place}?_id={id}"
    yield f"{place}?_id:missing=true"
    yield f"{place}?_lastUpdated=gt2000&_count=0"
    yield f"{place}/_history?_since=2000&_count=2"
    yield f"{place}/_history?_at=2026&_count=2"
    for span in ("", "?_since=2900", "?_at=2001", "?_since=2000&_count=1"):
        yield f"{place}/{id}/_history{span}"


def _of_person(draw: Random, usager: UUID, name: str) -> Iterator[str]:
    place, other = f"/fhir/Patient/{usager}", draw.choice([one for one in FHIR if one != name])
    yield f"{place}/{name}?_count=2"
    yield f"{place}/{name}?_count=0"
    yield f"{place}/*?_type={name},{other}&_sort=-_lastUpdated&_count=3"
    yield f"/fhir?_type={name},{other}&_count=3"
    yield f"/fhir?_type={name},{other}&_total=accurate&_count=1"
    yield f"{place}/$everything?_type={name}&_count=3"
    yield f"{place}/*?_count=0"
    yield f"{place}/$everything?_since=2000&_count=3"
    yield "/fhir/_history?_count=3"


def _through(link: Link) -> Iterator[str]:
    """What a row leads to and what it has not, either way."""
    here, there = f"/fhir/{link.type_name}", f"/fhir/{link.target}"
    yield f"{here}?{link.parameter}.{ALWAYS}&_count=0"
    yield f"{here}?{link.parameter}.{NEVER}&_count=3"
    yield f"{here}?{link.parameter}._id:missing=false&_total=accurate&_count=1"
    yield f"{here}?{link.parameter}:missing=true&_count=0"
    yield f"{here}?_include={link}&_count=3"
    yield f"{there}?_revinclude={link}&_count=3"
    yield f"{there}?_has:{link.type_name}:{link.parameter}:{ALWAYS}&_count=0"
    yield f"{there}?_has:{link.type_name}:{link.parameter}:{NEVER}&_count=3"


def _by_name(hidden: Iterable[Hidden]) -> Iterator[str]:
    """A number out of reach finds nobody, and is missing."""
    for _, id, usager in [row for row in hidden if row[0] == "usager_identifier"][:1]:
        number = f"{LOCAL}/{id.hex}|{id.hex}"
        yield f"/fhir/Patient?identifier={number}"
        yield f"/fhir/Task?patient.identifier={number}"
        yield f"/fhir/Task?patient:identifier={LOCAL}|{usager.hex}"
        yield "/fhir/Patient?identifier:missing=true&_count=0"
        yield f"/fhir/Patient?identifier:not={number}&_count=0"


def _by_form(who: Who, name: str, usager: UUID) -> Iterator[Request]:
    types = ",".join({name, "Task"})
    for place, said in (
        (f"/fhir/{name}/_search", "_count=2"),
        ("/fhir/_search", f"_type={types}&_count=2"),
        (f"/fhir/Patient/{usager}/_search", f"_type={types}&_count=2"),
        (f"/fhir/Patient/{usager}/{name}/_search", "_total=accurate&_count=1"),
    ):
        yield Request("POST", who.name, place, body=said, headers=(("Content-Type", FORM),))


# Conditions


def _as_had(who: Who, name: str, id: UUID) -> Iterator[Request]:
    for header, said in (("If-None-Match", "*"), ("If-Modified-Since", "Tue, 01 Jan 2030 00:00:00 GMT")):
        yield Request("GET", who.name, f"/fhir/{name}/{id}", headers=((header, said),))
    tests = orjson.dumps([{"op": "test", "path": "/resourceType", "value": name}]).decode()
    for place in (f"/fhir/{name}/{id}", f"/fhir/{name}?_id={id}"):
        yield Request("PATCH", who.name, place, body=tests, headers=(("Content-Type", PATCH),))
    nothing = f'{{"resourceType":"{name}"}}'
    if not who.staff and not who.usager:  # a partner's creation is tried in a bundle that leaves nothing
        return
    yield Request(
        "POST",
        who.name,
        f"/fhir/{name}",
        body=nothing,
        headers=(("If-None-Exist", f"_id={id}"), ("Content-Type", BUNDLE)),
    )


def _in_bundles(who: Who, name: str, id: UUID, usager: UUID, mine: UUID) -> Iterator[Request]:
    """Read in passing; and, by a partner, each act under a condition, tried for nothing: of the hidden row, and of it
    or one that they read."""
    urls = (
        f"{name}/{id}",
        f"{name}/{id}/_history",
        f"{name}/{id}/_history/1",
        f"{name}?_id={id}",
        f"{name}?_summary=count",
    )
    person = (f"Patient/{usager}/{name}?_count=2", f"Patient/{usager}/$everything?_type={name}")
    yield _bundle(who, "batch", [_entry("GET", url) for url in urls])
    yield _bundle(who, "batch", [_entry("GET", url) for url in person])
    if who.kind != "partner":
        return
    yield _bundle(who, "transaction", [_entry("GET", f"{name}/{id}")])
    yield _bundle(who, "transaction", [_entry("GET", f"{name}?_id={id}&_total=accurate")], "?dry-run=true")
    test = b64encode(orjson.dumps([{"op": "test", "path": "/id", "value": str(id)}])).decode()
    patch = {"resourceType": "Binary", "contentType": PATCH, "data": test}
    body = {"resourceType": name, **BODIES[name]}
    condition = f"_id={id},{NOWHERE}"
    for entry in (
        *(_entry("POST", "Flag", _flag(f"{name}?_id={those}")) for those in (id, f"{id},{mine}")),
        _entry("POST", name, body, ifNoneExist=condition),
        _entry("PUT", f"{name}?{condition}", body),
        _entry("PATCH", f"{name}?{condition}", patch),
        _entry("PATCH", f"{name}/{id}", patch),
        _entry("DELETE", f"{name}?{condition}"),
    ):
        yield _bundle(who, "transaction", [entry], "?dry-run=true")


def _flag(about: str) -> dict[str, Any]:
    """Of which nothing is asked but whom, or what, it is about."""
    return {
        "resourceType": "Flag",
        "status": "active",
        "code": {"text": "?"},
        "subject": {"reference": about},
    }


def _entry(method: str, url: str, resource: dict[str, Any] | None = None, **more: str) -> dict[str, Any]:
    return {**({"resource": resource} if resource else {}), "request": {"method": method, "url": url, **more}}


def _bundle(who: Who, kind: str, entries: list[dict[str, Any]], how: str = "") -> Request:
    said = orjson.dumps({"resourceType": "Bundle", "type": kind, "entry": entries}).decode()
    return Request("POST", who.name, f"/fhir{how}", body=said, headers=(("Content-Type", BUNDLE),))
