"""Each cell of the organisation's directory and of what is exchanged, asked of the gate: every caller, kind, action."""

import itertools
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import pytest

from app.access.permissions import Action
from app.kernel.ids import uuid7
from app.security.principal import Role
from tests.access.cells import CELLS, HOUSE
from tests.access.expected import KINDS, each
from tests.access.holding import Asked, holding, tables
from tests.dossier import THEN, Values, insert
from tests.world import World

WHO = "clerk"
NEAR, FAR = "near", "far"  # in the structure, by the hand, on the duty of who asks; or not
DIRECTORY = tuple(each("directory exchange outside_party", KINDS))
WITHOUT_ROW = {"partner"}  # registered by a command, read through the rows that name one: the gate holds no table of it


@dataclass(frozen=True)
class House:
    world: World
    rows: dict[tuple[str, str], UUID]


def said(world: World, kind: str, where: str) -> Values:
    """A row of this kind, near or far."""
    mine = where == NEAR
    place = world.ids[HOUSE if mine else "ime"]
    who, partner = world.ids[WHO if mine else "marc"], world.ids["chu" if mine else "mdph"]
    row: Values = {"organisation_id": world.organisation, "id": uuid7(), "version": 1}
    row |= {"recorded_at": THEN, "updated_at": THEN}
    until = "2026-01-05T19:00:00Z" if mine else None
    told: dict[str, Values] = {
        "structure": {"name": "?", "model": "ime"},
        "setting": {"scope": "organisation", "key": f"k{row['id']}", "value": "1", "since": THEN},
        "unit": {"structure_id": place, "name": "?", "kind": "unit"},
        "professional": {"family_name": "?", "given_name": "?"},
        "membership": {"professional_id": who, "role": "dpo", "starts": "2020-01-01"},
        "unit_team": {
            "professional_id": who, "unit_id": world.ids[f"unit_{HOUSE if mine else 'ime'}"], "kind": "on_duty" if mine else "rule",
            "starts_at": THEN, "ends_at": until,
        },
        "narrowing": {"structure_id": place, "role": "benevole", "category": "judicial", "of_kind": f"k{row['id']}", "to": "none"},
        "on_call": {"professional_id": who, "structure_ids": [place], "starts_at": THEN, "ends_at": "2026-01-05T19:00:00Z"},
        "resource": {"structure_id": place, "name": f"r{row['id']}", "kind": "room"},
        "exchange": {
            "partner_id": partner, "structure_id": place, "direction": "in", "state": "received", "outcome": "success",
            "entries": 1, "warnings": 0, "request_id": "r",
        },
        "outside_party": {"origin_partner_id": partner, "type_name": "Location", "body": b"?"},
    }  # fmt: skip
    return {**row, **told[kind]}


@pytest.fixture(scope="module")
def house(world: World) -> House:
    world.hire(WHO, Role.DPO, HOUSE)
    for role in Role:
        world.appoint(f"{WHO}_{role.value}", WHO, role, HOUSE)
    rows = {}
    for kind, where in itertools.product(DIRECTORY, (NEAR, FAR)):
        if kind not in WITHOUT_ROW:
            row = said(world, kind, where)
            insert(world, kind, [row])
            rows[kind, where] = row["id"]
    return House(world, rows)


def within(who: str, kind: str, action: str, where: str) -> bool:
    """Whether `expected.csv` lets them; nothing is changed that is not read."""
    reach, read = (CELLS.get((who, kind, "administrative", each)) for each in (action, "read"))
    near = where == NEAR
    opened = {
        "organisation": True,
        "structure": near,
        "on_duty": near,
        "sent": near,
        "named": near and who == "partner",
    }
    may_read = action == "create" or opened.get(read or "", False)
    return opened.get(reach or "", False) and may_read


async def let(gate: Asked, house: House, kind: str, action: Action) -> set[str]:
    table = tables()[kind]
    if action is not Action.CREATE:
        known = {house.rows[kind, where]: where for where in (NEAR, FAR)}
        return {known[id] for id in await gate.may(action, table, list(known))}
    new = {where: said(house.world, kind, where) for where in (NEAR, FAR)}
    rows = [{k: f"\\x{v.hex()}" if isinstance(v, bytes) else v for k, v in row.items()} for row in new.values()]
    added = await gate.might_add(table, rows)
    return {where for where, row in new.items() if row["id"] in added}


@pytest.mark.threat("object-matrix-write")
@pytest.mark.threat("object-matrix-read")
@pytest.mark.parametrize("who", [*Role, "partner"])
def test_who_does_what(house: House, who: str) -> None:
    async def act(gate: Any) -> list[str]:
        told = []
        for kind, action in itertools.product(DIRECTORY, Action):
            if kind not in WITHOUT_ROW:
                expected = {where for where in (NEAR, FAR) if within(str(who), kind, action, where)}
                told += [f"{who} {action} {kind} {w}" for w in expected ^ await let(gate, house, kind, action)]
        return told

    bearer = "chu" if who == "partner" else f"{WHO}_{Role(who).value}"
    assert cast(list[str], holding(house.world, bearer, act, Asked)) == []


def test_every_kind_with_a_table_is_asked() -> None:
    assert set(DIRECTORY) - WITHOUT_ROW <= set(tables())
    assert WITHOUT_ROW.isdisjoint(tables())
