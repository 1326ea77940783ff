"""Pages of a search while rows move: who met it all along is told once, wherever their date went meanwhile."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.features.meals.test_fhir import TYPE as A_MEAL
from tests.features.presences.test_fhir import TYPE as A_PRESENCE
from tests.fhir.sent import sent
from tests.fhir.test_join_plans import plan_of
from tests.world import World

JANUARY = "2026-01-{:02}T11:00:00Z"
BEFORE, AFTER = "2025-12-01T11:00:00Z", "2026-02-01T11:00:00Z"
Write = Callable[[World, str], str]  # one row of that moment; its id
Move = Callable[[World, str, str], None]


def posted(world: World, path: str, body: dict[str, Any]) -> str:
    whose = {"usager_id": str(world.ids["jeanne"]), "structure_id": str(world.ids["ehpad"])}
    answer = world.post("marc", path, {**whose, **body})
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"]).rpartition("/")[2]


def meal(world: World, at: str) -> str:
    return posted(
        world,
        "/api/v1/events/meals",
        {"occurred_at": at, "type_code": f"{A_MEAL}|1", "present": True, "status": "done"},
    )


def slot(world: World, at: str) -> str:
    body = {
        "occurred_at": at,
        "ends_at": at.replace("T11", "T12"),
        "type_code": f"{A_PRESENCE}|1",
        "status": "confirmed",
    }
    return posted(world, "/api/v1/events/presences", body)


def note(world: World, at: str) -> str:
    return str(sent(world, "chu", usager="jeanne", date=at))


def by_rest(path: str, *names: str) -> Move:
    def move(world: World, id: str, at: str) -> None:
        version = world.get("marc", f"{path}/{id}").json()["version"]
        ends = at.replace("T11", "T12")
        answer = world.patch("marc", f"{path}/{id}", dict(zip(names, (at, ends), strict=False)), version)
        assert answer.status_code in (200, 204), answer.text

    return move


def by_fhir(world: World, id: str, at: str) -> None:
    patch = {"op": "replace", "path": "/date", "value": at}
    headers = {**world.bearers["chu"], "Content-Type": "application/json-patch+json"}
    answer = world.client.patch(f"/fhir/DocumentReference/{id}", json=[patch], headers=headers)
    assert answer.status_code == 200, answer.text


MEALS = ("Observation", "marc", meal, by_rest("/api/v1/events/meals", "occurred_at"))
SLOTS = ("Slot", "marc", slot, by_rest("/api/v1/events/presences", "occurred_at", "ends_at"))
NOTES = ("DocumentReference", "chu", note, by_fhir)
NOTES_READ = ("DocumentReference", "marc", note, by_fhir)
KNOWN = [
    (MEALS, ""), (SLOTS, ""), (SLOTS, "_sort=start"), (SLOTS, "_sort=-start"), (NOTES, ""), (NOTES, "_sort=date"),
    (NOTES, "_sort=-date"), (NOTES_READ, ""), (NOTES_READ, "_sort=date"), (NOTES, "_sort=_lastUpdated"),
    (MEALS, "_sort=-_lastUpdated"), (MEALS, "_sort=_id"),
]  # fmt: skip
UNKNOWN = [(MEALS, "_sort=date"), (MEALS, "_sort=-date"), (MEALS, "_sort=status")]
IDS = [f"{kind[0]}-{kind[1]}-{said or 'latest'}" for kind, said in KNOWN]


def pages(world: World, who: str, url: str) -> Iterator[list[str]]:
    while url:
        answer = world.get(who, url)
        assert answer.status_code == 200, answer.text
        yield [each["resource"]["id"] for each in answer.json().get("entry", ())]
        url = next((link["url"] for link in answer.json()["link"] if link["relation"] == "next"), "")


@pytest.fixture
def empty(world: World) -> None:
    """Nothing of Jeanne's but what a test writes."""
    for table in ("meal", "presence", "transmission"):
        world.rows(f"DELETE FROM {table} WHERE usager_id = $1", world.ids["jeanne"])


def asked(world: World, kind: str, said: str, *, whose: bool) -> str:
    about = f"patient={world.ids['jeanne']}&" if whose and kind != "Slot" else ""
    return f"/fhir/{kind}?{about}_count=2&{said}"


