"""Rows that came before a version searched them so: `dui exchange remap` reads what was kept beside them."""

import asyncio
from collections.abc import Awaitable, Callable

from app.api.resources import REGISTRY
from app.exchange import reread
from app.kernel.db import Database
from tests.exchange.sending import sent
from tests.fhir.test_in_part import sent as told_in_part
from tests.fhir.test_parameters import found
from tests.fhir.test_parameters_truth import with_parties
from tests.world import World


def ran(world: World, read: Callable[[Database], Awaitable[int]]) -> int:
    async def run() -> int:
        owner = Database(world.database.owner_url, 1)
        try:
            return await read(owner)
        finally:
            await owner.close()

    return asyncio.run(run())


def test_who_stands_in_bundles_is_found_again(world: World):
    assert sent(world, with_parties()).status_code == 200
    world.rows(
        "UPDATE outside_party SET name = NULL, family = NULL, given = NULL, codes = NULL, practitioner_id = NULL"
    )
    assert not found(world, "chu", "Practitioner?name=loewe")
    assert ran(world, lambda owner: reread.parties(owner, world.keyring)) >= 3
    assert found(world, "chu", "Practitioner?name=loewe")
    assert found(world, "chu", "PractitionerRole?practitioner.name=loewe&role=doctor")
    assert not found(world, "mdph", "Practitioner?name=loewe")
    assert ran(world, lambda owner: reread.parties(owner, world.keyring)) == 0


def test_dates_told_in_part_are_found_again(world: World):
    ids = [
        (kind, told_in_part(world, case, "1991")) for case, kind in (("mobility", "Observation"), ("birth", "Patient"))
    ]
    for table in ("mobility", "usager"):
        world.rows(f"UPDATE {table} SET told_in_part = NULL")
    asked = [f"{kind}?_id={id}&{'birthdate' if kind == 'Patient' else 'date'}=1991" for kind, id in ids]
    assert not any(found(world, "chu", each) for each in asked)
    assert ran(world, lambda owner: reread.dates(owner, world.keyring, REGISTRY)) >= 2
    assert all(found(world, "chu", each) for each in asked)
