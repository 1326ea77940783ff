"""Each cell of who is not staff, asked of the gate: the person, who represents them, a partner system."""

import itertools
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast
from uuid import UUID

import pytest

from app.access.permissions import WITHOUT_ROLE, Action, Category, Kind, Reach
from app.kernel.ids import uuid7
from app.security.principal import Caller, Partner, Principal, Representative, UsagerSelf
from tests.access.cells import CELLS, DOSSIER, HOUSE
from tests.access.forgetting import forget
from tests.access.holding import Asked, held_by, tables
from tests.dossier import FIRST, Dossiers, Person, Values, row_of
from tests.world import SCOPES, World

SEED = 20261122
CALLERS = ("usager", "representative", "partner")
Row = tuple[str, "Trait"]  # of one kind: its category, and what it is to who asks


@dataclass(frozen=True, order=True)
class Trait:
    """`ours`: of the person who asks or is represented, or sent by the partner that asks. `open`: shown to them, or in
    the structure that receives. `own`: written by who asks, of those who are not a partner."""

    ours: bool
    open: bool
    own: bool = False


TRAITS = [
    *(Trait(*two) for two in itertools.product((False, True), repeat=2)),
    *(Trait(True, shown, True) for shown in (False, True)),
]


@dataclass
class House:
    world: World
    principals: dict[str, Principal]
    persons: dict[str, tuple[Person, Person]]  # of each caller: their own, and another
    rows: dict[tuple[str, str, str, Trait], UUID] = field(default_factory=dict)  # caller, kind, category

    def said(self, who: str, kind: str, row: Trait, n: int) -> tuple[Person, Values]:
        """Whose row it is, and what makes it so."""
        world = self.world
        mine, another = self.persons[who]
        years: Values = {"starts": f"{1900 + n}-01-01", "ends": f"{1900 + n}-02-01"}
        told = {"stay": years}.get(kind, {})
        if who == "partner":
            sender = world.ids["chu"] if row.ours else world.ids["mdph"]
            place = world.ids[HOUSE] if row.open else world.ids["ime"]
            return mine, {**told, "origin_partner_id": sender, "origin_version": 1, "structure_id": place}
        told |= {"origin_partner_id": world.ids["chu"]} if kind == "emergency_sheet" else {}
        about = mine if row.ours else another
        told |= {"usager_id": about.id} if kind == "usager" else {}
        told |= {"author_id": self.principals[who].id} if row.own else {}
        return about, {**told, "visibility": "shared" if row.open else "not_shared"}


@pytest.fixture(scope="module")
def house(world: World) -> House:
    made, persons = Dossiers(world), {}
    for who in CALLERS:
        persons[who] = two = (made.person(HOUSE), made.person(HOUSE))
        for one in two:
            for kind in FIRST[1:]:
                made.row(kind, one, id=getattr(one, kind))
    its = persons["representative"][0]
    every = [category.value for category in Category]
    made.row("mandate", its, opens=every, confirmed_at="2026-01-05T09:00:00Z")
    world.enter("person", persons["usager"][0].id)
    world.enter("parent", its.id, its.contact)
    common: dict[str, Any] = {"organisation_id": world.organisation, "expires": 4e9}
    ids = world.ids
    principals: dict[str, Principal] = {
        "usager": UsagerSelf(id=ids["person"], session_id=ids["person_session"], **common),
        "representative": Representative(
            id=ids["parent"], usager_id=its.id, session_id=ids["parent_session"], **common
        ),
        "partner": Partner(
            id=ids["chu"], structure_id=ids[HOUSE], scopes=SCOPES, session_id=ids["chu_session"], **common
        ),
    }
    house = House(world, principals, persons)
    for n, (who, category, row) in enumerate(itertools.product(CALLERS, Category, TRAITS)):
        for kind in DOSSIER:
            about, said = house.said(who, kind, row, n)
            house.rows[who, kind, category.value, row] = made.row(kind, about, category=category.value, **said)
    made.write()
    return house


def within(who: str, kind: str, category: str, action: str, row: Trait) -> bool:
    """Whether `expected.csv` lets them: what is neither theirs nor shown to them they do not change either."""
    reach, read = (CELLS.get((who, kind, category, each)) for each in (action, "read"))
    told = row.open or row.own or action == "create"  # what they write is theirs
    theirs = {
        "myself": row.ours and told,
        "mine": row.ours and row.own,
        "mandate": row.ours and told,
        "sent_or_granted": row.ours,
        "receiving": row.ours and row.open,
    }
    may_read = theirs.get(read or "", False)
    return theirs.get(reach or "", False) and (action == "create" or may_read)


async def let(gate: Asked, house: House, who: str, kind: str, action: Action) -> set[Row]:
    at = list(itertools.product((category.value for category in Category), TRAITS))
    table = tables()[kind]
    if action is not Action.CREATE:
        known = {house.rows[who, kind, category, row]: (category, row) for category, row in at}
        return {known[id] for id in await gate.may(action, table, list(known))}
    new = {uuid7(): one for one in at}
    rows = []
    for n, (id, (category, row)) in enumerate(new.items()):
        about, said = house.said(who, kind, row, 100 + n)
        author = {"id": id, "category": category, "author_id": house.principals[who].id}
        told = row_of(house.world, kind, about, {**said, **author})
        rows.append({k: f"\\x{v.hex()}" if isinstance(v, bytes) else v for k, v in told.items()})
    return {new[id] for id in await gate.might_add(table, rows)}


def wrong(house: House, who: str, kinds: tuple[str, ...], *actions: Action) -> list[str]:
    async def act(gate: Any) -> list[str]:
        told = []
        for kind, action in itertools.product(kinds, actions):
            at = itertools.product((category.value for category in Category), TRAITS)
            said = {(category, row) for category, row in at if within(who, kind, category, action, row)}
            told += [f"{who} {action} {kind} {row}" for row in said ^ await let(gate, house, who, kind, action)]
        return told

    return cast(list[str], held_by(house.world, house.principals[who], act, Asked))


@pytest.mark.threat("object-matrix-write")
@pytest.mark.parametrize("who", CALLERS)
def test_who_does_what(house: House, who: str) -> None:
    assert wrong(house, who, DOSSIER, *Action) == []


WIDEST = {"usager": Reach.MYSELF, "representative": Reach.MANDATE, "partner": Reach.SENT_OR_GRANTED}


def drawn() -> list[tuple[str, str, str, Action]]:
    """For each of them and each action, a cell that says something and one that says nothing."""
    draw, told = Random(SEED), []
    for who, action in itertools.product(CALLERS, Action):
        cells = [(kind, category.value) for kind in DOSSIER for category in Category]
        for said in (True, False):
            known = [c for c in cells if ((who, *c, action.value) in CELLS) is said and (who, *c, "read") in CELLS]
            told += [(who, *draw.choice(known), action)] if known else []
    return told


@pytest.mark.parametrize(("who", "kind", "category", "action"), drawn())
def test_a_flipped_cell_is_noticed(
    house: House, monkeypatch: pytest.MonkeyPatch, who: str, kind: str, category: str, action: Action
) -> None:
    place = (Kind(kind), Category(category), action)
    line = dict(WITHOUT_ROLE[Caller(who)])
    if line.pop(place, None) is None:
        line[place] = WIDEST[who]
    monkeypatch.setitem(WITHOUT_ROLE, Caller(who), line)
    forget()
    try:
        assert wrong(house, who, (kind,), action)
    finally:
        monkeypatch.undo()
        forget()