def following(world: World, of: Any, said: str, between: Callable[[list[str]], None], *, whose: bool = True) -> Any:
    """The rows written, in the order of their days; what the first page told, and what came after `between`."""
    kind, who, write, _ = of
    written = [write(world, JANUARY.format(day)) for day in range(1, 9)]
    rest = pages(world, who, asked(world, kind, said, whose=whose))
    first = next(rest)
    between(written)
    seen = [*first, *(id for page in rest for id in page)]
    return written, [id for id in first if id in written], [id for id in seen if id in written]


@pytest.mark.parametrize("whose", [True, False], ids=["of one", "of all"])
@pytest.mark.parametrize(("of", "said"), KNOWN, ids=IDS)
def test_rows_that_move_forward_and_backward_are_told_once(world: World, empty: None, of: Any, said: str, whose: bool):
    def move(written: list[str]) -> None:
        of[3](world, written[0], AFTER)
        of[3](world, written[-1], BEFORE)
        of[3](world, written[3], AFTER)
        of[3](world, written[3], BEFORE)
        of[3](world, written[4], AFTER)

    written, first, seen = following(world, of, said, move, whose=whose)
    assert len(first) == 2
    assert sorted(seen) == sorted(written)


@pytest.mark.parametrize(("of", "said"), UNKNOWN, ids=["rising", "falling", "status"])
def test_where_history_does_not_say_the_order_none_comes_twice(world: World, empty: None, of: Any, said: str):
    def move(written: list[str]) -> None:
        of[3](world, written[0], AFTER)
        of[3](world, written[-1], BEFORE)

    written, _, seen = following(world, of, said, move)
    assert len(seen) == len({*seen})
    assert {*written[1:-1]} <= {*seen}


@pytest.mark.parametrize(("of", "said"), KNOWN, ids=IDS)
def test_rows_made_since_wait_and_rows_deleted_are_gone(world: World, empty: None, of: Any, said: str):
    late, gone = list[str](), list[str]()

    def write(written: list[str]) -> None:
        late.extend(of[2](world, at) for at in (BEFORE, JANUARY.format(4), AFTER))
        table = {"Observation": "meal", "Slot": "presence", "DocumentReference": "transmission"}[of[0]]
        gone.extend([written[0], written[4], written[-1]])
        world.rows(f"UPDATE {table} SET deleted_at = now() WHERE id = ANY($1)", gone)

    written, first, seen = following(world, of, said, write)
    assert len(seen) == len({*seen})
    assert not {*late} & {*seen}
    assert {*seen} == ({*written} - {*gone}) | {*first}


@pytest.mark.threat("search-moved-next-page")
def test_a_row_that_closed_since_is_not_told_where_it_stood(world: World, empty: None):
    def close(written: list[str]) -> None:
        by_fhir(world, written[3], AFTER)
        world.rows("UPDATE transmission SET held = true WHERE id = $1", written[3])

    written, _, seen = following(world, NOTES_READ, "", close)
    assert {*seen} == {*written} - {written[3]}


def next_of(answer: Any) -> str:
    return next(link["url"] for link in answer.json()["link"] if link["relation"] == "next")


@pytest.mark.once
def test_a_page_that_follows_costs_no_statement_more_and_finds_what_changed_by_its_index(world: World, empty: None):
    written = [meal(world, JANUARY.format(day)) for day in range(1, 9)]
    url = next_of(world.get("marc", asked(world, "Observation", "", whose=True)))
    world.get("marc", url)
    with world.statements() as counted:
        following = world.get("marc", url)
    assert len(counted) == 1
    plan = plan_of(world, counted.sql[0])
    assert any("updated_at >=" in line for line in plan.splitlines() if "Index Cond" in line), plan

    MEALS[3](world, written[0], AFTER)
    before = len(world.traces())
    with world.statements() as counted:
        again = world.get("marc", url)
    assert len(counted) == 2
    assert again.json()["entry"] == following.json()["entry"]
    assert len(world.traces()) == before + 1  # the statement that told only that something was written says nothing
    assert len(next_of(again)) == len(next_of(following))
    world.get("marc", next_of(again))
    with world.statements() as counted:
        world.get("marc", next_of(again))
    assert len(counted) == 1  # those after it know
    plan = plan_of(world, counted.sql[0])
    assert any("updated_at >=" in line for line in plan.splitlines() if "Index Cond" in line), plan
