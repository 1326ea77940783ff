"""`_sort`: each order asked for, page after page; what is missing comes last; nothing is told by a place in the order."""

from collections.abc import Callable
from datetime import date, datetime
from itertools import product
from typing import Any, get_type_hints

import pytest
from sqlalchemy.sql import visitors
from sqlalchemy.types import NullType

from app.api.resources import REGISTRY
from app.features.life_projects.models import LifeProject
from app.features.meals.models import Meal
from app.features.mobility.models import Mobility
from app.features.transmissions.fhir import KIND
from app.fhir.mapping import AnyMap
from app.fhir.sorting import sortable
from app.kernel.clock import PARIS
from tests.fhir.sent import sent
from tests.fhir.test_read import changed_by_the_team, outcome, written
from tests.world import World

LIVES = (
    (date(2024, 1, 1), date(2025, 1, 1), "draft"),
    (date(2024, 1, 1), None, "completed"),
    (None, date(2024, 6, 1), "active"),
    (date(2023, 5, 1), date(2025, 1, 1), "active"),
    (None, None, "completed"),
    (date(2025, 2, 1), date(2024, 6, 1), "draft"),
    (None, date(2024, 6, 1), "draft"),
)
STATUSES = {"draft": "planned", "active": "active", "completed": "completed"}
FIELDS: dict[str, Callable[[LifeProject], Any]] = {
    "start-date": lambda life: life.starts,
    "target-date": lambda life: life.aim_on,
    "lifecycle-status": lambda life: STATUSES[life.status],
    "_id": lambda life: str(life.id),
}


def pages(world: World, who: str, url: str) -> list[str]:
    """Every id, page after page, none twice."""
    seen: list[str] = []
    for _ in range(50):
        answer = world.get(who, url)
        assert answer.status_code == 200, answer.text
        seen += [e["resource"]["id"] for e in answer.json().get("entry", []) if e["search"]["mode"] == "match"]
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")
        if not url:
            assert len(seen) == len(set(seen))
            return seen
    raise AssertionError("a search without end")


def in_order(rows: list[LifeProject], said: str) -> list[str]:
    """As R4 wants it: each key its way, what is missing last, the id as the last key turns."""
    keys = [(key.removeprefix("-"), not key.startswith("-")) for key in said.split(",")]
    ordered = sorted(rows, key=lambda row: str(row.id), reverse=not keys[-1][1])
    for name, rising in reversed(keys):
        told = [row for row in ordered if FIELDS[name](row) is not None]
        none = [row for row in ordered if FIELDS[name](row) is None]
        ordered = [*sorted(told, key=FIELDS[name], reverse=not rising), *none]
    return [str(row.id) for row in ordered]


@pytest.fixture(scope="module")
def lives(world: World) -> list[LifeProject]:
    rows = [
        LifeProject(
            usager_id=world.ids["jeanne"], structure_id=world.ids["ehpad"], words="Jardiner.", starts=starts, aim_on=aim,
            status=status, author_id=world.ids["marc"],
        )
        for starts, aim, status in LIVES
    ]  # fmt: skip
    world.add(*rows)
    return rows


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize(
    "said",
    [
        *("".join(turn) for turn in product(("", "-"), ("start-date", "lifecycle-status", "_id"))),
        "start-date,target-date", "-start-date,-target-date", "start-date,-target-date", "-start-date,target-date",
        "lifecycle-status,-start-date,target-date", "-lifecycle-status,start-date,-_id",
    ],
)  # fmt: skip
def test_every_order_page_after_page(world: World, lives: list[LifeProject], said: str, size: int):
    url = f"/fhir/Goal?patient={world.ids['jeanne']}&_sort={said}&_count={size}"
    assert pages(world, "marc", url) == in_order(lives, said)


def test_the_order_without_sort_is_unchanged(world: World, lives: list[LifeProject]):
    latest = sorted(lives, key=lambda row: (row.occurred_at, str(row.id)), reverse=True)
    found = pages(world, "marc", f"/fhir/Goal?patient={world.ids['jeanne']}&_count=2")
    assert found == [str(row.id) for row in latest]


def test_tables_of_one_type_are_sorted_together(world: World):
    """A day of one table stands among the instants of the other: it begins at midnight in Paris."""
    who = {"usager_id": world.ids["karim"], "structure_id": world.ids["mas_fam"], "author_id": world.ids["marc"]}
    days = [Mobility(noted_on=date(2026, 3, n), **who) for n in (2, 4)] + [Mobility(**who)]
    meals = [
        Meal(type_code="TRE|x", occurred_at=datetime(2026, 3, n, hour, 30, tzinfo=PARIS), **who)
        for n, hour in ((1, 23), (2, 0), (4, 12))
    ]
    world.add(*days, *meals)
    rising = [str(row.id) for row in (meals[0], days[0], meals[1], days[1], meals[2], days[2])]
    url = f"/fhir/Observation?patient={world.ids['karim']}&_count=2"
    assert pages(world, "marc", f"{url}&_sort=date") == rising
    assert pages(world, "marc", f"{url}&_sort=-date") == [*reversed(rising[:-1]), rising[-1]]


@pytest.mark.parametrize("key", ["date", "-date"])
def test_days_and_instants_of_two_tables_are_one_order(world: World, key: str):
    """A stay says a day, an event an instant."""
    seen = pages(world, "marc", f"/fhir/Encounter?_sort={key}&_count=1")
    assert {*seen} == {*pages(world, "marc", "/fhir/Encounter?_count=50")}


