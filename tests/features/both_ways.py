"""A profile tried whole at the doors: what arrives, what stays beside the row, what leaves, and how much of it is filled."""

from typing import Any
from uuid import UUID

import orjson
from fhir.resources.R4B import get_fhir_model_class

from app.access.entry import DossierEntry
from app.fhir.mapping import about_extra
from tests.exchange.bundles import bundle, entry, patient
from tests.exchange.sending import fresh, read_back, said, taken
from tests.fhir import official
from tests.fhir.kept import kept_names
from tests.world import World

Json = dict[str, Any]
FINESS = "690012349"


def numbered(world: World, place: str = "ehpad") -> None:
    """The house has its FINESS, so what it writes has a number of TDDUI's form."""
    world.rows("UPDATE structure SET finess = $1 WHERE id = $2", FINESS, world.ids[place])


def arrived(world: World, *resources: Json) -> list[UUID]:
    """Their ids here, after that of the person they are about: `Patient/p`, unknown before."""
    return [id for _, id, _ in taken(world, bundle(entry(patient(fresh())), *map(entry, resources)))]


def beside(world: World, table: type[DossierEntry], id: UUID) -> list[str]:
    """The elements that live beside the row alone."""
    name = table.__tablename__
    [row] = world.rows(
        f"SELECT t.usager_id, t.extra, k.wrapped FROM {name} t JOIN usager_key k USING (organisation_id, usager_id) "
        "WHERE t.id = $1",
        id,
    )
    if row["extra"] is None:
        return []
    key = world.keyring.usager_key(row["wrapped"], str(row["usager_id"]))
    return kept_names(orjson.loads(key.open(row["extra"], about_extra(table, id))))


def left(world: World, who: str, type_name: str, id: object) -> Json:
    """The resource as it leaves, valid."""
    answer = world.get(who, f"/fhir/{type_name}/{id}")
    assert answer.status_code == 200, answer.text
    get_fhir_model_class(type_name).model_validate(answer.json())
    told: Json = answer.json()
    return told


def there_and_back(world: World, resource: Json, *others: Json) -> Json:
    """What a partner reads back of a resource of ours that it sends us, whoever it is about there."""
    again = orjson.loads(orjson.dumps(resource).replace(resource["subject"]["reference"].encode(), b"Patient/p"))
    *_, id = arrived(world, *others, again)
    told: Json = said(read_back(world, resource["resourceType"], id))
    return told


def unfilled(profile: str, example: Json) -> list[str]:
    """The elements that a profile of TDDUI speaks of and this resource does not hold."""
    definition = orjson.loads(official.text(f"tddui/definitions/StructureDefinition-{profile}.json"))
    spoken = {e["path"] for e in definition["differential"]["element"] if e.get("max") != "0"}
    return sorted(path for path in spoken if not _holds(example, path.split(".")[1:]))


def _holds(thing: Any, path: list[str]) -> bool:
    if not path:
        return True
    if isinstance(thing, list):
        return any(_holds(item, path) for item in thing)
    if not isinstance(thing, dict):
        return False
    name, *rest = path
    of = name.removesuffix("[x]")
    names = [key for key in thing if key in (of, f"_{of}") or (of != name and key.startswith(of))]
    return any(_holds(thing[key], rest) for key in names)
