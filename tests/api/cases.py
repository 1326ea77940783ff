"""What schemathesis makes of our own OpenAPI document, and what a good caller knows that a document does not: ids that
exist, who comes through which door, the version last read. Everything follows from the seed: the same cases every time.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.core import NOT_SET
from schemathesis.generation import GenerationMode
from schemathesis.generation.case import Case

from app.api.openapi_shared import resolved
from tests.api.fhir_cases import Sender
from tests.world import USAGERS, World

CANARY = "147720425367430 chez CANARI"
STAFF = ("helene", "marc", "odile", "sonia", "dora", "adam", "leila")
PERSONS, PARTNERS = ("lucas", "ines", "jeanne", "karim"), ("chu", "chu", "marc", "lucas")
DOORS = {"/api/v1/me": PERSONS, "/fhir": PARTNERS, "": STAFF}
STRANGER = "stranger"
PARAMETER = re.compile(r"\{(\w+)\}")
NAMED = {"usager", "structure", "professional", "unit", "event", "consent", "access", "contact", "questionnaire"}
LATE = re.compile(r"(ends|until|_end|closes_on)")
EARLY = re.compile(r"(starts|_start|from|opens_on)")
LEAN, FULL, PLANTED, NEGATIVE = "lean", "full", "planted", "negative"
KINDS = (LEAN, LEAN, PLANTED, LEAN, FULL, NEGATIVE)  # in turn
Json = Any


@dataclass
class Known:
    """Ids that answers told: by the collection they stand in, by the name of a parameter."""

    world: World
    rooms: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    named: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        w = self.world
        self.named |= {
            "usager_id": [str(w.ids[name]) for name in USAGERS],
            "structure_id": [str(w.ids[told[3]]) for told in USAGERS.values()],
            "unit_id": [str(w.ids[f"unit_{told[3]}"]) for told in USAGERS.values()],
            "professional_id": [str(w.ids[name]) for name in ("sonia", "marc", "leila")],
            "membership_id": [str(w.ids[f"{name}_membership"]) for name in ("sonia", "marc")],
            "partner_id": [str(w.ids["chu"])],
        }

    def learn(self, path: str, template: str, body: Json) -> None:
        """What a good answer at this collection, or at one of its items, says is there."""
        items = body.get("items", [body]) if isinstance(body, dict) else body if isinstance(body, list) else []
        item = template.endswith("}")
        room = path.rsplit("/", 1)[0] if item else path.rstrip("/")
        last = PARAMETER.findall(template)[-1] if item else None
        for one in items:
            if isinstance(one, dict) and isinstance(id := one.get("id"), str):
                _keep(self.rooms[room], id)
                if last:
                    _keep(self.named[last], id)

    def forget(self, path: str) -> None:
        room, _, id = path.rpartition("/")
        if id in self.rooms[room]:
            self.rooms[room].remove(id)

    def path(self, template: str, generated: dict[str, Any], rng: Random) -> dict[str, str]:
        """A value for each parameter: an id seen where it stands, else one seen under this name, else what was made."""
        found: dict[str, str] = {}
        for name in PARAMETER.findall(template):
            before = template[: template.index(f"{{{name}}}")].rstrip("/")
            here = self.rooms.get(_filled(before, found), ())
            ids = self.named.get(name, []) if name == "usager_id" else here or self.named.get(name, ())
            found[name] = rng.choice(ids) if ids else str(generated.get(name, UUID(int=0)))
        return found

    def query(self, query: dict[str, Any], rng: Random) -> dict[str, Any]:
        fed = {n: v for n, v in query.items() if n not in ("after", "limit")}
        return fed | {n: rng.choice(ids) for n in fed if n in NAMED and (ids := self.named.get(f"{n}_id"))}

    def body(self, body: Json, rng: Random, about: str | None = None) -> Json:
        """The same body about someone who is here, at the place where they are, on days that can be."""
        place = (
            self.named["usager_id"].index(about) if about in self.named["usager_id"] else rng.randrange(len(USAGERS))
        )
        return self._fed(body, rng, place)

    def _fed(self, thing: Json, rng: Random, place: int) -> Json:
        if isinstance(thing, list):
            return [self._fed(each, rng, place) for each in thing]
        if not isinstance(thing, dict):
            return thing
        return {name: self._value(name, value, rng, place) for name, value in thing.items()}

    def _value(self, name: str, value: Json, rng: Random, place: int) -> Json:
        if name in ("usager_id", "structure_id", "unit_id"):
            return self.named[name][place]
        if name in ("usager_ids", "structure_ids"):
            return [self.named[name[:-1]][place]]
        if isinstance(value, str) and (name.endswith("_id") or re.fullmatch(r"[0-9a-f-]{36}", value)):
            ids = self.named.get(name, ())
            return rng.choice(ids) if ids else value
        if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d", value):
            return _day(name, value)
        return self._fed(value, rng, place)


@dataclass
class Asked:
    """One request to be made, and why."""

    kind: str
    who: str
    method: str
    path: str
    template: str
    headers: dict[str, str]
    query: list[tuple[str, str]]
    content: bytes | None


def drawn(operation: Any, mode: GenerationMode, count: int, number: int) -> list[Case]:
    """The same cases for the same number; none where the document leaves nothing to get wrong."""
    found: list[Case] = []

    @seed(number)
    @settings(
        max_examples=count, database=None, phases=[Phase.generate], deadline=None, suppress_health_check=[*HealthCheck]
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def keep(case: Case) -> None:
        found.append(case)

    try:
        keep()
    except Unsatisfiable:
        return []
    return found


class Caller:
    """Makes requests of cases, as whoever may go through that door, in turn."""

    def __init__(self, world: World, known: Known, sender: Sender, rng: Random) -> None:
        self.world, self.known, self.sender, self.rng = world, known, sender, rng
        self.turn: dict[str, int] = defaultdict(int)

    def who(self, template: str) -> str:
        door = next(them for prefix, them in DOORS.items() if template.startswith(prefix))
        return door[self.turn[template] % len(door)]

    def refused(self, template: str) -> None:
        """Next time, the next one."""
        self.turn[template] += 1

    def asked(self, case: Case, kind: str, who: str) -> Asked:
        template = case.path
        if template.startswith("/fhir"):
            return self._of_fhir(case, kind, who)
        raw = kind == NEGATIVE
        path = {n: str(v) for n, v in case.path_parameters.items()}
        path = path if raw and self.rng.random() < 0.5 else self.known.path(template, case.path_parameters, self.rng)
        query = case.query if raw else self.known.query(case.query, self.rng)
        query = {n: v for n, v in query.items() if kind != LEAN or _required(case, n)}
        body = case.body
        if not raw and body is not NOT_SET:
            body = self.known.body(_lean(case) if kind != FULL else body, self.rng, path.get("usager_id"))
        if kind == PLANTED:
            body, query = planted(body, self.rng), query | ({} if body is not NOT_SET else {"limit": CANARY})
        where = _filled(template, {n: quote(v, safe="") for n, v in path.items()})
        content, media = encoded(body, case.media_type)
        told = {"Content-Type": media} if media else {}
        if any(p["name"] == "If-Match" for p in _parameters(case)):
            told |= self._version(where if case.method != "POST" else where.rpartition("/")[0], who)
        return Asked(kind, who, case.method, where, template, told, pairs(query), content)

    def _of_fhir(self, case: Case, kind: str, who: str) -> Asked:
        raw = kind == NEGATIVE
        path, query, body, media = self.sender.asked(case, who, raw=raw)
        if kind == PLANTED:
            body, query = planted(body, self.rng), query if body is not NOT_SET else {**query, "_id": CANARY}
        content, media = encoded(body, media)
        told = {"Content-Type": media} if media else {}
        told |= {n: v for n, v in case.headers.items() if raw and _sendable(n, v)}
        where = _filled(case.path, {n: quote(v, safe="$") for n, v in path.items()})
        return Asked(kind, who, case.method, where, case.path, told, pairs(query), content)

    def _version(self, path: str, who: str) -> dict[str, str]:
        answer = self.world.client.get(path, headers=self.world.bearers.get(who, {}))
        return {"If-Match": answer.headers.get("etag", 'W/"1"')}


def planted(body: Json, rng: Random) -> Json:
    """The same, a received value in the place of one leaf."""
    if not isinstance(body, dict) or not body:
        return {CANARY: CANARY} if body is not NOT_SET else body
    name = rng.choice(sorted(body))
    return {**body, name: CANARY} if rng.random() < 0.8 else {**body, CANARY: 1}


def encoded(body: Json, media: str | None) -> tuple[bytes | None, str | None]:
    if body is NOT_SET:
        return None, None
    if isinstance(body, bytes):
        return body, media
    if media == "application/x-www-form-urlencoded":
        return urlencode(pairs(body) if isinstance(body, dict) else {"x": str(body)}).encode(), media
    if media and media.endswith("xml"):
        return str(body).encode("utf-8", "replace"), media
    return json.dumps(body, default=str).encode(), media


def pairs(query: dict[str, Any]) -> list[tuple[str, str]]:
    said = [(n, each) for n, value in query.items() for each in (value if isinstance(value, list) else [value])]
    return [(n, each if isinstance(each, str) else json.dumps(each, default=str)) for n, each in said]


def _lean(case: Case) -> Json:
    """What is required, and no more; when nothing is, one thing."""
    body, content = case.body, case.operation.definition.raw["requestBody"]["content"]
    schema = _resolved(content.get(case.media_type, {}).get("schema", {}), case.operation.schema.raw_schema)
    if not isinstance(body, dict) or "properties" not in schema:
        return body
    kept = {n: v for n, v in body.items() if n in schema.get("required", ())}
    return kept or dict([*body.items()][:1])


def _resolved(schema: Json, document: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    return document["components"]["schemas"][name] if name else schema


def _required(case: Case, name: str) -> bool:
    return any(p["name"] == name and p.get("required") for p in _parameters(case))


def _parameters(case: Case) -> list[Json]:
    document = case.operation.schema.raw_schema
    return [resolved(document, each) for each in case.operation.definition.raw.get("parameters", ())]


def _sendable(name: str, value: str) -> bool:
    """A header as it is, and not the one that says who asks."""
    return name.lower() not in ("authorization", "cookie") and value.isascii() and value.isprintable()


def _day(name: str, value: str) -> str:
    day = "2026-12-15" if LATE.search(name) else "2026-11-02" if EARLY.search(name) else "2026-11-10"
    return day if len(value) == 10 else f"{day}T{'18' if LATE.search(name) else '09'}:00:00+01:00"


def _keep(ids: list[str], id: str) -> None:
    if id not in ids:
        ids.append(id)


def _filled(template: str, values: dict[str, str]) -> str:
    return PARAMETER.sub(lambda found: values[found[1]], template)


def shares(total: int, of: int) -> Iterator[int]:
    """`total` over so many, as evenly as can be."""
    yield from (total * (n + 1) // of - total * n // of for n in range(of))
