"""What the tests of the exchange do at the door."""

import re
from typing import Any
from uuid import UUID, uuid4

import orjson

from app.access.permissions import Kind
from app.fhir.mapping import Json
from app.kernel.db import Base
from tests.world import World

FHIR = "application/fhir+json"
OURS = ("versionId", "lastUpdated", "source", "tag")
OUR_ID = re.compile(r"[A-Z][A-Za-z]+/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def sent(world: World, body: Json | bytes, who: str = "chu", path: str = "/fhir", **headers: str) -> Any:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    told = {**world.bearers[who], "Content-Type": FHIR, **{k.replace("_", "-"): v for k, v in headers.items()}}
    return world.client.post(path, content=content, headers=told)


def taken(world: World, body: Json, **more: Any) -> list[tuple[str, UUID, int]]:
    """Type, id and version of each entry."""
    answer = sent(world, body, **more)
    assert answer.status_code == 200, answer.text
    places = [each["response"]["location"].split("/") for each in answer.json()["entry"]]
    return [(kind, UUID(id), int(version)) for kind, id, _, version in places]


def read_back(world: World, kind: str, id: UUID, who: str = "chu") -> Json:
    answer = world.get(who, f"/fhir/{kind}/{id}")
    assert answer.status_code == 200, (kind, answer.text)
    resource: Json = answer.json()
    return resource


def said(thing: Any) -> Any:
    """Without what this server says of its own: ids, versions, where references lead here."""
    if isinstance(thing, list):
        return [said(each) for each in thing]
    if not isinstance(thing, dict):
        return thing
    mine = {name: said(value) for name, value in thing.items()}
    if "resourceType" in mine:
        mine.pop("id", None)
    if isinstance(mine.get("meta"), dict):
        mine["meta"] = {name: value for name, value in mine["meta"].items() if name not in OURS}
        mine = mine if mine["meta"] else {name: value for name, value in mine.items() if name != "meta"}
    if isinstance(mine.get("reference"), str) and re.match(r"(https?://.*/)?[A-Z]\w+/|urn:uuid:", mine["reference"]):
        mine["reference"] = "…"
    return mine


def fresh() -> str:
    """A local number that no test used."""
    return uuid4().hex[:12]


def row_of(world: World, id: UUID) -> Any:
    """The row of an entry, in whatever table its map keeps it."""
    kind = world.rows("SELECT kind FROM exchange_row WHERE row_id = $1 AND NOT part LIMIT 1", id)[0]["kind"]
    [row] = world.rows(f"SELECT * FROM {_table(kind)} WHERE id = $1", id)
    return row


def written_by_the_team(world: World, id: UUID) -> None:
    """As if someone of the team had corrected it: a version that its sender did not write."""
    kind = world.rows("SELECT kind FROM exchange_row WHERE row_id = $1 AND NOT part LIMIT 1", id)[0]["kind"]
    world.rows(f"UPDATE {_table(kind)} SET version = version + 1 WHERE id = $1", id)


def _table(kind: str) -> str:
    tables = {m.class_.KIND: m.class_.__tablename__ for m in Base.registry.mappers if hasattr(m.class_, "KIND")}
    return tables[Kind(kind)]
