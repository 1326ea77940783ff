"""Reading the trail through the gate: whom the policy opens it to, whatever a router asked before."""

from collections.abc import Sequence
from typing import Any

import pytest

from app.access import log
from app.access.log import Line
from app.access.reading import Reading
from app.audit.vocabulary import Call, Door
from app.kernel.errors import Unauthenticated
from app.kernel.ids import uuid7
from app.security.principal import Partner, Principal, Professional, Representative, Role, UsagerSelf
from tests.world import World


def common(world: World, who: str) -> dict[str, Any]:
    session = world.ids.get(f"{who}_session") or session_of(world, who)
    return {"id": world.ids[who], "organisation_id": world.organisation, "session_id": session, "expires": 0.0}


def session_of(world: World, who: str) -> Any:
    return world.rows("SELECT id FROM session WHERE subject_id = $1", world.ids[who])[0]["id"]


def staff(world: World, who: str, role: Role) -> Professional:
    membership = world.ids[f"{who}_membership"]
    return Professional(
        **common(world, who), account_id=world.ids[f"{who}_account"], membership_id=membership, role=role
    )


def lines(world: World, who: Principal, usager: str = "jeanne") -> Sequence[Line]:
    state = world.client.app.state  # type: ignore[attr-defined]
    reading = Reading(who, Call(Door.API, str(uuid7())), state.keyring, state.lane)

    async def look() -> Sequence[Line]:
        return await log.lines(reading, {"usager": world.ids[usager]}, 100)

    assert world.client.portal is not None
    told: Sequence[Line] = world.client.portal.call(look)
    return told


@pytest.fixture(scope="module", autouse=True)
def read_once(world: World) -> None:
    world.hire("dora", Role.DPO, "ehpad")
    for who in ("jeanne", "karim"):
        assert world.get("marc", f"/api/v1/usagers/{world.ids[who]}").status_code == 200


@pytest.mark.threat("trail-read-by-others")
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.DPO])
def test_no_other_role_reads_the_trail(world: World, role: Role) -> None:
    world.hire(f"new_{role.value}", role, "ehpad")
    assert lines(world, staff(world, f"new_{role.value}", role)) == []


def test_the_dpo_reads_it(world: World) -> None:
    assert lines(world, staff(world, "dora", Role.DPO))


@pytest.mark.threat("token-role-only-said")
def test_a_role_that_is_only_said_opens_nothing(world: World) -> None:
    assert lines(world, staff(world, "marc", Role.DPO)) == []


@pytest.mark.threat("trail-read-by-others")
def test_a_partner_reads_no_line(world: World) -> None:
    who = Partner(**common(world, "chu"), structure_id=world.ids["ime"], scopes=frozenset())
    assert lines(world, who) == []


def test_the_person_reads_lines_about_themselves_only(world: World) -> None:
    me = UsagerSelf(**common(world, "jeanne"))
    assert lines(world, me)
    assert lines(world, me, "karim") == []


@pytest.mark.threat("trail-read-of-another")
def test_a_representative_reads_no_line_of_the_team(world: World) -> None:
    who = Representative(**{**common(world, "jeanne"), "id": uuid7()}, usager_id=world.ids["jeanne"])
    assert lines(world, who) == []


def test_a_session_that_ended_reads_nothing(world: World) -> None:
    me = UsagerSelf(**{**common(world, "jeanne"), "session_id": uuid7()})
    with pytest.raises(Unauthenticated):
        lines(world, me)
