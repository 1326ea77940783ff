"""Rows written over rows: what the gate of the exchange refuses, whoever holds it."""

from typing import Any
from uuid import UUID

import pytest

from app.access.arrivals import Arrivals
from app.access.policy import decides, overtaken
from app.access.refusal import MayNot, OutOfReach
from app.exchange.models import KeptResource
from app.kernel.ids import uuid7
from app.security.principal import Caller, Role, Shape
from tests.access.holding import holding
from tests.exchange.bundles import bundle, entry, goal, patient
from tests.exchange.sending import fresh, sent, taken
from tests.world import World

FLAG = {
    "resourceType": "Flag",
    "id": "f",
    "status": "active",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p"},
}


def nobody(gate: Arrivals) -> UUID:
    """Someone who has no row, though the gate holds a key for them."""
    person = uuid7()
    gate.knows(person, gate.keyring.new_usager_key(str(person))[1])
    return person


@pytest.fixture
def kept(world: World) -> UUID:
    return taken(world, bundle(entry(FLAG), entry(patient(fresh()))))[0][1]


class TestRewrite:
    def test_nothing_is_nothing(self, world: World):
        assert holding(world, "odile", lambda gate: gate.rewrite([]), Arrivals) is None

    def test_to_a_structure_where_i_am_not_is_refused(self, world: World, kept: UUID):
        world.rows("INSERT INTO structure SELECT (s).* FROM (SELECT jsonb_populate_record(t, jsonb_build_object("
                   "'id', gen_random_uuid(), 'finess', null)) s FROM structure t WHERE id = $1) x", world.ids["ime"])  # fmt: skip
        [(elsewhere,)] = world.rows(
            "SELECT id FROM structure WHERE name = 'IME' AND id <> $1 LIMIT 1", world.ids["ime"]
        )

        async def moved(gate: Arrivals) -> None:
            [row] = await gate.arrived(KeptResource, [kept])
            row.structure_id = elsewhere
            await gate.rewrite([row])

        with pytest.raises(MayNot):
            holding(world, "odile", moved, Arrivals)

    def test_to_a_person_who_is_not_here_is_refused(self, world: World, kept: UUID):
        async def given(gate: Arrivals) -> None:
            [row] = await gate.arrived(KeptResource, [kept])
            row.usager_id = nobody(gate)
            await gate.rewrite([row])

        with pytest.raises(OutOfReach):
            holding(world, "odile", given, Arrivals)

    def test_only_of_what_arrived_in_my_structures(self, world: World, kept: UUID):
        assert holding(world, "yann", lambda gate: gate.arrived(KeptResource, [kept]), Arrivals) == []


class TestSendAgain:
    def again(self, world: World, **values: Any) -> UUID:
        id = taken(world, bundle(entry(FLAG), entry(patient(fresh()))))[0][1]
        [row] = world.rows("SELECT usager_id, structure_id FROM kept_resource WHERE id = $1", id)

        async def send(gate: Arrivals) -> None:
            await gate.key_of(row["usager_id"])
            common = {"usager_id": row["usager_id"], "structure_id": row["structure_id"], "type_name": "Flag"}
            its = KeptResource(id=id, origin_partner_id=gate.principal.id, origin_version=1, **(common | values))
            gate.send_again(its)
            await gate.settle()

        holding(world, "mdph" if values.pop("by_another", None) else "chu", send, Arrivals)
        return id

    def test_is_a_new_version(self, world: World):
        id = self.again(world, type_name="List")
        [row] = world.rows("SELECT version, origin_version, type_name FROM kept_resource WHERE id = $1", id)
        assert tuple(row) == (2, 2, "List")

    @pytest.mark.threat("partner-overwrites-another-s")
    def test_of_another_partner_s_row_is_refused(self, world: World):
        with pytest.raises(OutOfReach):
            self.again(world, by_another=True)

    def test_of_what_a_constraint_refuses_is_told(self, world: World):
        async def send(gate: Arrivals) -> None:
            row = KeptResource(
                usager_id=nobody(gate), structure_id=world.ids["ime"], type_name="Flag", origin_version=1
            )
            row.origin_partner_id = gate.principal.id
            gate.send_again(row)
            await gate.settle()

        with pytest.raises(OutOfReach):
            holding(world, "chu", send, Arrivals)

    def test_to_another_structure_waits_beside(self, world: World, kept: UUID):
        local = fresh()
        body = bundle(entry(patient(local)), entry({**FLAG, "identifier": goal(1, local)["identifier"]}))
        told = taken(world, body)
        world.rows("UPDATE kept_resource SET structure_id = $1 WHERE id = $2", world.ids["ehpad"], told[1][1])
        answer = sent(world, bundle(*reversed(body["entry"])))
        assert answer.json()["entry"][0]["response"]["etag"] == 'W/"2"'
        [row] = world.rows("SELECT version FROM kept_resource WHERE id = $1", told[1][1])
        assert row["version"] == 3


def test_none_but_a_partner_sends_again_and_none_but_staff_decides():
    staff, partner = Shape(Caller.PROFESSIONAL, Role.SECRETARIAT), Shape(Caller.PARTNER)
    assert "false" in str(overtaken(staff, KeptResource).compile())
    assert "false" in str(decides(partner, KeptResource).compile())


@pytest.mark.threat("token-revoked-replayed")
def test_a_revoked_session_sends_nothing(world: World):
    alive = "UPDATE session SET revoked_at = $1 WHERE id = $2"
    local = fresh()
    taken(world, bundle(entry(patient(local))))
    world.rows("UPDATE session SET revoked_at = now() WHERE id = $1", world.ids["chu_session"])
    answer = sent(world, bundle(entry({**patient(local), "active": True})))
    world.rows(alive, None, world.ids["chu_session"])
    assert answer.status_code == 401
