"""A map lands: what was kept whole moves into its table, same ids and versions. Tried with a toy map of flags."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, ClassVar
from uuid import UUID

import pytest

from app.access.versions import about
from app.api.resources import REGISTRY
from app.exchange.remap import remap
from app.features.transmissions.models import EntryKind, Transmission
from app.fhir.mapping import Arrived, Inbound, Json, RecordView, ResourceMap
from app.fhir.registry import Registry
from app.kernel.clock import now
from app.kernel.db import Database
from app.kernel.errors import Invalid
from tests.exchange.bundles import bundle, entry, patient, resource
from tests.exchange.sending import fresh, read_back, said, taken
from tests.world import World

WHO, WHEN = UUID("01980000-0000-7000-8000-000000000001"), datetime(2026, 5, 2, 10, tzinfo=UTC)


class FlagFhir(RecordView, frozen=True):
    TABLE: ClassVar = Transmission

    text: str


def to_fhir(flag: FlagFhir) -> Json:
    return {"resourceType": "Flag", "id": flag.id, "status": "active", "code": {"text": flag.text}}


def from_fhir(resource: Json, inbound: Inbound) -> Arrived:
    if "text" not in resource["code"]:
        raise Invalid("Ce drapeau ne dit rien.", where=inbound.where)
    text = resource["code"]["text"]
    row = Transmission(thread_id=inbound.id, kind=EntryKind.NARRATIVE.value, text=text, occurred_at=now())
    return Arrived(row)


FLAG = ResourceMap(profile="urn:toy:flag", type_name="Flag", view=FlagFhir, to_fhir=to_fhir, from_fhir=from_fhir)
SPOKEN = Registry([*REGISTRY.maps, FLAG], kept=REGISTRY.kept)


def flag(local: str, text: str = "Tombe souvent", **code: Any) -> Json:
    number = [{"system": "https://chu.test/flags", "value": local}]
    told = {"identifier": number, "status": "active", "code": code or {"text": text}}
    period = {"start": "2026-05-01"}  # what the toy map does not model
    return resource("Flag", "f", subject={"reference": "Patient/p"}, period=period, **told)


def moved(world: World, registry: Registry = SPOKEN) -> tuple[int, int]:
    async def run() -> tuple[int, int]:
        owner = Database(world.database.owner_url, 1)
        try:
            return await remap(owner, world.keyring, registry)
        finally:
            await owner.close()

    return asyncio.run(run())


@pytest.fixture
def sent_twice(world: World) -> tuple[Any, Json]:
    """A flag in two versions, and how the sender reads it back."""
    local = fresh()
    taken(world, bundle(entry(flag(local)), entry(patient(local))))
    [(_, id, version), _] = taken(world, bundle(entry(flag(local, "Tombe moins")), entry(patient(local))))
    assert version == 2
    return id, read_back(world, "Flag", id)


def test_the_row_has_its_id_and_its_version_in_the_new_table(world: World, sent_twice: tuple[Any, Json]):
    id, _ = sent_twice
    assert moved(world)[0] >= 1
    [row] = world.rows("SELECT version, origin_version, text, origin_partner_id FROM transmission WHERE id = $1", id)
    assert tuple(row) == (2, 2, "Tombe moins", world.ids["chu"])
    assert world.rows("SELECT * FROM kept_resource WHERE id = $1", id) == []


def test_every_version_is_the_map_s_and_opens_anew(world: World, sent_twice: tuple[Any, Json]):
    id, _ = sent_twice
    moved(world)
    kept = world.rows("SELECT version, kind, category FROM entry_version WHERE entry_id = $1 ORDER BY version", id)
    assert [tuple(row) for row in kept] == [(1, "transmission", "support"), (2, "transmission", "support")]
    snapshots = world.rows(
        "SELECT v.*, k.wrapped FROM entry_version v JOIN usager_key k USING (organisation_id, usager_id) WHERE entry_id = $1 ORDER BY version",
        id,
    )
    assert [json.loads(opened(world, row))["text"] for row in snapshots] == ["Tombe souvent", "Tombe moins"]


def test_what_the_map_leaves_is_still_beside_the_row(world: World, sent_twice: tuple[Any, Json]):
    id, before = sent_twice
    moved(world)
    [row] = world.rows(
        "SELECT t.*, k.wrapped AS wrapped_key FROM transmission t JOIN usager_key k USING (organisation_id, usager_id) "
        "WHERE t.id = $1",
        id,
    )
    view = FlagFhir(**{name: plain(row[name]) for name in FlagFhir.__struct_fields__})
    assert said(FLAG.out(view, world.keyring)) == said(before)


def opened(world: World, row: Any) -> bytes:
    key = world.keyring.usager_key(row["wrapped"], str(row["usager_id"]))
    return key.open(row["snapshot"], about(row["kind"], row["entry_id"], row["version"]))


def plain(value: Any) -> Any:
    return str(value) if hasattr(value, "hex") and not isinstance(value, bytes | float) else value


def decided(world: World, id: Any, **said: Any) -> None:
    """As if the team had said this of the row, as of its last version."""
    [row] = world.rows(
        "SELECT v.*, k.wrapped FROM entry_version v JOIN usager_key k USING (organisation_id, usager_id) "
        "WHERE entry_id = $1 ORDER BY version DESC LIMIT 1",
        id,
    )
    snapshot = json.dumps({**json.loads(opened(world, row)), **said}).encode()
    key = world.keyring.usager_key(row["wrapped"], str(row["usager_id"]))
    sealed = key.seal(snapshot, about(row["kind"], row["entry_id"], row["version"]))
    world.rows(
        "UPDATE entry_version SET snapshot = $3 WHERE entry_id = $1 AND version = $2", id, row["version"], sealed
    )


@pytest.mark.parametrize(
    ("name", "said", "kept"),
    [
        ("visibility", "withheld", "withheld"),
        ("visibility", "shared", "shared"),
        ("withheld_reason", "pour un tiers", "pour un tiers"),
        ("reserved_to", [str(WHO)], [WHO]),
        ("consigne", True, True),
        ("minor_secret", True, True),
        ("held", True, True),
        ("on_behalf_of", str(WHO), WHO),
        ("author_id", str(WHO), WHO),
        ("deleted_at", WHEN.isoformat(), WHEN),
    ],
)
def test_what_was_decided_of_the_row_stays(world: World, sent_twice: tuple[Any, Json], name: str, said: Any, kept: Any):
    id, _ = sent_twice
    decided(world, id, **{name: said})
    moved(world)
    [row] = world.rows("SELECT * FROM transmission WHERE id = $1", id)
    assert row[name] == kept


def test_the_names_follow(world: World, sent_twice: tuple[Any, Json]):
    id, _ = sent_twice
    moved(world)
    names = world.rows("SELECT kind FROM external_id WHERE row_id = $1", id)
    rows = world.rows("SELECT kind FROM exchange_row WHERE row_id = $1", id)
    assert {row["kind"] for row in (*names, *rows)} == {"transmission"}


def test_leaves_a_trace(world: World, sent_twice: tuple[Any, Json]):
    id, _ = sent_twice
    moved(world)
    [line] = [line for line in world.traces(action="move") if id in line["entry_ids"]]
    assert (line["principal_kind"], line["door"], line["kind"]) == ("system", "system", "kept_resource")


def test_what_the_map_cannot_hold_stays_where_it_is(world: World):
    local = fresh()
    mute = flag(local, coding=[{"code": "x"}])
    [(_, id, _), _] = taken(world, bundle(entry(mute), entry(patient(local))))
    moved(world)
    assert len(world.rows("SELECT * FROM kept_resource WHERE id = $1", id)) == 1
    assert said(read_back(world, "Flag", id)) == said(mute)


def test_who_was_erased_stays_sealed(world: World, sent_twice: tuple[Any, Json]):
    id, _ = sent_twice
    [row] = world.rows("SELECT usager_id FROM kept_resource WHERE id = $1", id)
    world.rows("DELETE FROM usager_key WHERE usager_id = $1", row["usager_id"])
    moved(world)
    assert len(world.rows("SELECT * FROM kept_resource WHERE id = $1", id)) == 1


def test_without_a_new_map_nothing_moves(world: World, sent_twice: tuple[Any, Json]):
    id, before = sent_twice
    assert moved(world, REGISTRY)[0] == 0
    assert said(read_back(world, "Flag", id)) == said(before)