@pytest.mark.parametrize("type_name", REGISTRY.types)
def test_every_column_of_an_order_has_a_type(type_name: str):
    """Else the empty column of another table, and the place of a page, could not be written."""
    keys = sortable(REGISTRY.of_type(type_name), outside=True, of_person=False)
    columns = {(name, column) for name, key in keys.items() for column in (*key.columns, *key.columns_then)}
    assert [name for name, column in columns if isinstance(column.type, NullType)] == []


def test_rows_written_meanwhile_move_nothing(world: World):
    ids = [written(world, usager="ines", structure="mecs", occurred_at=f"2026-01-0{n}T10:00:00Z") for n in range(1, 6)]
    url = f"/fhir/DocumentReference?patient={world.ids['ines']}&date=2026-01&_sort=date&_count=2"
    first = world.get("sonia", url).json()
    written(world, usager="ines", structure="mecs", occurred_at="2026-01-01T09:00:00Z")
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    seen = [e["resource"]["id"] for e in first["entry"]] + pages(world, "sonia", following)
    assert seen == ids


@pytest.fixture(scope="module")
def mine(world: World) -> list[str]:
    """Four rows of the CHU, the first two overtaken by the team, who moved them to the other end."""
    said = {"coding": [{"system": KIND, "code": "action"}]}
    ids = [sent(world, "chu", usager="karim", date=f"2026-04-0{n}T10:00:00Z", type=said) for n in range(1, 5)]
    for id in ids[:2]:
        changed_by_the_team(world, id)
        world.rows("UPDATE transmission SET occurred_at = now(), updated_at = now() WHERE id = $1", id)
    return [str(id) for id in ids]


class TestFormerVersions:
    @pytest.mark.threat("search-sort-former-version")
    @pytest.mark.parametrize("size", [1, 10])
    def test_what_a_partner_sent_stands_where_it_sent_it(self, world: World, mine: list[str], size: int):
        url = f"/fhir/DocumentReference?patient={world.ids['karim']}&date=2026-04&_count={size}"
        assert pages(world, "chu", f"{url}&_sort=date") == mine
        assert pages(world, "chu", f"{url}&_sort=-date") == mine[::-1]
        assert pages(world, "chu", f"{url}&_sort=_lastUpdated") == mine

    @pytest.mark.threat("search-sort-former-version")
    @pytest.mark.parametrize("turn", ["", "-"])
    def test_what_a_version_cannot_tell_unopened_puts_it_last(self, world: World, mine: list[str], turn: str):
        """Whatever the team wrote there since."""
        url = f"/fhir/DocumentReference?patient={world.ids['karim']}&date=2026-04&_sort={turn}type&_count=1"
        for kind in ("action", "result"):
            world.rows("UPDATE transmission SET kind = $2 WHERE id = $1", mine[0], kind)
            assert set(pages(world, "chu", url)[2:]) == set(mine[:2])


class TestRefused:
    @pytest.mark.parametrize(
        ("said", "where"),
        [
            ("_sort=147720425367411", "_sort"), ("_sort=", "_sort"), ("_sort=-", "_sort"), ("_sort=date,date", "_sort"),
            ("_sort=date,-date", "_sort"), ("_sort=_id,date,type,status", "_sort"), ("_sort=date&_sort=type", "_sort"),
            ("_sort=patient", "_sort"), ("_sort=identifier", "_sort"), ("_sort=--date", "_sort"),
            ("_total=banana", "_total"), ("_total=none&_total=accurate", "_total"), ("_count=abc", "_count"),
            ("_count=-1", "_count"), ("_count=2&_count=2", "_count"),
        ],
    )  # fmt: skip
    @pytest.mark.threat("search-sort")
    def test_an_order_that_does_not_exist(self, world: World, said: str, where: str):
        answer = world.get("sonia", f"/fhir/DocumentReference?{said}")
        assert (answer.status_code, outcome(answer)["expression"]) == (400, [where])
        assert "147720425367411" not in answer.text

    def test_the_nearest_key_is_told(self, world: World):
        assert outcome(world.get("sonia", "/fhir/Goal?_sort=-startdate"))["diagnostics"].endswith("start-date.")


def _emptied(of: AnyMap) -> set[str]:
    """The fields that the mask changes when all that may hide something hides."""
    hints = get_type_hints(of.view)
    told = {name: True if hints.get(name) is bool else "[]" for name in of.view.__struct_fields__}
    view = of.view(**told)
    assert of.masked is not None
    masked = of.masked(view)
    return {name for name in told if getattr(masked, name) != told[name]}


MASKED = [each for each in REGISTRY.maps if each.masked]


def test_masks_are_seen_to_empty_something():
    """All but the one that takes a part out of a column of JSON."""
    assert [each.view.__name__ for each in MASKED if not _emptied(each)] == ["DecisionFhir"]


@pytest.mark.threat("search-sort-masked")
@pytest.mark.parametrize("of", MASKED, ids=[each.view.__name__ for each in MASKED])
def test_what_is_masked_orders_no_rows_by_its_value(of: AnyMap):
    """A column that a mask may empty is one of a criterion that says so; else it would sort whom it hides."""
    emptied = _emptied(of)
    for name, criterion in of.criteria.items():
        column = criterion.sorts
        parts = {getattr(part, "key", None) for part in visitors.iterate(column)} if column is not None else set()
        assert criterion.mask or not parts & emptied, name


@pytest.mark.threat("search-sort-masked")
@pytest.mark.parametrize("of", REGISTRY.maps, ids=[f"{each.type_name}-{each.view.__name__}" for each in REGISTRY.maps])
def test_what_the_team_keeps_orders_nothing_for_the_person(of: AnyMap):
    for found in sortable((of,), outside=False, of_person=True).values():
        for column in found.columns:
            assert not {getattr(part, "key", None) for part in visitors.iterate(column)} & set(of.of_team)
